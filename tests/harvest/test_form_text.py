"""Reading what people type."""

from __future__ import annotations

import datetime as dt

import pytest

from mulu_harvest.text import clean, one_line, read_date, read_length, split_list


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2022-05-09", "2022-05-09"),
        ("2022/5/9", "2022-05-09"),
        ("2022.5.9", "2022-05-09"),
        ("２０２２－０５－０９", "2022-05-09"),
        ("2022年5月9日", "2022-05-09"),
        ("2022 年 5 月 9 日", "2022-05-09"),
        ("二〇二二年五月九日", "2022-05-09"),
        ("二○二二年十二月二十一日", "2022-12-21"),
        ("二〇二〇年十月三十日", "2020-10-30"),
        ("20220509", "2022-05-09"),
        ("2022-05-09 10:00:00", "2022-05-09"),
        ("2022-05-09T10:00:00", "2022-05-09"),
        (44690, "2022-05-09"),
        (44690.5, "2022-05-09"),
        ("44690", "2022-05-09"),
        (dt.date(2022, 5, 9), "2022-05-09"),
        (dt.datetime(2022, 5, 9, 23, 59), "2022-05-09"),
        ("2022年5月", None),
        ("2022", None),
        ("2022-02-30", None),
        ("2022-13-01", None),
        ("每年三月", None),
        (307001, None),
        ("12345", None),
        ("", None),
    ],
)
def test_dates(typed: object, read: str | None) -> None:
    assert read_date(typed) == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (200, "200"),
        (200.0, "200"),
        ("200.0", "200"),
        ("２００", "200"),
        ("18位", "18"),
        ("200 字符", "200"),
        ("16,2", "16,2"),
        ("(16，2)", "16,2"),
        ("10.2", None),
        ("不限", None),
        ("-1", None),
        ("", None),
    ],
)
def test_lengths(typed: object, read: str | None) -> None:
    assert read_length(typed) == read


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("名称、地址、联系电话", ["名称", "地址", "联系电话"]),
        ("名称，地址;电话\n备注", ["名称", "地址", "电话", "备注"]),
        ("许可类别(A:省内、B:国际)、企业名称", ["许可类别(A:省内、B:国际)", "企业名称"]),
        ("《条例》第一条、“三重一大，决策”", ["《条例》第一条", "“三重一大，决策”"]),
        ("名称、、", ["名称"]),
        ("）、名称", ["）", "名称"]),
        ("", []),
    ],
)
def test_lists_in_a_cell(text: str, parts: list[str]) -> None:
    assert split_list(text) == parts


def test_rare_characters_stay() -> None:
    """NFKC would change 﨑 (U+FA11) and ㎡; a name or a unit must not change."""
    assert clean(" 㴔、䶮、𬭩、﨑、㎡\u200b ") == "㴔、䶮、𬭩、﨑、㎡"


def test_line_breaks_inside_a_title() -> None:
    assert one_line("城乡低保\n标准 (2022\n年)") == "城乡低保标准 (2022 年)"
    assert one_line("a\tb") == "a b"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (True, "是"), (False, "否"), (3.0, "3"), (3.5, "3.5"), (7, "7")]
)
def test_cells_as_text(value: object, text: str) -> None:
    assert clean(value) == text
