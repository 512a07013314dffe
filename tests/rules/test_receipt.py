"""Receipt numbers and query codes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from mulu import receipt
from mulu.errors import BrokenRules

DAY = date(2026, 11, 21)
NUMBER = receipt.number("huarong", "FH", DAY, 1)


def test_a_receipt_names_place_procedure_day_and_number():
    assert NUMBER.startswith("HUARONG-FH-20261121-00001-")
    assert len(NUMBER.rpartition("-")[2]) == 1


@given(st.from_regex(r"[A-Z0-9]{1,30}", fullmatch=True))
def test_the_check_character_is_that_of_the_standard(text):
    assert receipt.check_character(text) == mod_37_36.calc_check_digit(text)


@given(st.sampled_from(["huarong", "xiayi", "guojia"]), st.sampled_from(["FH", "YY"]), st.dates(min_value=date(2000, 1, 1)), st.integers(1, 10**9 - 1))
def test_what_is_printed_is_read_back(place, letters, day, sequence):
    made = receipt.number(place, letters, day, sequence)
    assert receipt.read_number(made) == made
    assert receipt.read_number(f"  {made.lower()} ") == made


@given(st.integers(0, len(NUMBER) - 1), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_one_wrong_character_is_noticed(at, letter):
    typed = NUMBER[:at] + letter + NUMBER[at + 1 :]
    assert receipt.read_number(typed) == ("" if typed != NUMBER else NUMBER)


@pytest.mark.parametrize("typed", ["", "-", "HUARONG", NUMBER[:-1], NUMBER + "0", "华容-FH-20261121-00001-X", "'; drop table", "\0", "١" * 20])
def test_what_is_no_receipt_is_none(typed):
    assert receipt.read_number(typed) == ""


@pytest.mark.parametrize("typed", [NUMBER.replace("-", "－"), NUMBER.replace("-", " — "), "ＨＵＡＲＯＮＧ" + NUMBER[7:]])
def test_other_dashes_and_full_width_are_understood(typed):
    assert receipt.read_number(typed) == NUMBER


@pytest.mark.parametrize(("place", "letters", "sequence"), [("huarong", "FH", 0), ("hua rong", "FH", 1), ("huarong", "", 1), ("华容", "FH", 1), ("huarong", "FH", 10**9)])
def test_a_number_that_could_not_be_read_back_is_never_made(place, letters, sequence):
    with pytest.raises(BrokenRules):
        receipt.number(place, letters, DAY, sequence)


def test_codes_are_ten_unambiguous_characters_and_differ():
    made = {receipt.make_code() for _ in range(1000)}
    assert len(made) == 1000
    assert all(receipt.read_code(one) == one for one in made)
    assert not set("".join(made)) & set("01ILO")


@pytest.mark.parametrize(("typed", "read"), [("abcde fghjk", "ABCDEFGHJK"), ("ABC-DEF-GHJK", "ABCDEFGHJK"), ("ABCDEFGHJ", ""), ("ABCDEFGHJ0", ""), ("", "")])
def test_a_typed_code_is_read(typed, read):
    assert receipt.read_code(typed) == read


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("公交 实时位置", "公交实时位置。", True), ("ＡＱＩ数据", "aqi数据", True), ("公交实时位置", "公交站点位置", False), ("！", "？", False), ("", "", False)],
)
def test_the_same_demand_in_other_clothes(one, other, same):
    assert receipt.same_title(one, other) is same
