"""What a decision does to the catalogue, in the decision's own transaction."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import func, insert, select

from ckanext.mulu import entries, identities
from ckanext.mulu.model.tables import entry_version
from ckanext.mulu.transaction import Touched
from mulu.case import Case, Effect, EventRecord
from mulu.entry import CLASS_FIELDS, ITEM_CLASS_FIELDS, diff, with_class
from mulu.people import ROLE_LABELS


def carry_out(effect: Effect, case: Case, record: EventRecord, touched: Touched) -> None:
    """KeyError for an effect that nobody wrote: a procedure must not promise what is not done."""
    EFFECTS[effect.name](effect.args, case, record, touched)


def publish_entry(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """The draft, or the proposal, becomes what the public sees (政务数据共享条例 第十六条)."""
    package = entries.show(case.subject["id"])
    if case.data.get("proposed"):
        package = entries.with_proposal(package, case.data["proposed"])
    package["private"] = False
    for review in ("secrecy_review", "privacy_review"):
        if args.get(review):
            package[review] = args[review]
    package["published_on"] = record.at.date().isoformat()
    _save(package, case, record, touched)


def change_class(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """The new class comes into force, and nothing else changes (huarong 35, hunan 30)."""
    package = entries.show(case.subject["id"])
    changed = with_class(package, args["fields"])
    _save({**package, **{key: changed.get(key, "") for key in (*CLASS_FIELDS, "items")}}, case, record, touched)


def discard_pending(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """A withdrawn entry that was never published goes; a withdrawn change leaves the published entry as it is."""
    package = model.Package.get(case.subject["id"])
    if package is not None and package.private and case.data.get("kind") == "new":
        package.state = "deleted"
        identities.forget(package.id)
    touched.add(case.subject["id"])


EFFECTS = {"publish_entry": publish_entry, "change_class": change_class, "discard_pending": discard_pending}


def _save(package: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    context = {"ignore_auth": True, "user": "", "defer_commit": True, "return_id_only": True, "mulu_decided": True}
    tk.get_action("package_update")(context, package)
    model.Session.flush()
    after = entries.to_entry(entries.show(package["id"]))
    last = select(entry_version.c.version, entry_version.c.entry).where(entry_version.c.package_id == package["id"])
    before = model.Session.execute(last.order_by(entry_version.c.version.desc()).limit(1)).first()
    values = {
        "package_id": package["id"],
        "version": before.version + 1 if before else 1,
        "case_id": case.id,
        "summary": _summary(before.entry if before else None, after),
        "entry": {**after, "decided_by": {"role": record.role, "label": ROLE_LABELS.get(record.role, ""), "article": record.article}},
    }
    model.Session.execute(insert(entry_version).values(**values, published_at=func.now()))
    identities.register(package["id"], after)
    touched.add(package["id"])


def _summary(before: dict[str, Any] | None, after: dict[str, Any]) -> str:
    """What changed, in one line for the public: names of fields, never of people."""
    if before is None:
        return "首次发布"
    labels = dict.fromkeys(change.label for change in diff(before, after))
    classes = set(CLASS_FIELDS) | set(ITEM_CLASS_FIELDS)
    kind = "属性变更" if any(before.get(key) != after.get(key) for key in classes) else "修改"
    names = "、".join(list(labels)[:5]) + ("等" if len(labels) > 5 else "")
    return f"{kind}：{names}" if names else "重新发布，内容未变"
