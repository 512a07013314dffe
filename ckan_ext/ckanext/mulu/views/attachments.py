"""Files handed in with a case: for those who may see the case, as a download and never in the page."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan.common import current_user
from flask import Blueprint, Response, send_file

from ckanext.mulu import attachments, cases, roles
from ckanext.mulu.logic import access
from ckanext.mulu.views.common import require_login

mulu_attachment = Blueprint("mulu_attachment", __name__, url_prefix="/mulu")
mulu_attachment.before_request(require_login)


@mulu_attachment.get("/case/<id>/attachment/<attachment_id>")
def download(id: str, attachment_id: str) -> Response:
    try:
        case = cases.get(id)
        access.require_seen(roles.person_of(current_user), case)
    except tk.ObjectNotFound:
        return tk.abort(404, tk._("没有这个附件，或者您无权查看。"))
    row = attachments.of(case, attachment_id)
    if row is None or not attachments.path_of(row.id).is_file():
        return tk.abort(404, tk._("没有这个附件，或者您无权查看。"))
    response = send_file(attachments.path_of(row.id), mimetype=row.type, as_attachment=True, download_name=row.name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response
