"""A small portal for the tests of the pages, and people who read them and fill in their forms as a browser would."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from bs4 import BeautifulSoup, Tag
from ckan.tests import factories
from werkzeug.datastructures import MultiDict

PEOPLE = {
    "jiaoyu": ("县教育局", "provider", {"editor": "editor", "head": "admin"}),
    "minzheng": ("县民政局", "provider", {"other_editor": "editor", "other_head": "admin"}),
    "shuju": ("县数据局", "authority", {"authority": "editor", "authority_head": "admin"}),
}
NAMES = {"editor": "编目员", "head": "负责人", "other_editor": "编目员", "other_head": "负责人", "authority": "审核员", "authority_head": "审核负责人"}
ENTRY = {
    "title": "全县中小学校基本信息",
    "notes": "记录全县中小学校的名称、地址和在校生人数，每学期更新。",
    "format_class": "database",
    "format_type": "mysql",
    "catalogue_kind": "department",
    "share_type": "unconditional",
    "share_mode": ["batch_download"],
    "open_type": "unconditional",
    "open_mode": ["download"],
    "update_frequency": "quarterly",
    "security_level": "L1",
    "personal_information": "none",
    "items-0-name": "学校名称",
    "items-0-data_type": "C",
    "items-0-length": "128",
}
"""Posted values of an entry that every rule is content with."""
REVIEWS = {f"{name}.conclusion": "不涉密，可以发布。" for name in ("secrecy_review", "privacy_review")}


@dataclass
class Page:
    """An answer as people see it."""

    status: int
    url: str
    soup: BeautifulSoup
    raw: bytes

    @property
    def text(self) -> str:
        return " ".join(self.soup.get_text(" ").split())

    def form(self, button: str) -> Tag:
        """The form that holds the submit button with these words."""
        for one in self.soup.select("form button[type=submit]"):
            if button in one.get_text():
                return one.find_parent("form")
        raise AssertionError(f"no button {button!r} on {self.url}: {[b.get_text(strip=True) for b in self.soup.select('button')]}")

    def values(self, form: Tag) -> MultiDict[str, Any]:
        """What a browser would send for this form."""
        sent: MultiDict[str, Any] = MultiDict()
        for control in form.select("input[name], select[name], textarea[name]"):
            name, kind = control["name"], control.get("type", "text")
            if control.name == "select":
                chosen = control.select_one("option[selected]") or control.select_one("option")
                sent.add(name, chosen.get("value", chosen.get_text()) if chosen else "")
            elif control.name == "textarea":
                sent.add(name, control.get_text().removeprefix("\n"))
            elif kind in ("checkbox", "radio"):
                if control.has_attr("checked"):
                    sent.add(name, control.get("value", "on"))
            elif kind not in ("file", "submit"):
                sent.add(name, control.get("value", ""))
        return sent


@dataclass
class Portal:
    """The application, and a token for each person."""

    app: Any
    tokens: dict[str, str] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)

    def _ask(self, who: str, method: str, url: str, **more: Any) -> Page:
        headers = {"Authorization": self.tokens[who]} if who else {}
        # A browser of its own for each request, which keeps its cookies (a flashed message) through a redirect.
        client = self.app.test_client()
        answer = client.open(url, method=method, headers=headers, follow_redirects=False, **more)
        hops = 0
        while answer.status_code in (302, 303) and hops < 3:
            url, hops = answer.headers["Location"], hops + 1
            answer = client.open(url, method="GET", headers=headers)
        raw = answer.get_data()
        return Page(answer.status_code, url, BeautifulSoup(raw, "html5lib"), raw)

    def get(self, who: str, url: str) -> Page:
        return self._ask(who, "GET", url)

    def post(self, who: str, url: str, data: Any) -> Page:
        return self._ask(who, "POST", url, data=data)

    def press(self, who: str, page: Page, button: str, changes: dict[str, Any] | None = None) -> Page:
        """Fill in the form of a button and press it."""
        form = page.form(button)
        pressed = next(one for one in form.select("button[type=submit]") if button in one.get_text())
        data = page.values(form)
        for name, value in (changes or {}).items():
            data.setlist(name, value if isinstance(value, list) else [value])
        if pressed.get("name"):
            data[pressed["name"]] = pressed.get("value", "")
        return self.post(who, pressed.get("formaction") or form.get("action") or page.url, data)

    def do(self, who: str, action: str, **data: Any) -> Any:
        client = self.app.test_client(use_cookies=False)
        answer = client.post(f"/api/3/action/{action}", json=data, headers={"Authorization": self.tokens[who]})
        assert answer.status_code == 200, answer.get_data(as_text=True)[:2000]
        return answer.json["result"]

    def draft(self, title: str, **more: Any) -> Page:
        """A sound draft, made with the form; its page."""
        return self.press("editor", self.get("editor", "/dataset/new"), "检查并保存", {**ENTRY, "title": title, **more})

    def case_of(self, page: Page) -> str:
        """Address of the review of the entry on this page."""
        return next(link["href"] for link in page.soup.select("a[href*='/mulu/case/']"))

    def publish(self, title: str, **more: Any) -> Page:
        """A published entry, all the way by the pages; its page."""
        entry = self.draft(title, **more)
        case = self.case_of(entry)
        self.press("editor", entry, "提交部门负责人")
        self.press("head", self.get("head", case), "确认同意并报主管部门", REVIEWS)
        done = self.press("authority", self.get("authority", case), "确认审核通过并发布")
        assert "已发布" in done.text
        return self.get("editor", entry.url)


@pytest.fixture(scope="module")
def portal(empty_ckan: Any) -> Portal:
    found = Portal(empty_ckan)
    sysadmin = factories.Sysadmin(fullname="运维")
    found.users = {"sysadmin": sysadmin, "citizen": factories.User(fullname="市民")}
    for name, (title, function, capacities) in PEOPLE.items():
        found.users |= {who: factories.User(fullname=f"{title}{NAMES[who]}") for who in capacities}
        members = [{"name": found.users[who]["name"], "capacity": capacity} for who, capacity in capacities.items()]
        data = {"name": name, "title": title, "mulu_function": function, "users": members}
        tk.get_action("organization_create")({"user": sysadmin["name"]}, data)
    for who, user in found.users.items():
        made = tk.get_action("api_token_create")({"user": user["name"]}, {"user": user["id"], "name": "pages"})
        found.tokens[who] = made["token"]
    return found
