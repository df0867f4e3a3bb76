"""What is wrong with a form that brings a file: each answer names the field and the remedy."""

import pytest

DOCUMENTS = "/api/v1/models/credit-default/versions/1/documents"
ASSESSMENTS = "/api/v1/models/credit-default/versions/1/assessments"
FILE = ("qa.md", b"# QA\n", "text/markdown")
FIELDS = {"kind": "qa", "title": "QA"}


def part(name: str, content: bytes, file_name: str | None = None) -> bytes:
    named = f'name="{name}"' + (f'; filename="{file_name}"' if file_name else "")
    return f"--X\r\nContent-Disposition: form-data; {named}\r\n\r\n".encode() + content + b"\r\n"


WHOLE = part("kind", b"qa") + part("title", b"QA") + part("file", b"# QA", "qa.md")


@pytest.mark.parametrize(
    "path, fields, files, field, remedy",
    [
        (DOCUMENTS, FIELDS, {"other": FILE}, "file", "it has 'kind', 'title', 'other'"),
        (DOCUMENTS, FIELDS, {"file": (None, b"# QA")}, "file", "came as text"),
        (DOCUMENTS, FIELDS, [("file", FILE), ("file", FILE)], "file", "one file a request"),
        (DOCUMENTS, {"title": "QA"}, {"file": FILE}, "kind", "the form needs this field"),
        (DOCUMENTS, {"kind": "qa"}, {"file": FILE}, "title", "the form needs this field"),
        (DOCUMENTS, {"title": ["A", "B"], "kind": "qa"}, {"file": FILE}, "title", "send it once"),
        (DOCUMENTS, {"title": "QA"}, {"kind": FILE, "file": FILE}, "kind", "send it as text"),
        (ASSESSMENTS, {}, {"file": ("p.csv", b"a,b\n1,2\n", "text/csv")}, "roles", "the form needs this field"),
        (ASSESSMENTS, {"roles": "{}"}, {"table": FILE}, "file", "it has 'roles', 'table'"),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named(client, people, registered, path, fields, files, field, remedy):
    answer = client.http.post(path, data=fields, files=files, headers=client.as_(people.developer))
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert remedy in error["rule"]


@pytest.mark.parametrize(
    "content_type, body, field, remedy",
    [
        ("multipart/form-data", WHOLE + b"--X--\r\n", "Content-Type", "names no boundary"),
        ("multipart/form-data; boundary=", WHOLE + b"--X--\r\n", "Content-Type", "names no boundary"),
        ("multipart/form-data; boundary=Y", WHOLE + b"--X--\r\n", "body", "the boundary 'Y'"),
        ("multipart/form-data; boundary=X", WHOLE, "body", "the boundary 'X'"),
        ("multipart/form-data; boundary=X", b"", "file", "it has no fields"),
        ("multipart/form-data; boundary=X", part("a", b"a") * 2000 + b"--X--\r\n", "body", "at most 1000 parts"),
        ("multipart/form-data; boundary=X", part("kind", b"\xff") + b"--X--\r\n", "body", "UTF-8"),
    ],
)
def test_a_form_that_cannot_be_read_says_why(client, people, registered, content_type, body, field, remedy):
    headers = client.as_(people.developer) | {"Content-Type": content_type}
    answer = client.http.post(DOCUMENTS, content=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:acta:problem:invalid-input")
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert remedy in error["rule"]
    if field != "body" or "boundary" in remedy:
        assert "curl -F" in error["rule"]


def test_a_whole_form_is_taken(client, people, registered):
    headers = client.as_(people.developer) | {"Content-Type": "multipart/form-data; boundary=X"}
    assert client.http.post(DOCUMENTS, content=WHOLE + b"--X--\r\n", headers=headers).status_code == 201
