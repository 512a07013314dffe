"""政务信息资源目录编制指南: 类 项 目 细目/顺序号."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mulu import resource_code


@pytest.mark.parametrize(
    ("text", "levels", "sequence"),
    [
        ("307001/00001", ("3", "07", "001", ""), "00001"),
        ("3070010102/123456", ("3", "07", "001", "0102"), "123456"),
        ("３０７００１／０００１７", ("3", "07", "001", ""), "00017"),
        (" 1 01 001 / 7 ", ("1", "01", "001", ""), "7"),
    ],
)
def test_codes_are_read_in_any_width(text, levels, sequence):
    code = resource_code.parse(text)
    assert code is not None
    assert code.classification == levels
    assert code.sequence == sequence


@pytest.mark.parametrize("text", ["", "307001", "407001/1", "30700/1", "307001/", "307001/a", "r-307001-1"])
def test_what_is_no_code_is_refused(text):
    assert resource_code.parse(text) is None


@pytest.mark.parametrize(
    ("classification", "kind", "code"),
    [
        ([], "base", "100000/00001"),
        (["部门类", "307", "001"], "department", "307001/00001"),
        (["3", "7", "1", "02"], "department", "30700102/00001"),
        (["2", "03", "004", ""], "department", "203004/00001"),
    ],
)
def test_a_class_gives_its_first_code(classification, kind, code):
    assert str(resource_code.first(classification, kind)) == code


@given(st.sampled_from("123"), st.from_regex(r"\A[0-9]{5,12}\Z"), st.integers(1, 10**7))
def test_a_code_survives_being_written_and_read(kind, rest, number):
    code = resource_code.parse(f"{kind}{rest}/1")
    assert code is not None
    code = code.numbered(number)
    assert resource_code.parse(str(code)) == code
    assert int(code.sequence) == number
    assert code.slug.isascii()
