"""文书: a letter of a case as a page and as PDF, for those who may see the case."""

from __future__ import annotations

from urllib.parse import quote

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response

from ckanext.mulu import cases, offers
from ckanext.mulu.logic import access
from ckanext.mulu.notices import letters
from ckanext.mulu.views.common import require_login

mulu_letters = Blueprint("mulu_letters", __name__, url_prefix="/mulu/case")
mulu_letters.before_request(require_login)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"


@mulu_letters.get("/<id>/letter/<int:seq>/<template>.html")
def page(id: str, seq: int, template: str) -> Response:
    response = Response(_letter(id, seq, template).html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@mulu_letters.get("/<id>/letter/<int:seq>/<template>.pdf")
def pdf(id: str, seq: int, template: str) -> Response:
    letter = _letter(id, seq, template)
    response = Response(letter.pdf(), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f"inline; filename=letter-{seq}.pdf; filename*=UTF-8''{quote(letter.title)}.pdf"
    return response


def _letter(case_id: str, seq: int, template: str) -> letters.Letter:
    try:
        access.require_seen(offers.person(), cases.get(case_id))
        return letters.of_event(case_id, seq, template)
    except tk.ObjectNotFound as error:
        return tk.abort(404, str(error))
