"""What a place's public site states of itself at the foot of every page (`imprint:` in its profile).

A government's site names who runs it and how to reach them, its 网站标识码, its ICP 备案编号 and its 公安机关备案号 (《政府网站发展指引》，
国办发〔2017〕47号). They are the site's own: of no parent, and none is made up where a place states none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from mulu.errors import BrokenRules

_FORMS: Final = {
    "identifier": (re.compile(r"[0-9a-zA-Z]{10}"), "网站标识码", "4306230001"),
    "icp": (re.compile(r"[\u4e00-\u9fa5]ICP备\d{6,10}号(-\d{1,3})?"), "ICP备案编号", "湘ICP备05000618号-2"),
    "police": (re.compile(r"[\u4e00-\u9fa5]公网安备\s?\d{14}号"), "公安机关备案号", "湘公网安备43062302000001号"),
}


@dataclass(frozen=True)
class Imprint:
    """`host` 主办单位, `contact` 联系方式, `identifier` 网站标识码, `icp` ICP备案编号, `police` 公安机关备案号; "" where not stated."""

    host: str = ""
    contact: str = ""
    identifier: str = ""
    icp: str = ""
    police: str = ""

    @property
    def filed(self) -> list[tuple[str, str]]:
        """Each number under which the site is known, with the address of the page where anybody may check it ("": there is none)."""
        code = "".join(re.findall(r"\d", self.police))
        named = [
            (self.identifier and f"网站标识码：{self.identifier}", ""),
            (self.icp, "https://beian.miit.gov.cn/"),
            (self.police, f"https://beian.mps.gov.cn/#/query/webSearch?code={code}"),
        ]
        return [(text, address) for text, address in named if text]


def stated(row: Any) -> Imprint:
    """What a profile says of its site; BrokenRules where a number is not of its form, or something is stated that nobody shows."""
    if row is None:
        return Imprint()
    known = [field.name for field in fields(Imprint)]
    if not isinstance(row, Mapping) or not set(row) <= set(known):
        raise BrokenRules(f"页脚（imprint）只能写明 {'、'.join(known)}")
    for key, value in row.items():
        if not isinstance(value, str) or not value.strip():
            raise BrokenRules(f"页脚的 {key} 应是文字，数字请加引号")
        form, name, example = _FORMS.get(key, (None, "", ""))
        if form and not form.fullmatch(value):
            raise BrokenRules(f"页脚的{name}（{key}）“{value}”不合格式，应形如“{example}”")
    return Imprint(**row)
