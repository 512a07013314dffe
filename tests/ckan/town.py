"""A small town for the tests of the extension: two departments, an authority, their people, each with an API token.

Requests go the whole way through the web application, on the real services.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.tests import factories

ORGANISATIONS = {
    "minzheng": ("provider", {"editor": "editor", "editor2": "editor", "head": "admin", "member": "member"}),
    "jiaoyu": ("provider", {"other_editor": "editor", "other_head": "admin", "other_member": "member"}),
    "shuju": ("authority", {"authority": "editor", "authority_head": "admin", "authority_member": "member"}),
    "shenji": ("auditor", {"auditor": "editor"}),
    "shishuju": ("higher_authority", {"higher": "editor"}),
}
REVIEWS = {
    "secrecy_review": {"by": "保密员", "on": "2025-01-02", "conclusion": "不涉密"},
    "privacy_review": {"by": "法制员", "on": "2025-01-02", "conclusion": "不含个人信息"},
}
ENTRY = {
    "notes": "各乡镇按年上报。",
    "format_class": "database",
    "format_type": "mysql",
    "catalogue_kind": "department",
    "classification": ["3", "07", "001", "01"],
    "items": [{"name": "登记面积", "data_type": "N", "length": "10", "kind": "business"}],
    "share_type": "unconditional",
    "share_mode": ["batch_download"],
    "open_type": "unconditional",
    "open_mode": ["download"],
    "update_frequency": "yearly",
    "security_level": "L1",
    "personal_information": "none",
}
"""With a title and a department, an entry that every rule is content with."""


@dataclass
class Town:
    """Who is there: ``tokens`` and ``users`` (CKAN's dicts) by the names of ``ORGANISATIONS``, ``citizen`` and ``sysadmin``."""

    app: Any
    tokens: dict[str, str] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)

    def request(self, who: str, url: str, body: Any = None, form: dict[str, Any] | None = None) -> Any:
        """The answer to a GET, or to a POST of JSON or of a form. Nobody goes on with another's cookies."""
        headers = {"Authorization": self.tokens[who]} if who != "anonymous" else {}
        client = self.app.test_client(use_cookies=False)
        if form is not None:
            return client.post(url, data=form, headers=headers)
        return client.post(url, json=body, headers=headers) if body is not None else client.get(url, headers=headers)

    def ask(self, who: str, url: str, body: Any = None) -> tuple[int, str]:
        """(status, text); JSON's escapes are undone, so that Chinese is found in it."""
        answer = self.request(who, url, body)
        text = answer.get_data().decode("utf-8", "replace")
        with contextlib.suppress(ValueError):
            text = json.dumps(json.loads(text), ensure_ascii=False)
        return answer.status_code, text

    def do(self, who: str, action: str, **data: Any) -> Any:
        """The result of an action that must succeed."""
        url = f"/api/3/action/{action}"
        answer = self.request(who, url, form=data) if "upload" in data else self.request(who, url, data)
        assert answer.status_code == 200, f"{action}: {self.told(answer)}"
        return answer.json["result"]

    def refused(self, who: str, action: str, **data: Any) -> dict[str, Any]:
        """The error of an action that must be refused by a rule: a message, never a crash."""
        answer = self.request(who, f"/api/3/action/{action}", data)
        assert answer.status_code in (403, 404, 409), f"{action}: {answer.status_code} {self.told(answer)}"
        return answer.json["error"]

    def rules(self, who: str, action: str, **data: Any) -> set[str]:
        """The ids of the rules by which an action is refused."""
        return {problem["rule"] for problem in self.refused(who, action, **data)["problems"]}

    def told(self, answer: Any) -> str:
        return (
            json.dumps(answer.json, ensure_ascii=False)[:2000]
            if answer.is_json
            else answer.get_data(as_text=True)[:2000]
        )

    def draft(self, title: str, who: str = "editor", department: str = "minzheng", **more: Any) -> dict[str, Any]:
        return self.do(who, "package_create", **{**ENTRY, "title": title, "owner_org": department, **more})

    def event(self, who: str, case: str, event: str, **data: Any) -> dict[str, Any]:
        return self.do(who, "mulu_case_event", id=case, event=event, data=data)

    def publish(self, package: dict[str, Any]) -> dict[str, Any]:
        """Walk the package's open review to its end; the published package, as a visitor sees it."""
        case = self.do("editor", "package_show", id=package["id"])["mulu_case"]
        self.event("editor", case, "submit")
        self.event("head", case, "head_agree", **REVIEWS)
        self.event("authority", case, "publish")
        return self.seen(package["id"])

    def published(self, title: str, **more: Any) -> dict[str, Any]:
        return self.publish(self.draft(title, **more))

    def seen(self, package_id: str) -> dict[str, Any]:
        """The package as a visitor sees it."""
        answer = self.request("anonymous", f"/api/3/action/package_show?id={package_id}")
        assert answer.status_code == 200, self.told(answer)
        return answer.json["result"]

    def found(self, who: str = "anonymous", **query: Any) -> list[str]:
        """Titles that a search finds, in its order."""
        answer = self.request(who, "/api/3/action/package_search", {"rows": 1000, **query})
        assert answer.status_code == 200, self.told(answer)
        return [one["title"] for one in answer.json["result"]["results"]]


def build(app: Any) -> Town:
    """The town in an empty database."""
    town = Town(app, users={"citizen": factories.User(), "sysadmin": factories.Sysadmin()})
    system = {"user": town.users["sysadmin"]["name"]}
    for name, (function, capacities) in ORGANISATIONS.items():
        town.users |= {person: factories.User() for person in capacities}
        members = [
            {"name": town.users[person]["name"], "capacity": capacity} for person, capacity in capacities.items()
        ]
        data = {"name": name, "title": f"机构{name}", "mulu_function": function, "users": members}
        tk.get_action("organization_create")(dict(system), data)
    for name, user in town.users.items():
        made = tk.get_action("api_token_create")({"user": user["name"]}, {"user": user["id"], "name": "town"})
        town.tokens[name] = made["token"]
    return town
