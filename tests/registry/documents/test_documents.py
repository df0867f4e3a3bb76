import hashlib
from uuid import uuid4

import pytest
from sqlalchemy import text

from audit.reads import EntryFilter, entries_before
from registry.access.actor import Actor, ActorKind, Grant, Role, Scope, ScopeKind
from registry.access.service import add_actor
from registry.documents import service
from registry.documents.service import NewDocument
from registry.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError

PATH = "/api/v1/models/credit-default/versions/1/documents"
CONTENT = b"# Quality assurance\n\nAll tests pass.\n"


def document(kind="qa", **changes):
    head = changes.pop("head", CONTENT)
    values = {
        "kind": kind,
        "title": "Quality assurance",
        "file_name": "qa.md",
        "media_type": "text/markdown",
        "digest": hashlib.sha256(head).digest(),
        "size_bytes": len(head),
        "head": head,
    }
    return NewDocument(**values | changes)


def upload(units, actor, **changes):
    with units.writing() as unit:
        return service.upload(unit, actor, "credit-default", 1, document(**changes)).id


def sign_off(units, actor, document_id):
    with units.writing() as unit:
        return service.sign_off(unit, actor, document_id, "Read and understood.")


def actions(units, subject):
    with units.reading() as unit:
        found = entries_before(unit.session.connection(), EntryFilter(subject_id=str(subject)), None, 100)
    return [entry.action for entry in reversed(found)]


def post(client, actor, *, content=CONTENT, name="qa.md", media_type="text/markdown", headers=None, **fields):
    return client.http.post(
        PATH,
        data={"kind": "qa", "title": "Quality assurance"} | fields,
        files={"file": (name, content, media_type)},
        headers=client.as_(actor) | (headers or {}),
    )


def test_a_new_upload_supersedes_the_older_one_of_its_kind_and_no_other(units, people, registered):
    first = upload(units, people.developer)
    other = upload(units, people.developer, kind="model-selection")
    second = upload(units, people.developer)
    with units.reading() as unit:
        rows = {row.id: row.superseded_by for row in service.documents_of(unit, registered.version.id)}
    assert rows == {first: second, other: None, second: None}


def test_a_signed_off_document_is_in_the_log_with_its_digest(units, people, registered):
    made = upload(units, people.developer)
    row = sign_off(units, people.validator, made)
    assert row.signed_off_by == people.validator.id
    assert actions(units, made) == ["document.uploaded", "document.signed-off"]
    with units.reading() as unit:
        [entry] = entries_before(unit.session.connection(), EntryFilter(action="document.signed-off"), None, 10)
    assert entry.changes["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert b"Read and understood" not in entry.leaf


def test_nobody_signs_off_their_own_document(units, people, registered):
    both = Actor(people.validator.id, ActorKind.PERSON, None, (*people.validator.grants, *people.developer.grants))
    made = upload(units, both)
    with pytest.raises(RefusedError, match="their own"):
        sign_off(units, both, made)


def test_nobody_signs_off_what_a_machine_of_theirs_uploaded(units, people, registered):
    with units.writing() as unit:
        machine_id = add_actor(
            unit,
            people.administrator,
            kind=ActorKind.MACHINE,
            name="pipeline",
            email=None,
            responsible_id=people.validator.id,
        ).id
    grants = (Grant(Role.DEVELOPER, Scope(ScopeKind.ALL), people.administrator.id),)
    machine = Actor(machine_id, ActorKind.MACHINE, people.validator.id, grants)
    made = upload(units, machine)
    with pytest.raises(RefusedError, match="a machine of theirs"):
        sign_off(units, people.validator, made)


def test_the_database_refuses_an_own_sign_off_too(units, people, registered):
    made = upload(units, people.developer)
    with pytest.raises(Exception, match="ck_document_four_eyes"), units.writing() as unit:
        row = service.find_document(unit, people.developer, made)
        row.signed_off_by, row.signed_off_at = row.uploaded_by, unit.now
        unit.session.flush()


def test_only_the_roles_that_the_policy_names_sign_off(units, people, registered):
    made = upload(units, people.developer)
    for actor in (people.other_developer, people.auditor, people.administrator):
        with pytest.raises(RefusedError, match="role"):
            sign_off(units, actor, made)


def test_a_superseded_or_signed_off_document_is_not_signed_off(units, people, registered):
    first = upload(units, people.developer)
    second = upload(units, people.developer)
    with pytest.raises(ConflictError, match="superseded"):
        sign_off(units, people.validator, first)
    sign_off(units, people.validator, second)
    with pytest.raises(ConflictError, match="already"):
        sign_off(units, people.validator, second)


def test_bad_fields_are_named_and_nothing_is_kept(units, people, registered):
    for changes, field in (
        ({"kind": "no-such-kind"}, "kind"),
        ({"title": "\u202etitle"}, "title"),
        ({"file_name": "../qa.md"}, "file name"),
        ({"media_type": "text/html"}, "file"),
        ({"head": b""}, "file"),
    ):
        with pytest.raises(InvalidInputError) as refusal:
            upload(units, people.developer, **changes)
        assert refusal.value.field == field
    with units.reading() as unit:
        assert service.documents_of(unit, registered.version.id) == []


def test_whoever_may_not_see_a_version_finds_none_of_its_documents(units, people, registered):
    made = upload(units, people.developer)
    with units.reading() as unit, pytest.raises(NotFoundError):
        service.find_document(unit, people.stranger, made)


def test_an_uploaded_document_comes_back_byte_for_byte_and_is_only_ever_saved(client, people, registered):
    made = post(client, people.developer, name="Qualité – été.md")
    assert made.status_code == 201
    assert made.json()["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    answer = client.http.get(f"/api/v1/documents/{made.json()['id']}/content", headers=client.as_(people.auditor))
    assert answer.content == CONTENT
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "filename*=UTF-8''Qualit%C3%A9%20%E2%80%93%20%C3%A9t%C3%A9.md" in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_sign_off_over_http_needs_somebody_else(client, people, registered):
    path = f"/api/v1/documents/{post(client, people.developer).json()['id']}/sign-off"
    assert client.http.post(path, json={}, headers=client.as_(people.developer)).status_code == 403
    signed = client.http.post(path, json={"comment": "Good."}, headers=client.as_(people.validator))
    assert signed.status_code == 200
    assert signed.json()["signed_off_by"] == str(people.validator.id)
    listed = client.http.get(PATH, headers=client.as_(people.auditor)).json()
    assert [row["sign_off_comment"] for row in listed] == ["Good."]


class Counted:
    """A body of known size, and how much of it was asked for."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.sent = 0

    def __iter__(self):
        head = (
            b'--X\r\nContent-Disposition: form-data; name="kind"\r\n\r\nqa\r\n'
            b'--X\r\nContent-Disposition: form-data; name="title"\r\n\r\nQA\r\n'
            b'--X\r\nContent-Disposition: form-data; name="file"; filename="qa.md"\r\n'
            b"Content-Type: text/markdown\r\n\r\n"
        )
        yield head
        while self.sent < self.size:
            self.sent += 2**16
            yield b"x" * 2**16
        yield b"\r\n--X--\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=X"}


def test_a_document_announced_as_too_large_is_refused_before_it_is_read(client, settings, people, registered):
    headers = client.as_(people.developer) | FORM
    # Python refuses to read numbers of thousands of digits.
    for length in (str(settings.document_limit_bytes * 2), "9" * 5000):
        answer = client.http.post(PATH, content=b"--X\r\n", headers=headers | {"Content-Length": length})
        assert answer.status_code == 413
        assert f"{settings.document_limit_bytes:,} bytes" in answer.json()["detail"]


def test_a_document_that_turns_out_too_large_is_refused_and_not_kept(client, settings, people, registered):
    body = Counted(settings.document_limit_bytes + 2**20)
    answer = client.http.post(PATH, content=iter(body), headers=client.as_(people.developer) | FORM)
    assert answer.status_code == 413
    assert client.http.get(PATH, headers=client.as_(people.developer)).json() == []


def test_a_file_just_over_the_limit_is_refused_though_its_form_is_not(client, settings, people, registered):
    answer = post(client, people.developer, content=b"x" * (settings.document_limit_bytes + 1))
    assert answer.status_code == 413


BROKEN_FORMS = [
    b'--X\r\nContent-Disposition: form-data; name="kind"\r\n\r\n\xff\xfe\r\n--X--\r\n',
    b"garbage",
    b"",
    b'--X\r\nContent-Disposition: form-data; name="file"\r\n\r\nnot a file\r\n--X--\r\n',
    b'--X\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\na\r\n' * 2 + b"--X--\r\n",
    b'--X\r\nContent-Disposition: form-data; name="kind"\r\n'
    b"Content-Type: text/plain; charset=klingon\r\n\r\na\r\n--X--\r\n",
]


def test_a_broken_form_is_answered_with_400_and_no_form_with_415(client, people, registered):
    headers = client.as_(people.developer)
    for body in BROKEN_FORMS:
        answer = client.http.post(PATH, content=body, headers=headers | FORM)
        assert answer.status_code == 400, body
        assert answer.headers["content-type"].startswith("application/problem+json")
    assert client.http.post(PATH, json={"kind": "qa"}, headers=headers).status_code == 415


def test_a_hostile_name_over_http_is_refused_with_the_rule(client, people, registered):
    answer = post(client, people.developer, name="invoice\u202efdp.md")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "file name"


def test_a_repeated_upload_with_the_same_key_adds_one_document(client, people, registered):
    headers = {"Idempotency-Key": str(uuid4())}
    first = post(client, people.developer, headers=headers)
    again = post(client, people.developer, headers=headers)
    other = post(client, people.developer, headers=headers, content=b"other content")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.json() == first.json()
    assert len(client.http.get(PATH, headers=client.as_(people.developer)).json()) == 1


def test_a_document_for_an_unknown_version_is_not_found(client, people, registered):
    path = "/api/v1/models/nothing/versions/1/documents"
    files = {"file": ("qa.md", CONTENT, "text/markdown")}
    headers = client.as_(people.developer)
    answer = client.http.post(path, data={"kind": "qa", "title": "QA"}, files=files, headers=headers)
    assert answer.status_code == 404
    assert "nothing" in answer.json()["detail"]


def test_strangers_and_readers_add_nothing(client, people, registered):
    assert post(client, people.auditor).status_code == 403
    assert post(client, people.stranger).status_code == 403
    assert client.http.post(PATH, data={"kind": "qa"}).status_code == 401


def test_bytes_changed_in_the_storage_are_not_handed_out(client, settings, people, registered):
    made = post(client, people.developer).json()
    digest = made["sha256"]
    file = settings.home / "storage" / digest[:2] / digest[2:4] / digest
    file.write_bytes(b"forged")
    answer = client.http.get(f"/api/v1/documents/{made['id']}/content", headers=client.as_(people.auditor))
    assert answer.status_code == 503
    assert digest in answer.json()["detail"]


def test_two_uploads_at_once_leave_one_document_in_force(units, people, registered):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: upload(units, people.developer), range(8)))
    with units.reading() as unit:
        rows = service.documents_of(unit, registered.version.id)
        count = unit.session.execute(text("SELECT count(*) FROM acta_document WHERE superseded_by IS NULL")).scalar()
    assert len(rows) == 8
    assert count == 1
