"""What a decision does to the catalogue, in the decision's own transaction."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import func, insert

from ckanext.mulu import entries, following, identities
from ckanext.mulu.grants.effects import end_grants, grant, restore_grants, suspend_grants
from ckanext.mulu.harvest import runs
from ckanext.mulu.model import versions
from ckanext.mulu.model.tables import entry_version, source
from ckanext.mulu.transaction import Touched
from mulu.case import Case, Effect, EventRecord
from mulu.entry import CLASS_FIELDS, class_of, diff, with_class
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


def set_review_date(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """When what is not open is looked at again (华容第二十八条)."""
    _save({**entries.show(case.subject["id"]), "open_review_on": args["date"]}, case, record, touched)


def name_source(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """One department is the item's source in every entry that has it (政务数据共享条例第十九条)."""
    for package_id in args["entries"]:
        values = {"case_id": case.id, "package_id": package_id, "item": args["item"], "org": args["source"]}
        model.Session.execute(insert(source).values(**values, at=record.at))
        touched.add(package_id)


def apply_run(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """What a held harvest found is loaded as it was planned and shown."""
    runs.release(args["run"], record.actor_id)


def drop_run(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """What a held harvest found is not loaded."""
    runs.discard(args["run"], record.actor_id)


EFFECTS = {
    "publish_entry": publish_entry, "change_class": change_class, "discard_pending": discard_pending,
    "set_review_date": set_review_date, "name_source": name_source, "decide_class": following.decide_class,
    "file_class_change": following.file_class_change, "act_on_subject": following.act_on_subject,
    "share_by_decision": following.share_by_decision, "grant": grant, "suspend_grants": suspend_grants,
    "restore_grants": restore_grants, "end_grants": end_grants, "apply_run": apply_run, "drop_run": drop_run,
}  # fmt: skip


def _save(package: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    context = {"ignore_auth": True, "user": "", "defer_commit": True, "return_id_only": True, "mulu_decided": True}
    tk.get_action("package_update")(context, package)
    model.Session.flush()
    after = entries.to_entry(entries.show(package["id"]))
    version, before = versions.last(package["id"])
    values = {
        "package_id": package["id"],
        "version": (version or 0) + 1,
        "case_id": case.id,
        "summary": _summary(before, after),
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
    kind = "属性变更" if class_of(before) != class_of(after) else "修改"
    names = "、".join(list(labels)[:5]) + ("等" if len(labels) > 5 else "")
    return f"{kind}：{names}" if names else "重新发布，内容未变"
