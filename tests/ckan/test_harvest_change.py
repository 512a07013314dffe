"""What a source states otherwise, has no longer, has again: in the bulk way, under the rules of the cases. Persons are made up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from ckan import model
from sqlalchemy import func, select
from test_harvest_load import DRAFT, NO_DRIFT, PUBLISH, SUBMIT, one, task, wire
from town import ENTRY, REVIEWS

from ckanext.mulu import cases, drift, entries
from ckanext.mulu.harvest.load import Task, apply, current
from ckanext.mulu.model import history, versions
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import identity

NUMBER = iter(range(10**6))
CLOSED = {"open_type": "conditional", "open_condition": "限研究使用"}


def sid() -> str:
    """A source's id that no other test has."""
    return f"c-{next(NUMBER)}"


def case_of(package_id: str, procedure: str = "catalogue_review") -> Any:
    """The newest case of this procedure about an entry."""
    table = case_table.c
    query = select(table.id).where(table.subject_id == package_id, table.procedure == procedure).order_by(table.opened_at.desc()).limit(1)
    found = model.Session.execute(query).scalar()
    return cases.get(found) if found else None


def events(package_id: str, procedure: str = "catalogue_review") -> list[str]:
    return [event["event"] for event in history.events(case_of(package_id, procedure).id)]


def rules(done: Any) -> set[str]:
    return {problem.rule for problem in done.problems}


def show(package_id: str) -> dict[str, Any]:
    return entries.show(package_id)


@pytest.fixture(autouse=True)
def whole(town):
    """After each test the index says what the database says and every chain of events holds."""
    yield
    model.Session.rollback()
    assert drift.compare() == NO_DRIFT
    assert not list(history.broken())


# ── arriving ──


def test_a_sound_entry_is_submitted_and_one_with_errors_stays_a_draft(town):
    done = apply([task(sid(), title="送审的"), task(sid(), title="缺摘要的", notes="")], SUBMIT)
    assert [one.result for one in done] == ["created", "created"]
    assert [cases.get(one.case_ids[0]).state for one in done] == ["head_review", "draft"]
    town.event("head", done[0].case_ids[0], "head_agree", **REVIEWS)
    assert town.event("authority", done[0].case_ids[0], "publish")["state"] == "published"
    assert town.seen(done[0].package_id)["title"] == "送审的"


def test_an_entry_that_was_published_at_its_source_is_adopted_as_it_is(town):
    resources = [{"name": "接口", "url": "https://example.com/a", "format": "json"}]
    adopted, draft = apply([task(sid(), title="采认的", resources=resources), task(sid(), title="采认不了的", items=[])], PUBLISH)
    assert (adopted.result, draft.result) == ("published", "created")
    seen = town.seen(adopted.package_id)
    assert seen["title"] == "采认的" and seen["resources"][0]["url"] == "https://example.com/a"
    assert "采认的" in town.found() and "采认不了的" not in town.found()
    [version] = versions.of_entries([adopted.package_id])[adopted.package_id]
    assert version.entry["decided_by"]["role"] == "system" and version.entry["decided_by"]["article"] == entries.profile().cite("publish")
    event = history.events(adopted.case_ids[0])[-1]
    assert event["event"] == "adopt" and event["data"]["from_source"] == PUBLISH.title


def test_adopted_is_as_published(town):
    """But for times, ids and who decided, an adopted entry is one that went all the way."""
    long_way = town.published("两条路都到公众", **REVIEWS)
    adopted = one(PUBLISH, sid(), title="两条路都到公众", **REVIEWS)
    ours, theirs = town.seen(adopted.package_id), town.seen(long_way["id"])
    differs = {key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}
    assert differs == {"id", "name", "resource_code", "metadata_created", "metadata_modified", "creator_user_id", "source"}
    mine, other = (versions.last(key)[1] for key in (adopted.package_id, long_way["id"]))
    assert {key for key in mine.keys() | other.keys() if mine.get(key) != other.get(key)} == {"name", "resource_code", "source", "decided_by"}


def test_codes_are_given_in_order_and_own_codes_are_heeded(town):
    prefix = {"classification": ["3", "55", "001"]}
    rows = [
        task(sid(), title="甲", **prefix), task(sid(), title="乙", resource_code="355001/00007", **prefix), task(sid(), title="丙", **prefix),
        task(sid(), title="丁", resource_code="355001/00007", **prefix), task(sid(), title="戊", resource_code="355001/99999999999", **prefix),
    ]  # fmt: skip
    done = apply(rows, DRAFT)
    codes = [show(one.package_id)["resource_code"] for one in done[:3]]
    assert codes == ["355001/00001", "355001/00007", "355001/00008"]
    assert [rules(one) for one in done[3:]] == [{"code_taken"}, {"wrong_code"}]
    assert town.draft("下一个", classification=["3", "55", "001"])["resource_code"] == "355001/00009"


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ({"title": ""}, "required"),
        ({"title": "无此部门", "provider": "meiyou"}, "no_such_department"),
        ({"title": "空字符\0"}, "not_text"),
        ({"title": "大小不是数", "resources": [{"url": "https://e.com", "size": "12 MB"}]}, "not_valid"),
        ({"title": "数据库放不下的" + "".join(chr(0x4E00 + n * 7 % 20000) for n in range(2500))}, "not_storable"),
    ],
)
def test_a_bad_one_keeps_nobody_else_out(town, entry, rule):
    key = sid()
    done = apply([task(sid(), title=f"前一条{key}"), Task(key, "create", wire(**entry)), task(sid(), title=f"后一条{key}")], DRAFT)
    assert [one.result for one in done] == ["created", "refused", "created"]
    assert rules(done[1]) == {rule} and all(problem.message for problem in done[1].problems)


# ── twice ──


def test_applied_twice_is_once(town):
    tasks = [task(sid(), title="只来一次"), task(sid(), title="采一次", resources=[{"url": "https://e.com/x.csv", "format": "csv"}])]
    first = apply(tasks, PUBLISH)
    count = model.Session.query(model.Package).count()
    again = apply(tasks, PUBLISH)
    assert [one.result for one in again] == ["unchanged", "unchanged"]
    assert [one.package_id for one in again] == [one.package_id for one in first]
    assert model.Session.query(model.Package).count() == count
    assert len(versions.of_entries([first[0].package_id])[first[0].package_id]) == 1
    assert rules(apply([task("同", title="甲"), task("同", title="乙")], DRAFT)[1]) == {"doubled"}


def test_two_at_once_bring_an_entry_once(town):
    tasks, start = [task(sid(), title=f"抢着来{n}") for n in range(5)], Barrier(3)

    def go(_: int) -> list[str]:
        start.wait()
        try:
            return [one.result for one in apply(tasks, DRAFT)]
        finally:
            model.Session.remove()

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(go, range(3)))
    assert sorted(one[0] for one in results) == ["created", "unchanged", "unchanged"]
    found = model.Session.execute(select(func.count()).where(identity.c.source_id.in_([one.key for one in tasks]))).scalar()
    assert found == 5


# ── changing ──


def test_a_draft_is_changed_in_place(town):
    key = sid()
    made = one(DRAFT, key, title="会变的", resources=[{"name": "甲", "url": "https://e.com/a"}, {"name": "乙", "url": "https://e.com/b"}])
    before = show(made.package_id)
    done = one(DRAFT, key, "update", made.package_id, title="变了的", theme="生态", notes="新摘要。", resources=[{"name": "乙二", "url": "https://e.com/b"}, {"name": "丙", "url": "https://e.com/c"}])
    after = show(made.package_id)
    assert (done.result, done.case_ids) == ("updated", made.case_ids)
    assert (after["title"], after["notes"], after["theme"], after["name"]) == ("变了的", "新摘要。", "生态", before["name"])
    assert [row["name"] for row in after["resources"]] == ["乙二", "丙"] and after["resources"][0]["id"] == before["resources"][1]["id"]
    assert [row["position"] for row in after["resources"]] == [0, 1]
    assert "变了的" in town.found("editor", include_private=True)
    assert events(made.package_id) == ["open", "edit"]
    again = one(DRAFT, key, "update", made.package_id, title="变了的", theme="生态", notes="新摘要。", resources=[{"name": "乙二", "url": "https://e.com/b"}, {"name": "丙", "url": "https://e.com/c"}])
    assert again.result == "unchanged"


def test_a_draft_changed_in_bulk_is_as_one_changed_through_the_api(town):
    """package_update of one, apply of the other: the same rows."""
    shape = {"title": "两种改法", "notes": "改过。", "related_codes": ["30700101/00001"], "items": [{"name": "新项", "data_type": "C", "sensitive": True}], "license_id": "cc-by"}
    by_hand = town.draft("两种改法前", theme="会没有的")
    town.do("editor", "package_update", **{**ENTRY, **shape}, id=by_hand["id"], owner_org="minzheng", source={"id": "手", "name": "county"})
    key = sid()
    made = one(DRAFT, key, title="两种改法前", theme="会没有的")
    one(DRAFT, key, "update", made.package_id, **shape)
    ours, theirs = (model.Package.get(one) for one in (made.package_id, by_hand["id"]))
    columns = {"title", "notes", "license_id", "type", "owner_org", "private", "state"}
    assert {name: getattr(ours, name) for name in columns} == {name: getattr(theirs, name) for name in columns}
    drop = {"resource_code", "source"}
    assert {k: v for k, v in ours.extras.items() if k not in drop} == {k: v for k, v in theirs.extras.items() if k not in drop}


def test_a_draft_under_review_goes_back_with_the_reason(town):
    for walked, who in (([], "head"), ([("head", "head_agree", REVIEWS)], "authority")):
        key = sid()
        made = one(SUBMIT, key, title=f"在审{who}")
        for person, event, data in walked:
            town.event(person, made.case_ids[0], event, **data)
        done = one(DRAFT, key, "update", made.package_id, title=f"在审{who}", notes="来源改了。")
        assert done.result == "updated" and cases.get(made.case_ids[0]).state == "returned"
        told = history.events(made.case_ids[0])[-1]
        assert told["event"] == "renew" and SUBMIT.title in told["reason"]
        assert show(made.package_id)["notes"] == "来源改了。"
    assert events(made.package_id) == ["open", "submit", "head_agree", "renew"]  # what the head decided is still told
    again = one(SUBMIT, key, "update", made.package_id, title=f"在审{who}", notes="又改了。")
    assert cases.get(again.case_ids[0]).state == "head_review"


def test_what_somebody_here_works_on_is_neither_submitted_nor_adopted_for_them(town):
    for policy in (SUBMIT, PUBLISH):
        key = sid()
        made = one(DRAFT, key, title=f"有人在改{policy.arrives}")
        town.do("editor", "package_patch", id=made.package_id, notes="编目人员的修改。")
        done = one(policy, key, "update", made.package_id, title=f"有人在改{policy.arrives}", notes="编目人员的修改。", theme="来源新加")
        assert done.result == "updated" and case_of(made.package_id).state == "draft"


def test_a_change_of_what_is_published_waits_in_its_case(town):
    key = sid()
    made = one(PUBLISH, key, title="已发布的")
    public = town.seen(made.package_id)
    done = one(DRAFT, key, "update", made.package_id, title="已发布的", notes="来源的新摘要。")
    assert done.result == "proposed" and town.seen(made.package_id) == public
    case = case_of(made.package_id)
    assert (case.state, case.data["kind"], case.data["proposed"]["notes"], case.filed_by) == ("draft", "change", "来源的新摘要。", "system")
    assert current([made.package_id])[made.package_id]["notes"] == "来源的新摘要。"
    assert [row["field"] for row in town.do("authority", "mulu_case_show", id=case.id)["diff"]] == ["notes"]
    assert one(DRAFT, key, "update", made.package_id, title="已发布的", notes="来源的新摘要。").result == "unchanged"
    # back to what is published: nothing is left to decide
    back = one(DRAFT, key, "update", made.package_id, title="已发布的")
    assert back.case_ids == done.case_ids and case_of(made.package_id).state == "withdrawn" and town.seen(made.package_id) == public


def test_what_the_authority_has_before_it_goes_back_when_the_source_changes_again(town):
    key = sid()
    made = one(PUBLISH, key, title="再改一次")
    case = one(SUBMIT, key, "update", made.package_id, title="再改一次", notes="第一改。").case_ids[0]
    town.event("head", case, "head_agree", **REVIEWS)
    done = one(DRAFT, key, "update", made.package_id, title="再改一次", notes="第二改。")
    assert done.case_ids == (case,) and cases.get(case).state == "returned" and cases.get(case).data["proposed"]["notes"] == "第二改。"


def test_a_change_is_adopted_where_the_source_is_and_its_class_waits_for_the_authority(town):
    key = sid()
    made = one(PUBLISH, key, title="采认变更")
    assert one(PUBLISH, key, "update", made.package_id, title="采认变更", notes="采认的新摘要。").result == "published"
    assert town.seen(made.package_id)["notes"] == "采认的新摘要。" and versions.last(made.package_id)[0] == 2
    done = one(PUBLISH, key, "update", made.package_id, title="采认变更", notes="再新。", **CLOSED)
    assert done.result == "proposed" and len(done.case_ids) == 2
    seen = town.seen(made.package_id)
    assert (seen["notes"], seen["open_type"]) == ("再新。", "unconditional")
    change = case_of(made.package_id, "classification_change")
    assert (change.state, change.filed_by) == ("filed", "system") and PUBLISH.title in history.events(change.id)[0]["reason"]
    assert one(PUBLISH, key, "update", made.package_id, title="采认变更", notes="再新。", **CLOSED).result == "unchanged"
    # the source changes its mind before the authority has one: the old question is withdrawn, a new one asked
    other = one(PUBLISH, key, "update", made.package_id, title="采认变更", notes="再新。", **{**CLOSED, "open_condition": "限高校"})
    assert cases.get(change.id).state == "withdrawn" and other.case_ids != (change.id,)
    town.event("authority", other.case_ids[0], "agree", reason="同意")
    assert town.seen(made.package_id)["open_condition"] == "限高校"


def test_a_class_change_of_the_department_is_not_touched(town):
    key = sid()
    made = one(PUBLISH, key, title="部门先提的")
    subject = {"type": "entry", "id": made.package_id}
    data = {"before": {"open_type": "unconditional"}, "after": CLOSED, "reason": "部门要求", "basis": "某规定第一条"}
    mine = town.do("editor", "mulu_case_open", procedure="classification_change", subject=subject, data=data)
    done = one(PUBLISH, key, "update", made.package_id, title="部门先提的", notes="连摘要也改。", open_type="none", open_ground="security", open_basis="某法第一条", open_review_on="2027-01-01")
    assert (done.result, rules(done)) == ("refused", {"class_change_open"})
    assert cases.get(mine["id"]).state == "filed" and town.seen(made.package_id)["notes"] == ENTRY["notes"]


def test_an_entry_of_another_department_is_another_entry(town):
    key = sid()
    made = one(PUBLISH, key, title="换了部门")
    done = one(PUBLISH, key, "update", made.package_id, title="换了部门", provider="jiaoyu")
    assert done.result == "published" and done.package_id != made.package_id and len(done.case_ids) == 2
    assert show(done.package_id)["organization"]["name"] == "jiaoyu" and show(done.package_id)["resource_code"] != show(made.package_id)["resource_code"]
    assert show(made.package_id)["state"] == "deleted" and town.found(q="换了部门") == ["换了部门"]
    assert one(PUBLISH, key, "create", title="换了部门", provider="jiaoyu").result == "unchanged"


# ── leaving and coming back ──


def test_a_draft_that_its_source_no_longer_has_is_archived_and_comes_back_as_itself(town):
    for policy, state in ((DRAFT, "draft"), (SUBMIT, "head_review")):
        key = sid()
        made = one(policy, key, title=f"去而复返{state}")
        before = show(made.package_id)
        assert case_of(made.package_id).state == state
        gone = one(policy, key, "archive", made.package_id)
        assert (gone.result, gone.case_ids) == ("archived", made.case_ids)
        assert case_of(made.package_id).state == "archived" and before["title"] not in town.found("editor", include_private=True)
        assert one(policy, key, "archive", made.package_id).result == "archived"
        back = one(policy, key, "restore", made.package_id, title=f"去而复返{state}", notes="回来时变了。")
        after = show(made.package_id)
        assert (back.result, back.package_id, back.case_ids) == ("restored", made.package_id, made.case_ids)
        assert (after["name"], after["resource_code"], after["notes"], after["state"]) == (before["name"], before["resource_code"], "回来时变了。", "active")
        assert case_of(made.package_id).state == state
        assert before["title"] in town.found("editor", include_private=True)


def test_what_comes_back_unchanged_is_handed_on_again(town):
    key = sid()
    made = one(SUBMIT, key, title="原样回来")
    one(SUBMIT, key, "archive", made.package_id)
    assert one(SUBMIT, key, "restore", made.package_id, title="原样回来").result == "restored"
    assert events(made.package_id) == ["open", "submit", "archive", "restore", "submit"]


def test_a_published_entry_leaves_and_comes_back_with_its_history(town):
    key = sid()
    made = one(PUBLISH, key, title="撤销再恢复")
    one(DRAFT, key, "update", made.package_id, title="撤销再恢复", notes="未决的修改。", **CLOSED)
    before = town.seen(made.package_id)
    gone = one(PUBLISH, key, "archive", made.package_id)
    withdrawal = case_of(made.package_id, "withdrawal")
    assert gone.case_ids == (withdrawal.id,) and withdrawal.state == "taken_out"
    assert [case_of(made.package_id, name).state for name in ("catalogue_review", "classification_change")] == ["archived", "archived"]
    assert versions.last(made.package_id) == (None, None) and versions.last_of([made.package_id]) == {}
    assert current([made.package_id])[made.package_id]["title"] == "撤销再恢复"
    back = one(PUBLISH, key, "restore", made.package_id, title="撤销再恢复")
    assert back.result == "restored" and case_of(made.package_id, "withdrawal").state == "restored"
    after = town.seen(made.package_id)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} <= {"metadata_modified"}
    told = [(row.version, row.withdrawn, row.summary.partition("：")[0]) for row in versions.of_entries([made.package_id])[made.package_id]]
    assert told == [(1, False, "首次发布"), (2, True, "撤销"), (3, False, "恢复")]
    one(PUBLISH, key, "archive", made.package_id)  # and again, by a case of its own
    assert case_of(made.package_id, "withdrawal").id != withdrawal.id and town.found(q="撤销再恢复") == []
    changed = one(PUBLISH, key, "restore", made.package_id, title="撤销再恢复", notes="回来时变了。")
    assert changed.result == "restored" and town.seen(made.package_id)["notes"] == "回来时变了。"


def test_what_people_took_out_stays_out(town):
    key = sid()
    made = one(DRAFT, key, title="部门撤回的草稿")
    town.event("editor", made.case_ids[0], "withdraw")
    done = one(DRAFT, key, "update", made.package_id, title="部门撤回的草稿", notes="来源又改。")
    assert (done.result, rules(done)) == ("refused", {"entry_withdrawn"})

    key = sid()
    made = one(PUBLISH, key, title="经批准撤销的")
    case = town.do("editor", "mulu_case_open", procedure="withdrawal", subject={"type": "entry", "id": made.package_id}, data={"cause": "ceased", "reason": "不再产生"})["id"]
    assert town.rules("editor", "mulu_case_event", id=case, event="take_out", data={"reason": "x", "from_source": "x"}) == {"wrong_role"}
    town.event("head", case, "head_agree")
    assert town.found(q="经批准撤销的") == ["经批准撤销的"]
    town.event("authority", case, "agree", reason="同意")
    assert town.found(q="经批准撤销的") == [] and versions.newest(made.package_id).summary == "撤销：同意"
    for kind in ("update", "restore", "create"):
        done = one(PUBLISH, key, kind, made.package_id, title="经批准撤销的", notes="来源还有。")
        assert (done.result, rules(done)) == ("refused", {"entry_withdrawn"})
    assert one(PUBLISH, key, "archive", made.package_id).result == "archived"


def test_an_import_does_not_bring_back_what_was_withdrawn(town):
    key = sid()
    made = one(PUBLISH, key, title="导入不能恢复")
    one(PUBLISH, key, "archive", made.package_id)
    row = {"entry": {**ENTRY, "title": "导入不能恢复", "source": {"name": "county", "id": key}}, "where": "第1行"}
    told = town.do("editor", "mulu_entry_import", entries=[row], organization="minzheng")
    assert {problem["rule"] for problem in told["refused"][0]["problems"]} == {"entry_archived"}
    row["entry"].pop("source")  # by its title it is a new one
    assert town.do("editor", "mulu_entry_import", entries=[row], organization="minzheng")["counts"]["created"] == 1


def test_current_is_what_waits_for_all_at_once(town):
    rows = [task(sid(), title=f"现在{n}", resources=[{"url": f"https://e.com/{n}"}]) for n in range(20)]
    done = apply(rows, PUBLISH)
    apply([Task(one.key, "update", wire(title=one.entry["title"], notes="改。", **CLOSED) | {"source": one.entry["source"]}, there.package_id) for one, there in zip(rows[:5], done, strict=False)], DRAFT)
    found = current([one.package_id for one in done] + ["没有这个"])
    assert len(found) == 20
    for package_id in (there.package_id for there in done):
        assert found[package_id] == (cases.expected(package_id) or entries.to_entry(show(package_id)))


def test_a_class_that_was_agreed_to_is_not_taken_back_by_the_review_that_waits(town):
    """The review was proposed with the class of its day; the source's next change goes on from the class as it is published."""
    key = sid()
    made = one(PUBLISH, key, title="属性先定下的")
    one(DRAFT, key, "update", made.package_id, title="属性先定下的", notes="第一改。", **CLOSED)
    assert current([made.package_id])[made.package_id]["open_type"] == "conditional"
    change = case_of(made.package_id, "classification_change")
    town.event("authority", change.id, "agree", reason="同意")
    model.Session.rollback()
    now = current([made.package_id])[made.package_id]
    assert (now["notes"], now["open_type"], now["open_condition"]) == ("第一改。", "conditional", "限研究使用")
    assert cases.expected(made.package_id) == now
    [done] = apply([Task(key, "update", {**now, "notes": "第二改。"}, made.package_id)], DRAFT)
    assert done.result == "proposed" and case_of(made.package_id, "classification_change").id == change.id
    assert case_of(made.package_id).data["proposed"]["open_type"] == "conditional"
    model.Session.rollback()
