"""An entry from its first moment to the public, and a change of it: what is published is never touched before the decision."""

from __future__ import annotations

import io

import pytest
from ckan import model
from sqlalchemy import func, select, text
from town import ENTRY, REVIEWS

from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import entry_version, outbox

CONDITIONAL = {
    "share_type": "conditional",
    "share_condition": "限民政业务使用",
    "share_basis": "《社会救助暂行办法》第二十一条",
    "open_type": "conditional",
    "open_condition": "限研究使用",
}
WHY = {"class_change_reason": "含有企业商业信息", "class_change_basis": "《政务数据共享条例》第十四条"}


def upload(content: bytes) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), "数据.csv"


def download(town, who, package, resource) -> tuple[int, bytes]:
    answer = town.request(who, f"/dataset/{package}/resource/{resource}/download/data.csv")
    return answer.status_code, answer.get_data()


def test_a_new_entry_is_a_draft_under_review_whatever_the_editor_says(town):
    made = town.draft("婚姻登记信息一", private=False, state="active", name="my-own-name")
    assert (made["private"], made["mulu_status"]) == (True, "draft")
    assert made["resource_code"].startswith("30700101/")
    assert made["name"] == "r-" + made["resource_code"].replace("/", "-")
    case = town.do("editor", "mulu_case_show", id=made["mulu_case"])
    assert (case["state"], case["my_turn"], case["problems"]) == ("draft", True, [])
    assert [event["event"] for event in case["events"]] == ["open"]


def test_an_entry_is_published_by_three_people_and_then_seen_by_all(town):
    made = town.draft("婚姻登记信息二")
    town.event("editor", made["mulu_case"], "submit")
    assert "婚姻登记信息二" not in town.found()
    town.event("head", made["mulu_case"], "head_agree", **REVIEWS)
    assert town.do("editor", "package_show", id=made["id"])["mulu_status"] == "under_review"
    case = town.event("authority", made["mulu_case"], "publish")
    assert case["state"] == "published"
    seen = town.seen(made["id"])
    assert (seen["private"], seen["secrecy_review"]["conclusion"], "mulu_status" in seen) == (False, "不涉密", False)
    assert len(seen["published_on"]) == 10
    assert "婚姻登记信息二" in town.found()
    history = town.do("citizen", "mulu_entry_history", id=made["id"])
    assert [(one["version"], one["summary"]) for one in history] == [(1, "首次发布")]


def test_whoever_waits_for_the_case_is_told_in_the_same_transaction(town):
    made = town.published("收养登记信息")
    case = model.Session.execute(
        select(entry_version.c.case_id).where(entry_version.c.package_id == made["id"])
    ).scalar_one()
    sent = model.Session.execute(
        select(outbox.c.template, outbox.c.to).where(outbox.c.case_id == case).order_by(outbox.c.id)
    )
    assert [tuple(row) for row in sent] == [
        ("turn", ["head@minzheng"]), ("turn", ["authority", "authority_head"]), ("decision", ["editor@minzheng", "head@minzheng"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("who", "event", "data", "rule"),
    [
        ("other_editor", "submit", {}, None),
        ("citizen", "submit", {}, None),
        ("head", "head_agree", REVIEWS, "wrong_state"),
        ("authority", "publish", {}, "wrong_state"),
        ("head", "submit", {}, "wrong_role"),
        ("sysadmin", "submit", {}, "wrong_role"),
        ("auditor", "submit", {}, "wrong_role"),
        ("editor", "no-such-event", {}, "no_such_event"),
        ("editor", "edit", {"cause": "law"}, "required"),
        ("editor", "edit", {"cause": "no-such-cause"}, "not_in_list"),
    ],
)
def test_a_refusal_names_its_rule_and_changes_nothing(town, draft, who, event, data, rule):
    before = town.do("editor", "mulu_case_show", id=draft["mulu_case"])
    error = town.refused(who, "mulu_case_event", id=draft["mulu_case"], event=event, data=data)
    if rule:
        assert rule in {problem["rule"] for problem in error["problems"]}
        assert all(problem["message"] for problem in error["problems"])
    assert town.do("editor", "mulu_case_show", id=draft["mulu_case"])["events"] == before["events"]


@pytest.fixture(scope="module")
def draft(town):
    return town.draft("用于拒绝的草稿")


def test_neither_head_nor_authority_agrees_before_both_reviews(town):
    case = town.draft("殡葬服务机构")["mulu_case"]
    town.event("editor", case, "submit")
    assert "required" in town.rules("head", "mulu_case_event", id=case, event="head_agree", data={})


def test_an_entry_with_problems_is_a_draft_but_is_not_submitted(town):
    made = town.do("editor", "package_create", title="只有题名", owner_org="minzheng")
    case = town.do("editor", "mulu_case_show", id=made["mulu_case"])
    assert {"notes", "items", "share_type"} <= {problem["field"] for problem in case["problems"]}
    error = town.refused("editor", "mulu_case_event", id=made["mulu_case"], event="submit")
    assert all(problem["message"] and problem["rule"] for problem in error["problems"])
    town.do("editor", "package_patch", id=made["id"], **ENTRY)
    assert town.event("editor", made["mulu_case"], "submit")["state"] == "head_review"


def test_a_head_who_filed_does_not_agree(town):
    case = town.draft("负责人自己编的条目", who="head")["mulu_case"]
    town.event("editor", case, "submit")
    assert town.rules("head", "mulu_case_event", id=case, event="head_agree", data=REVIEWS) == {"own_case"}


def test_two_tabs(town):
    made = town.draft("两个标签页")
    seen = town.do("editor", "mulu_case_show", id=made["mulu_case"])["version"]
    town.event("editor", made["mulu_case"], "submit")
    data = {"id": made["mulu_case"], "event": "withdraw", "version": seen}
    assert town.rules("editor", "mulu_case_event", **data) == {"stale_version"}


def test_an_edit_of_a_published_entry_waits_beside_it(town):
    public = town.published("低保对象信息")
    answer = town.do("editor", "package_patch", id=public["id"], title="最低生活保障对象信息", notes="新的摘要。")
    assert (answer["title"], answer["mulu_status"]) == ("低保对象信息", "published_pending")
    assert town.seen(public["id"]) == public
    case = town.do("authority", "mulu_case_show", id=answer["mulu_case"])
    assert {change["field"] for change in case["diff"]} == {"title", "notes"}
    town.do("editor", "package_patch", id=public["id"], contact="0730-1234567")
    later = town.publish(public)
    assert (later["title"], later["notes"], later["contact"]) == ("最低生活保障对象信息", "新的摘要。", "0730-1234567")
    assert "最低生活保障对象信息" in town.found() and "低保对象信息" not in town.found()
    history = town.do("citizen", "mulu_entry_history", id=public["id"])
    assert [one["version"] for one in history] == [2, 1]
    assert "信息资源名称" in history[0]["summary"]


def test_a_withdrawn_change_leaves_what_is_published(town):
    public = town.published("社会组织信息")
    case = town.do("editor", "package_patch", id=public["id"], title="改名")["mulu_case"]
    town.event("editor", case, "withdraw")
    assert town.do("editor", "package_show", id=public["id"])["mulu_status"] == "published"
    assert town.seen(public["id"]) == public


def test_a_withdrawn_draft_goes_and_its_code_stays_given(town):
    made = town.draft("撤回的草稿")
    town.event("editor", made["mulu_case"], "withdraw")
    gone = town.do("editor", "package_show", id=made["id"])
    assert (gone["state"], gone["mulu_status"]) == ("deleted", "withdrawn")
    assert "撤回的草稿" not in town.found("editor", include_private=True)
    again = town.draft("另一份草稿")
    assert again["resource_code"] > made["resource_code"]
    error = town.refused(
        "editor",
        "package_create",
        **{**ENTRY, "title": "抢用代码", "owner_org": "minzheng", "resource_code": made["resource_code"]},
    )
    assert [problem["rule"] for problem in error["problems"]] == ["code_taken"]


def test_returned_with_reasons_and_submitted_again(town):
    made = town.draft("退回的条目")
    town.event("editor", made["mulu_case"], "submit")
    assert "required" in town.rules("head", "mulu_case_event", id=made["mulu_case"], event="return_to_editor", data={})
    town.event("head", made["mulu_case"], "return_to_editor", reason="摘要太短；信息项缺少说明")
    town.do("editor", "package_patch", id=made["id"], notes="改过的摘要，说明来源和范围。")
    assert town.publish(made)["notes"].startswith("改过")


def test_the_class_of_a_published_entry_changes_only_by_its_own_procedure(town):
    public = town.published("养老机构信息")
    town.do("editor", "package_patch", id=public["id"], title="养老服务机构信息", **CONDITIONAL, **WHY)
    shown = town.do("editor", "package_show", id=public["id"])
    review = town.do("editor", "mulu_case_show", id=shown["mulu_case"])
    change = town.do("editor", "mulu_case_show", id=shown["mulu_class_case"])
    assert {one["field"] for one in review["diff"]} == {"title"}
    assert {one["field"] for one in change["diff"]} == set(CONDITIONAL)
    assert town.seen(public["id"]) == public
    after = town.publish(public)
    assert (after["title"], after["share_type"]) == ("养老服务机构信息", "unconditional")
    town.event("authority", change["id"], "agree", reason="属实")
    after = town.seen(public["id"])
    assert {key: after[key] for key in CONDITIONAL} == CONDITIONAL
    assert after["title"] == "养老服务机构信息"
    assert town.do("citizen", "mulu_entry_history", id=public["id"])[0]["summary"].startswith("属性变更")


def test_a_review_that_was_overtaken_by_a_change_of_class_goes_back_and_then_on(town):
    public = town.published("公益性公墓信息")
    town.do("editor", "package_patch", id=public["id"], title="公益性公墓名录")
    case = town.do("editor", "package_show", id=public["id"])["mulu_case"]
    town.do("editor", "package_patch", id=public["id"], **CONDITIONAL, **WHY)
    change = town.do("editor", "package_show", id=public["id"])["mulu_class_case"]
    town.event("authority", change, "agree", reason="属实")
    assert town.rules("editor", "mulu_case_event", id=case, event="submit") == {"class_change_needs_case"}
    town.do("editor", "package_patch", id=public["id"], title="公益性公墓名录")
    after = town.publish(public)
    assert (after["title"], after["share_type"]) == ("公益性公墓名录", "conditional")


def test_a_change_of_class_without_reason_is_refused_whole(town):
    public = town.published("福利彩票销售点")
    error = town.refused(
        "editor", "package_patch", id=public["id"], title="新题名", **{**CONDITIONAL, "share_basis": ""}
    )
    assert {"reason", "basis"} & {problem["field"] for problem in error["problems"]}
    assert "mulu_case" not in town.do("editor", "package_show", id=public["id"])


def test_a_new_file_for_a_published_entry_waits_with_its_proposal(town):
    made = town.draft("带文件的条目")
    file = town.do("editor", "resource_create", package_id=made["id"], name="文件", format="CSV", upload=upload(b"old"))
    public = town.publish(made)
    assert download(town, "anonymous", made["id"], file["id"]) == (200, b"old")

    new = town.do("editor", "resource_update", id=file["id"], name="文件", format="CSV", upload=upload(b"new"))
    assert new["id"] != file["id"]
    assert town.seen(made["id"]) == public
    assert download(town, "anonymous", made["id"], file["id"]) == (200, b"old")
    for who in ("anonymous", "citizen", "member", "other_head"):
        assert download(town, who, made["id"], new["id"])[0] in (302, 403, 404), who
    for who in ("editor", "head", "authority"):
        assert download(town, who, made["id"], new["id"]) == (200, b"new"), who

    town.publish(made)
    assert download(town, "anonymous", made["id"], new["id"]) == (200, b"new")
    assert [one["id"] for one in town.seen(made["id"])["resources"]] == [new["id"]]


def test_a_resource_is_taken_out_by_a_proposal(town):
    public = town.published(
        "两个文件", resources=[{"name": name, "url": f"https://example.com/{name}"} for name in "ab"]
    )
    first, second = public["resources"]
    town.do("editor", "resource_delete", id=first["id"])
    assert town.seen(public["id"]) == public
    assert [one["id"] for one in town.publish(public)["resources"]] == [second["id"]]


def test_a_commit_that_fails_leaves_nothing_anywhere(town):
    """The database itself refuses, at the very end of the transaction."""
    model.Session.execute(
        text(
            "create or replace function refuse() returns trigger language plpgsql as $$ begin raise exception 'full'; end $$"
        )
    )
    model.Session.execute(text(
        "create constraint trigger refuse after insert on mulu_case deferrable initially deferred for each row "
        "when (new.title = '写不进去的条目') execute function refuse()"
    ))  # fmt: skip
    model.Session.commit()
    try:
        answer = town.request(
            "editor", "/api/3/action/package_create", {**ENTRY, "title": "写不进去的条目", "owner_org": "minzheng"}
        )
        assert answer.status_code == 500
    finally:
        model.Session.rollback()
        model.Session.execute(text("drop trigger refuse on mulu_case"))
        model.Session.commit()
    assert "写不进去的条目" not in town.found("editor", include_private=True)
    assert model.Session.query(model.Package).filter_by(title="写不进去的条目").count() == 0
    assert (
        model.Session.execute(
            select(func.count()).select_from(case_table).where(case_table.c.title == "写不进去的条目")
        ).scalar()
        == 0
    )
