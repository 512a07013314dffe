"""A known entry that its source states otherwise now: a draft is changed in place, a published entry through its cases.

Where a review is under way, the new content goes into it and it goes back to its editor with the reason told (``renew``): what the
head or the authority had before them is no longer what the source says, and nobody agrees to what they have not read. What people
of this portal are working on is neither submitted nor adopted for them.

A change of class never comes with the rest: it waits for the authority in a case of its own. One that the source has changed again
before anybody decided is withdrawn and filed anew; one that waits for the higher authority, or that the department filed, is not
touched, and the entry is refused until it is decided.
"""

from __future__ import annotations

from typing import Any

from ckan import model

from ckanext.mulu import cases, entries, identities, steps, stored
from ckanext.mulu.harvest import bulk
from ckanext.mulu.harvest.tasks import Done, Policy
from ckanext.mulu.logic.action.packages import CLASS_CHANGE, REVIEW, class_difference
from ckanext.mulu.model import versions
from ckanext.mulu.transaction import Touched
from mulu.case import Case
from mulu.entry import VOLATILE_FIELDS, class_of, diff, with_class
from mulu.errors import Problem, Refused
from mulu.people import SYSTEM

Entry = dict[str, Any]
KEPT = (*VOLATILE_FIELDS, "resource_code", "name")
"""What an entry keeps where its source says nothing of it."""


def update(key: str, entry: Entry, package: Any, now: Entry, published: Entry, policy: Policy, touched: Touched) -> Done:
    """Make the entry what it shall be. now: as it is about to be; published: as it stands in CKAN.

    :raises Refused: a rule is against it; nothing was changed
    """
    entry = stored.normal(stored.with_known_resources(entry, [*now.get("resources", ()), *published.get("resources", ())]))
    entry |= {name: now[name] for name in KEPT if now.get(name) and not entry.get(name)}
    if identities.fingerprint(entry) == identities.fingerprint(now):
        return Done(key, "unchanged", package.id)
    if package.private:
        return _draft(key, entry, package, now, policy, touched)
    return _published(key, entry, package, published, policy, touched)


def _draft(key: str, entry: Entry, package: Any, before: Entry, policy: Policy, touched: Touched) -> Done:
    case = cases.open_case_of(package.id, REVIEW)
    if case is not None:
        case = _into(cases.get(case.id, lock=True), {}, policy, touched)
    entry["resource_code"] = identities.follow_class(before, entry)
    if problem := identities.taken(entry, package.id):
        raise Refused([problem])
    if entry["resource_code"] != before.get("resource_code"):
        package.name = identities.name_of(entry)
    stored.write(package, entry)
    model.Session.flush()
    identities.register(package.id, entry)
    touched.add(package.id)
    if case is None:
        return Done(key, "updated", package.id)
    case = hand_on(case, entry, policy, touched)
    return Done(key, "published" if case.state == "published" else "updated", package.id, (case.id,))


def _published(key: str, entry: Entry, package: Any, before: Entry, policy: Policy, touched: Touched) -> Done:
    after = entry | {name: before[name] for name in KEPT if before.get(name)}
    subject = {"type": "entry", "id": package.id, "org": before["provider"], "title": before["title"]}
    class_case = _propose_class(subject, before, class_difference(before, after), entry, policy, touched)
    kept = with_class(after, class_of(before))
    kept = {name: value for name, value in kept.items() if value not in (None, "", [], {})}
    case = _propose(subject, before, kept, policy, touched)
    touched.add(package.id)
    found = tuple(one.id for one in (case, class_case) if one is not None)
    if not found:
        return Done(key, "unchanged", package.id)
    adopted = case is not None and case.state == "published"
    return Done(key, "published" if adopted and class_case is None else "proposed", package.id, found)


def _propose(subject: dict[str, str], before: Entry, kept: Entry, policy: Policy, touched: Touched) -> Case | None:
    """All but the class, in the review that waits or in a new one; one in which nothing is left to decide is withdrawn."""
    case, version = cases.open_case_of(subject["id"], REVIEW), versions.last(subject["id"])[0]
    if not diff(before, kept):
        if case is not None and case.data.get("proposed"):
            case = steps.act(cases.get(case.id, lock=True), "withdraw", SYSTEM, {"reason": _reason(policy, "已改回发布的内容")}, touched)
        return case
    data = {"proposed": kept, "base_version": version}
    if case is None:
        case = steps.open_(REVIEW, subject, SYSTEM, {"kind": "change", **data}, touched)
    elif diff(case.data.get("proposed"), kept):
        case = _into(cases.get(case.id, lock=True), data, policy, touched)
    return hand_on(case, kept, policy, touched)


def _into(case: Case, data: dict[str, Any], policy: Policy, touched: Touched) -> Case:
    """The source's new content goes into a case that is locked: back to its editor, where others had it before them."""
    if case.state in ("draft", "returned"):
        return steps.act(case, "edit", SYSTEM, data, touched)
    told = {"reason": _reason(policy, "中这一条目的内容已经更新，请按新内容重新审核"), "from_source": policy.title}
    return steps.act(case, "renew", SYSTEM, {**data, **told}, touched)


def hand_on(case: Case, entry: Entry, policy: Policy, touched: Touched) -> Case:
    """Submit or adopt as the source's policy says, where no rule is against it and only the source has a part in the case."""
    if policy.arrives == "draft" or case.state not in ("draft", "returned") or set(case.authors) != {SYSTEM.id}:
        return case
    event, data = bulk.next_step(policy.arrives, policy.title)
    indexed = dict(touched.ids)
    try:
        with model.Session.begin_nested():
            return steps.act(case, event, SYSTEM, data, touched, entry=None if case.data.get("proposed") else entry)
    except Refused:
        touched.ids = indexed  # it has errors: it waits for its department, which sees them
        return case


def _propose_class(
    subject: dict[str, str], before: Entry, after: Entry, entry: Entry, policy: Policy, touched: Touched
) -> Case | None:
    case = cases.open_case_of(subject["id"], CLASS_CHANGE)
    if case is not None:
        if case.data.get("after") == after:
            return case
        if case.filed_by != SYSTEM.id or case.state != "filed":
            if not after:
                return None
            message = "这一条目已有一件属性变更在办理，办结后才能再次提起"
            raise Refused([Problem("share_type", "class_change_open", message, None, entries.profile().cite("reclassify"))])
        steps.act(cases.get(case.id, lock=True), "withdraw", SYSTEM, {"reason": _reason(policy, "中这一条目的属性又有变化")}, touched)
    if not after:
        return case
    basis = entry.get("share_basis") or entry.get("open_basis") or f"来源“{policy.title}”"
    filed = {"before": class_of(before), "after": after, "basis": basis[:1000], "reason": _reason(policy, "中的属性与已发布的不同")}
    return steps.open_(CLASS_CHANGE, subject, SYSTEM, filed, touched)


def _reason(policy: Policy, what: str) -> str:
    return f"来源“{policy.title}”{what}"
