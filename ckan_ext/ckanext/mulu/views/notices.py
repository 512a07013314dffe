"""通知: what a person was told, read and unread, each with its case and its letter."""

from __future__ import annotations

import math

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response as BaseResponse

from ckanext.mulu import offers
from ckanext.mulu.views.common import call, require_login

mulu_notices = Blueprint("mulu_notices", __name__, url_prefix="/mulu/notices")
mulu_notices.before_request(require_login)

PAGE = 25


@mulu_notices.get("")
def index() -> str:
    unread = tk.request.args.get("unread") == "1"
    text = tk.request.args.get("page", "1")
    number = max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    found = call("mulu_notice_list", {"unread": unread, "limit": PAGE, "offset": (number - 1) * PAGE})
    failed = call("mulu_mail_failed") if offers.person().has("operator") else {"count": 0, "results": []}
    return tk.render(
        "notices/list.html",
        {
            "rows": found["results"],
            "count": found["count"],
            "unread": found["unread"],
            "only_unread": unread,
            "number": number,
            "pages": math.ceil(found["count"] / PAGE),
            "failed": failed["results"],
            "failed_count": failed["count"],
        },
    )


@mulu_notices.post("")
def read() -> BaseResponse:
    """Mark all as read."""
    call("mulu_notice_read", {"all": True})
    return tk.redirect_to("mulu_notices.index")


@mulu_notices.get("/<int:id>")
def show(id: int) -> BaseResponse:
    """On to the case that a notice is about; with that it was read."""
    found = call("mulu_notice_list", {"id": id})["results"]
    if not found:
        return tk.abort(404, tk._("没有这条通知。"))
    call("mulu_notice_read", {"ids": [id]})
    return tk.redirect_to("mulu_case.show", id=found[0]["case_id"])


@mulu_notices.post("/retry")
def retry() -> BaseResponse:
    """Mails that were given up are sent once more; the operator's."""
    again = call("mulu_mail_retry")["again"]
    tk.h.flash_success(tk._("{n} 件邮件将在一分钟内重新发送。").format(n=again))
    return tk.redirect_to("mulu_notices.index")
