"""Files that come with a request: what is taken, by content; who may have them; that none stays of what was refused."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta

import ckan.model as model
import openpyxl
import pytest
from asking import REQUESTS, Visitor, configured, rules
from PIL import Image
from sqlalchemy import select, update
from weasyprint import HTML
from werkzeug.datastructures import FileStorage

from ckanext.mulu import attachments
from ckanext.mulu.filetypes import TYPES, NotAccepted, safe_name, type_of
from ckanext.mulu.model.tables import attachment

CONTENT_TYPES = '<Types><Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
DOCUMENT = {"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": "<w:document/>"}
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def packed(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook() -> bytes:
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


def picture(form: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(out, form)
    return out.getvalue()


def encrypted_zip() -> bytes:
    content = bytearray(packed(DOCUMENT))
    for start in (b"PK\x03\x04", b"PK\x01\x02"):
        at, flag = content.find(start), 6 if start == b"PK\x03\x04" else 8
        content[at + flag] |= 1
    return bytes(content)


def lying_zip() -> bytes:
    """A member that unpacks to other than its checksum says."""
    content = bytearray(packed(DOCUMENT))
    at = content.find(b"PK\x01\x02")
    content[at + 16] ^= 0xFF
    return bytes(content)


GOOD = {
    "a.pdf": (HTML(string="<p>依据</p>").write_pdf(), "application/pdf"),
    "a.jpg": (picture("JPEG"), "image/jpeg"),
    "a.png": (picture("PNG"), "image/png"),
    "a.docx": (packed(DOCUMENT), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "a.xlsx": (workbook(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "a.txt": ("说明：依据第一条。".encode(), "text/plain"),
    "b.txt": ("说明：依据第一条，龘。\r\n".encode("gb18030"), "text/plain"),
    "c.txt": ("\ufeff有字节顺序标记".encode(), "text/plain"),
    "one.txt": (b"x", "text/plain"),
    "bom.csv": ("\ufeff名称,面积\n甲,1\n".encode(), "text/plain"),
    "a.csv": ("名称,面积\n甲,1\n乙,2\n".encode("gb18030"), "text/csv"),
}
BAD = {
    "program.pdf": (b"MZ\x90\0\x03\0\0\0" + bytes(200), "file_type"),
    "page.txt": (b"<html><script>alert(1)</script></html>", "file_type"),
    "picture.png": (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "file_type"),
    "script.txt": (b"#!/bin/sh\nrm -rf /\n", "file_type"),
    "batch.txt": (b"@echo off\r\ndel x\r\n", "file_type"),
    "noise.csv": (bytes(range(256)) * 4, "file_type"),
    "control.txt": ("一段文字\x1b[2J".encode(), "file_type"),
    "old.xlsx": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "file_type"),
    "archive.docx": (packed({"a.txt": "x"}), "file_type"),
    "virus.txt": (EICAR.encode(), "file_active"),
    "macro.docx": (packed({**DOCUMENT, "word/vbaProject.bin": b"x"}), "file_active"),
    "macro2.docx": (packed({**DOCUMENT, "[Content_Types].xml": "application/vnd.ms-word.document.macroEnabled.main+xml"}), "file_active"),
    "object.docx": (packed({**DOCUMENT, "word/embeddings/oleObject1.bin": b"x"}), "file_active"),
    "script.pdf": (b"%PDF-1.4\n1 0 obj\n<< /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>\nendobj\n", "file_active"),
    "bomb.docx": (packed({**DOCUMENT, "word/media/0": bytes(70 * 2**20)}), "file_bomb"),
    "many.docx": (packed({**DOCUMENT, **{f"word/{n}": "" for n in range(2100)}}), "file_bomb"),
    "cut.docx": (packed(DOCUMENT)[:-40], "file_broken"),
    "locked.docx": (encrypted_zip(), "file_broken"),
    "lying.docx": (lying_zip(), "file_broken"),
    "empty.txt": (b"", "file_empty"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_taken(name):
    content, kind = GOOD[name]
    stream = io.BytesIO(content)
    assert type_of(stream) == kind
    assert stream.tell() == 0


@pytest.mark.parametrize("name", [name for name in BAD if name != "empty.txt"])
def test_what_is_not_taken_whatever_its_name(name):
    content, rule = BAD[name]
    with pytest.raises(NotAccepted) as refused:
        type_of(io.BytesIO(content))
    assert refused.value.rule == rule and refused.value.message


@pytest.mark.parametrize(("name", "kind", "safe"), [
    ("说明.txt", "text/plain", "说明.txt"),
    ("表.csv", "text/plain", "表.csv"),
    ("照片.JPEG", "image/jpeg", "照片.JPEG"),
    ("run.bat", "text/plain", "run.bat.txt"),
    ("../../etc/passwd", "text/plain", "passwd.txt"),
    ("C:\\tmp\\表.csv", "text/csv", "表.csv"),
    ("a\u202etxt.exe", "text/plain", "atxt.exe.txt"),
    ("a\r\nSet-Cookie: x.txt", "text/plain", "aSet-Cookie x.txt"),
    ("", "application/pdf", "附件.pdf"),
    ("...", "application/pdf", "附件.pdf"),
    (None, "image/png", "附件.png"),
    ("长" * 300 + ".pdf", "application/pdf", "长" * 96 + ".pdf"),
])  # fmt: skip
def test_names_are_made_safe(name, kind, safe):
    assert safe_name(name, kind) == safe
    assert safe.lower().endswith(TYPES[kind])


@pytest.fixture
def visitor(town, monkeypatch):
    configured(monkeypatch)
    return Visitor(town.app)


def files_on_disk() -> set[str]:
    folder = attachments.path_of("x").parent
    return {one.name for one in folder.iterdir()} if folder.is_dir() else set()


def rows() -> int:
    model.Session.rollback()
    return len(model.Session.execute(select(attachment.c.id)).all())


def test_who_sees_the_case_has_its_files_and_nobody_else(visitor, town):
    content, kind = GOOD["a.pdf"]
    visitor.receipt("complaint", files=[("依据'\".pdf", content), ("说明.txt", "甲".encode())])
    case = town.do("authority", "mulu_case_list", procedure="complaint")["results"][0]["id"]
    first, second = town.do("authority", "mulu_case_show", id=case)["case"]["data"]["attachments"]
    url = f"/mulu/case/{case}/attachment/{first['id']}"
    got = town.request("authority", url)
    assert (got.status_code, got.get_data(), got.headers["Content-Type"]) == (200, content, kind)
    assert got.headers["Content-Disposition"].startswith("attachment;") and got.headers["X-Content-Type-Options"] == "nosniff"
    for who in ("citizen", "member", "editor", "other_editor"):
        assert town.request(who, url).status_code == 404, who
    assert town.request("anonymous", url).get_data() != content
    visitor.receipt("complaint")
    other = town.do("authority", "mulu_case_list", procedure="complaint")["results"][0]["id"]
    assert other != case
    for wrong in (f"/mulu/case/{other}/attachment/{first['id']}", f"/mulu/case/{case}/attachment/..%2f..%2fckan.ini", f"/mulu/case/x/attachment/{second['id']}"):
        assert town.request("authority", wrong).status_code == 404


@pytest.mark.parametrize("name", BAD)
def test_of_a_refused_request_no_file_stays(visitor, name):
    before, counted = files_on_disk(), rows()
    refused = visitor.ask("complaint", files=[("good.txt", b"good"), (name, BAD[name][0])])
    assert refused.status_code == (422 if name == "empty.txt" else 415)
    assert rules(refused) == {BAD[name][1]}
    assert name in refused.json["problems"][0]["message"] and refused.json["problems"][0]["field"] == "attachments[1]"
    assert (files_on_disk(), rows()) == (before, counted)


def test_when_the_rules_refuse_no_file_stays(visitor):
    before, counted = files_on_disk(), rows()
    assert visitor.ask("complaint", data={}, files=[("good.txt", b"good")]).status_code == 422
    assert (files_on_disk(), rows()) == (before, counted)


def test_when_the_database_fails_no_file_stays(visitor, monkeypatch):
    from ckanext.mulu.public_requests import receipts

    def broken(*_):
        raise RuntimeError("the database went away")

    before, counted = files_on_disk(), rows()
    monkeypatch.setattr(receipts, "keep", broken)
    with pytest.raises(RuntimeError):
        visitor.ask("complaint", files=[("good.txt", b"good")])
    assert (files_on_disk(), rows()) == (before, counted)


def test_too_many_files(visitor):
    refused = visitor.ask("complaint", files=[(f"{n}.txt", b"x") for n in range(6)])
    assert (refused.status_code, rules(refused)) == (422, {"too_many_files"})


def upload(name: str = "说明.txt", content: bytes = b"x") -> FileStorage:
    return FileStorage(io.BytesIO(content), name)


def test_a_file_that_was_kept_before_its_case_is_the_cases(town):
    entry = town.published("附件先到的条目")
    citizen, stranger = town.users["citizen"]["id"], town.users["other_editor"]["id"]
    mine, foreign = attachments.keep("", [upload()], citizen), attachments.keep("", [upload("别人的.txt")], stranger)
    data = {**REQUESTS["rereview"], "attachments": mine + foreign}
    case = town.do("citizen", "mulu_case_open", procedure="rereview", subject={"type": "entry", "id": entry["id"]}, data=data)["id"]
    for who in ("authority", "citizen"):
        assert town.request(who, f"/mulu/case/{case}/attachment/{mine[0]['id']}").status_code == 200
        assert town.request(who, f"/mulu/case/{case}/attachment/{foreign[0]['id']}").status_code == 404
    assert town.request("other_head", f"/mulu/case/{case}/attachment/{mine[0]['id']}").status_code == 404


def test_what_belongs_to_no_case_is_swept_after_a_day(town):
    entry = town.published("清扫的条目")
    citizen = town.users["citizen"]["id"]
    claimed, loose, orphan, fresh = (attachments.keep(case, [upload()], citizen)[0] for case in ("", "", "no-such-case", ""))
    data = {**REQUESTS["rereview"], "attachments": [claimed]}
    case = town.do("citizen", "mulu_case_open", procedure="rereview", subject={"type": "entry", "id": entry["id"]}, data=data)["id"]
    old = [one["id"] for one in (claimed, loose, orphan)]
    model.Session.execute(update(attachment).where(attachment.c.id.in_(old)).values(created_at=datetime.now(UTC) - timedelta(days=2)))
    model.Session.commit()
    assert attachments.sweep() == 2
    assert {claimed["id"], fresh["id"]} <= files_on_disk() and not {loose["id"], orphan["id"]} & files_on_disk()
    assert town.request("authority", f"/mulu/case/{case}/attachment/{claimed['id']}").status_code == 200
    assert attachments.sweep() == 0


def test_a_file_is_lost_from_the_disk(town, visitor):
    visitor.receipt("complaint", files=[("说明.txt", b"x")])
    case = town.do("authority", "mulu_case_list", procedure="complaint")["results"][0]["id"]
    [one] = town.do("authority", "mulu_case_show", id=case)["case"]["data"]["attachments"]
    attachments.path_of(one["id"]).unlink()
    assert town.request("authority", f"/mulu/case/{case}/attachment/{one['id']}").status_code == 404
