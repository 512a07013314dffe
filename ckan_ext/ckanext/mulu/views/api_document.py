"""The API's description for machines: ``/mulu/openapi.json``."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from ckanext.mulu.openapi.document import document

mulu_api_document = Blueprint("mulu_api_document", __name__, url_prefix="/mulu")


@mulu_api_document.get("/openapi.json")
def show() -> Response:
    return jsonify(document())
