"""GB 32100: real codes of public bodies and large companies (published on their own pages), and what is wrong with others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mulu import credit_code

# 华为技术有限公司, 腾讯科技（深圳）有限公司, 中国石油化工集团有限公司
REAL = ["914403001922038216", "9144030071526726XG", "9111000010169286X1"]


@pytest.mark.parametrize("code", REAL)
def test_real_codes_are_valid(code):
    assert credit_code.validate(code) is None


@pytest.mark.parametrize("first", "ANY")
def test_a_letter_may_come_first(first):
    body = first + "1430623" + "12345678" + credit_code.organisation_check_character("12345678")
    assert credit_code.validate(body + credit_code.check_character(body)) is None


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("", "credit_code_length"),
        ("91440300192203821", "credit_code_length"),
        ("91440300192203821O", "credit_code_character"),
        ("91ABC300192203821" + "6", "credit_code_shape"),
        ("914403001922038217", "credit_code_check"),
        ("914403001922038261", "credit_code_check"),
    ],
)
def test_a_wrong_code_is_explained(code, rule):
    problem = credit_code.validate(code)
    assert problem is not None
    assert (problem.rule, problem.value) == (rule, code)
    assert "GB 32100" in problem.article


@given(st.integers(0, 10**6), st.integers(0, 16), st.sampled_from(credit_code.ALPHABET))
def test_one_wrong_character_is_always_found(seed, place, other):
    code = credit_code.make(seed)
    assert credit_code.validate(code) is None
    wrong = code[:place] + other + code[place + 1:]
    assert (credit_code.validate(wrong) is None) == (wrong == code)
