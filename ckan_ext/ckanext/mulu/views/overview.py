"""Where one sees the whole: 总览 of all open cases, 供需 of what is needed."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.mulu import entries, helpers, offers
from ckanext.mulu.views import case_view
from ckanext.mulu.views.common import call, require_login

mulu_overview = Blueprint("mulu_overview", __name__, url_prefix="/mulu")
mulu_overview.before_request(require_login)


@mulu_overview.get("/overview")
def index() -> str:
    if not any(offers.person().has(role) for role in helpers.OVERSEERS):
        return tk.abort(403, tk._("总览供主管部门和审计人员使用；本部门的事项请看“事项”。"))
    found = call("mulu_case_overview")
    departments = [{**one, "offers": offers.on_department(one["name"])} for one in found["departments"]]
    late = [{**row, "turn_titles": case_view.turns(row["turn"])} for row in found["late"]]
    rectify = next(iter(offers.on_department("")), None)
    return tk.render("mulu/overview.html", {**found, "departments": departments, "late": late, "may_rectify": bool(rectify)})


@mulu_overview.get("/demands")
def demands() -> str:
    rows = call("mulu_demand_list")["results"]
    wishes = case_view.options("demand", "wish")
    offer = next((one for one in offers.at_large() if one["procedure"] == "demand"), None)
    rows = [{**row, "wish": wishes.get(row["wish"], ""), "department_title": case_view.departments().get(row["department"], "")} for row in rows]
    return tk.render("mulu/demands.html", {"rows": rows, "offer": offer, "article": entries.profile().cite("demand")})
