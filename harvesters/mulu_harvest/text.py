"""Reading what people typed: blanks, full-width digits, lists in one cell, dates in every spelling."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

# Full-width ASCII (Ｕ+FF01..FF5E) and the wide blank. Only codes, numbers and dates are folded: NFKC on a text would also
# replace rare characters of names and places (U+F900..) by others.
_HALF = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20}
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_CHINESE_DIGITS = str.maketrans("〇零○一二三四五六七八九", "000123456789")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]\d{1,2}[:：时].*)?$")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})$")
_WHOLE = re.compile(r"(\d{1,9})(?:\.0+)?\s*(?:位|字节|字符|个字符)?$")
_DECIMAL = re.compile(r"[(（]?(\d{1,3})\s*[,、]\s*(\d{1,2})[)）]?$")
_EXCEL_EPOCH = dt.date(1899, 12, 30)
_SERIALS = range(25_569, 73_051)  # 1970-01-01 .. 2100-01-01: outside it a number in a date column is no date
_OPENING, _CLOSING = "(（[［{｛【《「『“", ")）]］}｝】》」』”"


def half_width(text: str) -> str:
    """The text with full-width digits, letters and signs made half-width."""
    return text.translate(_HALF)


def clean(value: Any) -> str:
    """A cell as text: whole numbers without ``.0``, dates as ISO, no control characters, no blanks at the ends."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()[:10]
    return _CONTROLS.sub("", str(value)).strip()


def one_line(value: Any) -> str:
    """:func:`clean`, with line breaks and tabs inside made one blank; between two Chinese characters, none."""
    # A run of blanks is looked at from its beginning only, as it would take time with the square of its length.
    text = re.sub(r"(?<![ \t])[ \t]*[\r\n]+[ \t]*|\t+", "\n", clean(value))
    text = re.sub(r"(?<=[\u2e80-\uffff])\n(?=[\u2e80-\uffff])", "", text)
    return text.replace("\n", " ")


def split_list(text: str, separators: str = "、，,;；\n\t|") -> list[str]:
    """Parts of a text that lists several things; separators inside brackets or quotation marks don't part."""
    parts, depth, current = [], 0, ""
    for character in text:
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth = max(0, depth - 1)
        if depth == 0 and character in separators:
            parts.append(current)
            current = ""
        else:
            current += character
    parts.append(current)
    return [part.strip() for part in parts if part.strip()]


def read_date(value: Any) -> str | None:
    """A date as ISO text, from a date, an Excel serial number or a spelling (2022年5月9日, ２０２２．５．９, 二〇二二年五月九日).

    None where it is not a whole date: a month alone is not made into its first day.
    """
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()[:10]
    text = re.sub(r"(?<=[-/.年月])\s+|\s+(?=[-/.年月日])", "", half_width(clean(value)))
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        serial = int(float(text))
        return (_EXCEL_EPOCH + dt.timedelta(days=serial)).isoformat() if serial in _SERIALS else None
    match = _DATE.match(text) or _COMPACT_DATE.match(text) or _DATE.match(_from_chinese_numerals(text))
    if not match:
        return None
    try:
        return dt.date(*(int(part) for part in match.groups()[:3])).isoformat()
    except ValueError:
        return None


def _from_chinese_numerals(text: str) -> str:
    """二〇二二年十二月二十一日 → 2022年12月21日; other texts come back changed at most in such numerals."""

    def tens(match: re.Match[str]) -> str:
        left, right = match.group(1), match.group(2)
        return f"{left.translate(_CHINESE_DIGITS) or 1}{right.translate(_CHINESE_DIGITS) or 0}"

    return re.sub("([一二三]?)十([一二三四五六七八九]?)", tens, text).translate(_CHINESE_DIGITS)


def read_length(value: Any) -> str | None:
    """A length as digits: 200 from 200, "200.0", "２００" or "18位"; "16,2" (digits, decimals) from "(16,2)". None for others."""
    text = half_width(clean(value))
    if match := _WHOLE.match(text):
        return match[1]
    match = _DECIMAL.match(text)
    return f"{match[1]},{match[2]}" if match else None
