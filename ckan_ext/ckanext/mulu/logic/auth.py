"""Who may call what. Which entry or case somebody may see or decide is a rule, asked of mulu; here is who may knock at all."""

from __future__ import annotations

from typing import Any

import ckan.authz as authz
import ckan.model as model
import ckan.plugins.toolkit as tk

from ckanext.mulu import cases, roles
from ckanext.mulu.harvest import sources
from ckanext.mulu.logic import content
from mulu.visibility import can_see

Context = dict[str, Any]
Answer = dict[str, Any]
YES: Answer = {"success": True}


def _no(message: str) -> Answer:
    return {"success": False, "msg": message}


def _logged_in(context: Context, data: Any) -> Answer:
    return YES if context.get("user") else _no(tk._("请先登录。"))


@tk.auth_allow_anonymous_access
def _anybody(context: Context, data: Any) -> Answer:
    return YES


@tk.auth_sysadmins_check
@tk.auth_allow_anonymous_access
def _nobody(context: Context, data: Any) -> Answer:
    """A sysadmin neither: who runs the machine decides nothing of the catalogue."""
    return _no(tk._("目录条目的状态只能通过审核等程序改变。"))


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def resource_show(next_: Any, context: Context, data: dict[str, Any]) -> Answer:
    """CKAN's; one that is only proposed is there for those who review, and for nobody else."""
    proposed_for = None if model.Resource.get(data.get("id") or "") else cases.proposing(data.get("id") or "")
    if proposed_for is None:
        return next_(context, data)
    organisation = model.Group.get(model.Package.get(proposed_for).owner_org)
    if not can_see(roles.person(context), "unpublished", organisation.name):
        raise tk.ObjectNotFound(tk._("没有这个资源。"))
    return YES


def change_resource(context: Context, data: dict[str, Any]) -> Answer:
    """Part of a change of the entry, which is reviewed; CKAN would ask for the right to delete the whole entry.

    The resource may be one that is only proposed.
    """
    resource = model.Resource.get(data.get("id") or "")
    package_id = resource.package_id if resource else cases.proposing(data.get("id") or "")
    if package_id is None:
        raise tk.ObjectNotFound(tk._("没有这个资源。"))
    asker = {key: context[key] for key in ("user", "auth_user_obj") if key in context}
    return authz.is_authorized("package_update", asker, {"id": package_id})


@tk.auth_sysadmins_check
def package_delete(context: Context, data: dict[str, Any]) -> Answer:
    """Editors withdraw a draft in its case; what was published leaves the catalogue by a procedure, never by a button."""
    return _no(tk._("条目不能直接删除：草稿请在审核事项里撤回，已发布的条目须按程序撤销。"))


def organization_update(context: Context, data: dict[str, Any]) -> Answer:
    """Which function (机构职能) an organisation has decides who reviews: only the operator of the portal sets it."""
    user = context.get("auth_user_obj") or model.User.get(context.get("user") or "")
    if "mulu_function" in (data or {}) and not (user and user.sysadmin):
        organisation = model.Group.get(data.get("id") or data.get("name") or "")
        if organisation and organisation.extras.get("mulu_function", "provider") != (data["mulu_function"] or "provider"):
            return _no(tk._("机构职能只能由平台管理员设置。"))
    return YES


def mulu_entry_import(context: Context, data: dict[str, Any]) -> Answer:
    """Whoever may enter for some department; for which, is asked entry by entry."""
    asker = roles.person(context)
    if context.get("ignore_auth") or any(role.name in ("editor", "operator") for role in asker.roles):
        return YES
    return _no(tk._("只有部门编目人员可以导入目录。"))


def _harvest_seen(context: Context, data: dict[str, Any]) -> Answer:
    """Those who oversee, and departments; whose source it is, is asked source by source."""
    return YES if sources.concerns(roles.person(context)) else _no(tk._("汇聚由主管部门和平台管理员管理。"))


def _harvest_managed(context: Context, data: dict[str, Any]) -> Answer:
    return YES if sources.manages(roles.person(context)) else _no(tk._("汇聚由主管部门和平台管理员管理。"))


HARVEST = dict.fromkeys(
    ("mulu_harvest_source_list", "mulu_harvest_source_show", "mulu_harvest_run_list", "mulu_harvest_run_show", "mulu_harvest_step_list",
     "mulu_harvest_problem_list"),
    _harvest_seen,
) | dict.fromkeys(
    ("mulu_harvest_source_create", "mulu_harvest_source_update", "mulu_harvest_source_delete", "mulu_harvest_run_create",
     "mulu_harvest_run_stop", "mulu_harvest_preview"),
    _harvest_managed,
)  # fmt: skip


@tk.chained_auth_function
@tk.auth_sysadmins_check
@tk.auth_allow_anonymous_access
def _reader(next_: Any, context: Context, data: dict[str, Any]) -> Answer:
    """A table is had by whoever may have its file."""
    if content.may_read(roles.person(context), str(data.get("resource_id") or data.get("id") or "")):
        return YES
    return _no(tk._("这一数据不是无条件开放的，须经申请取得授权后通过本平台使用。"))


@tk.chained_auth_function
@tk.auth_sysadmins_check
@tk.auth_allow_anonymous_access
def _portal_only(next_: Any, context: Context, data: dict[str, Any]) -> Answer:
    """Tables are made of published files by the portal's own work, and changed by nobody."""
    return _no(tk._("数据表由本平台按已发布的文件生成，不能直接读写。"))


DATASTORE = dict.fromkeys(("datastore_search", "datastore_info"), _reader) | dict.fromkeys(
    (
        "datastore_search_sql", "datastore_create", "datastore_upsert", "datastore_delete", "datastore_records_delete",
        "datastore_change_permissions", "datastore_function_create", "datastore_function_delete", "datastore_run_triggers",
    ),
    _portal_only,
)  # fmt: skip
"""CKAN's DataStore: closed to a sysadmin as well."""

OURS = {
    "mulu_case_open": _logged_in,
    "mulu_case_event": _logged_in,
    "mulu_case_show": _logged_in,
    "mulu_case_list": _logged_in,
    "mulu_inbox": _logged_in,
    "mulu_entry_check": _logged_in,
    "mulu_grant_key": _logged_in,
    "mulu_grant_list": _logged_in,
    "mulu_grant_show": _logged_in,
    "mulu_usage_list": _logged_in,
    "mulu_notice_list": _logged_in,
    "mulu_notice_read": _logged_in,
    "mulu_mail_failed": _logged_in,
    "mulu_mail_retry": _logged_in,
    "mulu_entry_import": mulu_entry_import,
    "mulu_procedure_list": _anybody,
    "mulu_procedure_show": _anybody,
    "mulu_profile_list": _anybody,
    "mulu_profile_show": _anybody,
    "mulu_receipt_show": _anybody,
}
CLOSED = (
    "bulk_update_public", "bulk_update_private", "bulk_update_delete", "package_owner_org_update",
    "package_collaborator_create", "package_collaborator_list", "dataset_purge", "package_relationship_create", "package_relationship_update",
)  # fmt: skip
"""Ways around the review that CKAN offers to an organisation's editors, or to a sysadmin."""

NO_GROUPS = ("group_create", "group_update", "group_delete", "group_purge")
"""The portal has no groups, and by CKAN's actions for groups an organisation could be changed, its function with it."""

FUNCTIONS = OURS | HARVEST | dict.fromkeys(CLOSED + NO_GROUPS, _nobody) | {"package_delete": package_delete, "resource_show": resource_show, "resource_update": change_resource, "resource_delete": change_resource}


@tk.chained_auth_function
def organization_update_chained(next_: Any, context: Context, data: dict[str, Any]) -> Answer:
    answer = organization_update(context, data)
    return next_(context, data) if answer["success"] else answer


FUNCTIONS["organization_update"] = organization_update_chained
