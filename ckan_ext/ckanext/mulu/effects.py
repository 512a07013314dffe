"""What a decision does to the catalogue, in the decision's own transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import insert

from ckanext.mulu import entries, following, identities
from ckanext.mulu.grants.effects import end_grants, grant, restore_grants, suspend_grants
from ckanext.mulu.harvest import runs
from ckanext.mulu.model import versions
from ckanext.mulu.model.tables import source
from ckanext.mulu.transaction import Touched
from mulu.case import Case, Effect, EventRecord
from mulu.entry import CLASS_FIELDS, class_of, diff, with_class
from mulu.errors import Problem, Refused
from mulu.people import ROLE_LABELS


def carry_out(effect: Effect, case: Case, record: EventRecord, touched: Touched) -> None:
    """KeyError for an effect that nobody wrote: a procedure must not promise what is not done."""
    EFFECTS[effect.name](effect.args, case, record, touched)


def publish_entry(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """The draft, or the proposal, becomes what the public sees (政务数据共享条例 第十六条)."""
    package = _there(case)
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
    package = _there(case)
    changed = with_class(package, args["fields"])
    _save({**package, **{key: changed.get(key, "") for key in (*CLASS_FIELDS, "items")}}, case, record, touched)


def discard_pending(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """A withdrawn entry that was never published goes; a withdrawn change leaves the published entry as it is."""
    package = model.Package.get(case.subject["id"])
    if package is not None and package.private and case.data.get("kind") == "new":
        package.state = "deleted"
        identities.forget(package.id)
    touched.add(case.subject["id"])


def archive_entry(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """The entry leaves the catalogue with its history; its id, name and code stay its own (政务数据共享条例第十七条).

    Whatever else is about to change it ends. Who holds a grant to its data gets none while it is away.
    """
    package = model.Package.get(case.subject["id"])
    if package is None or package.state == "deleted":
        return
    package.state = "deleted"
    if not package.private:
        entry = getattr(versions.newest(package.id), "entry", None) or entries.to_entry(entries.show(package.id))
        versions.add(package.id, case.id, f"撤销：{record.reason}"[:200], decided(entry, record), withdrawn=True)
        following.end_changes(package.id, f"条目已经撤销：{record.reason}", touched)
    touched.add(package.id)


def restore_entry(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """It comes back as itself: what was published is published again, a draft is a draft."""
    package = model.Package.get(case.subject["id"])
    package.state = "active"
    package.metadata_modified = datetime.utcnow()
    if not package.private:
        versions.add(package.id, case.id, "恢复", decided(versions.newest(package.id).entry, record))
    touched.add(package.id)


def set_review_date(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """When what is not open is looked at again (华容第二十八条)."""
    _save({**_there(case), "open_review_on": args["date"]}, case, record, touched)


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
    "archive_entry": archive_entry, "restore_entry": restore_entry, "publish_entry": publish_entry, "change_class": change_class, "discard_pending": discard_pending,
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
    _, before = versions.last(package["id"])
    versions.add(package["id"], case.id, summary(before, after), decided(after, record))
    identities.register(package["id"], after)
    touched.add(package["id"])


def decided(entry: dict[str, Any], record: EventRecord) -> dict[str, Any]:
    """A version's entry: what it says, and in which role by which article that was decided."""
    return {**entry, "decided_by": {"role": record.role, "label": ROLE_LABELS.get(record.role, ""), "article": record.article}}


def _there(case: Case) -> dict[str, Any]:
    """The case's entry, in the catalogue or about to be: one that was withdrawn meanwhile is changed by nobody."""
    package = entries.show(case.subject["id"])
    if package["state"] != "active":
        message = f"《{case.subject['title']}》已经撤销，不能再发布或者变更"
        raise Refused([Problem("", "entry_withdrawn", message, None, entries.profile().cite("update_catalogue"))])
    return package


def summary(before: dict[str, Any] | None, after: dict[str, Any]) -> str:
    """What changed, in one line for the public: names of fields, never of people."""
    if before is None:
        return "首次发布"
    labels = dict.fromkeys(change.label for change in diff(before, after))
    kind = "属性变更" if class_of(before) != class_of(after) else "修改"
    names = "、".join(list(labels)[:5]) + ("等" if len(labels) > 5 else "")
    return f"{kind}：{names}" if names else "重新发布，内容未变"
