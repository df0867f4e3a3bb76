"""The client against a real server process, and through a network that breaks."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from registry.access.actor import Role, ScopeKind
from registry.catalog.facts import (
    Autonomy,
    DatasetRole,
    EdgeKind,
    Impact,
    LegalDomain,
    LineageEdge,
    PersonalData,
    Reversibility,
    RiskProfile,
)
from registry.client import ApiError, Client, JobFailedError, UnreachableError
from registry.client.answers import ColumnRoles
from registry.client.client import unmet_items
from registry.client.registration import Stated, version_facts
from registry.errors import InvalidInputError

PROFILE = RiskProfile(
    Impact.LIMITED,
    Impact.LIMITED,
    affects_persons=True,
    personal_data=PersonalData.PERSONAL,
    decision_autonomy=Autonomy.ADVISES,
    reversibility=Reversibility.EASILY,
    legal_domain=LegalDomain.NONE,
)
PREDICTIONS = "defaulted,prediction,sex\n" + "".join(
    f"{number % 2},{number // 2 % 2},{'f' if number % 3 else 'm'}\n" for number in range(600)
)
TEST_SET = LineageEdge(EdgeKind.DATASET, "holdout.csv", DatasetRole.TEST, digest=sha256(b"holdout").hexdigest())


@pytest.fixture(scope="module")
def version(server):
    """Version 1 of a model, from a folder of two files."""
    folder = server.artifacts / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(bytes(1000))
    (folder / "config.json").write_text("{}")
    developer = server.client(Role.DEVELOPER)
    facts = version_facts(str(folder), None, Stated(datasets=(TEST_SET,), code_commit="6f2c1e9")).facts
    developer.register_model(
        "credit", team="retail", owner_id=developer.me().actor.id, purpose="Rank clients.", profile=PROFILE
    )
    return developer.register_version("credit", facts)


def test_a_version_comes_back_as_it_was_registered(server, version):
    found = server.client(Role.AUDITOR).version("credit", 1)
    assert (found.id, found.content_digest) == (version.id, version.content_digest)
    assert [edge.kind for edge in server.client(Role.AUDITOR).lineage("credit", 1)] == ["dataset", "code"]
    assert [one.number for one in server.client(Role.AUDITOR).versions("credit")] == [1]


def test_an_alias_points_where_it_was_set(server, version):
    assert "candidate" in server.client(Role.DEVELOPER).set_alias("credit", "candidate", 1).aliases


def test_what_does_not_exist_is_an_error_that_names_it(server):
    with pytest.raises(ApiError) as caught:
        server.client(Role.AUDITOR).model("nothing/../there")
    assert caught.value.status == 404
    assert server.client(Role.AUDITOR).find_model("nothing") is None


def test_a_broken_rule_names_field_and_rule(server):
    developer = server.client(Role.DEVELOPER)
    with pytest.raises(ApiError) as caught:
        developer.register_model("a/b", team="t", owner_id=developer.me().actor.id, purpose="p", profile=PROFILE)
    assert caught.value.status == 400
    assert [error.field for error in caught.value.errors] == ["name"]


def test_what_a_role_does_not_allow_is_refused(server):
    with pytest.raises(ApiError) as caught:
        server.client(Role.AUDITOR).create_actor("Somebody")
    assert caught.value.status == 403
    assert caught.value.remedy


def test_lists_are_read_to_their_last_page(server):
    administrator = server.client(Role.ADMINISTRATOR)
    names = {administrator.create_actor(f"Person {number}").name for number in range(120)}
    assert names <= {actor.name for actor in administrator.actors()}


def test_a_role_on_a_model_ends_when_it_is_revoked(server):
    administrator = server.client(Role.ADMINISTRATOR)
    person = administrator.create_actor("Passing through")
    grant = administrator.grant_role(person.id, Role.VALIDATOR, ScopeKind.MODEL, "credit")
    administrator.revoke_role(grant.id)
    assert [row.revoked_at is None for row in administrator.grants(person.id)] == [False]


def test_a_revoked_token_opens_nothing(server):
    auditor = server.client(Role.AUDITOR)
    issued = auditor.create_token("short", days=1)
    assert issued.secret is not None
    with Client(server.url, issued.secret) as other:
        assert other.me().actor.id == auditor.me().actor.id
        auditor.revoke_token(issued.token.id)
        with pytest.raises(ApiError) as caught:
            other.me()
    assert caught.value.status == 401


def test_a_document_is_downloaded_as_it_was_uploaded_and_signed_off_by_another(server, version, tmp_path):
    file = tmp_path / "qa.md"
    file.write_text("# QA\n\nIt works, except where it does not.\n")
    added = server.client(Role.DEVELOPER).upload_document("credit", 1, file, kind="qa", title="QA")
    assert added.sha256 == sha256(file.read_bytes()).hexdigest()
    assert server.client(Role.AUDITOR).document_content(added.id) == file.read_bytes()
    assert server.client(Role.VALIDATOR).sign_off(added.id, "Read.").signed_off_at is not None
    assert [document.id for document in server.client(Role.AUDITOR).documents("credit", 1)] == [added.id]


def test_an_assessment_that_was_waited_for_has_a_verdict(server, version, tmp_path):
    file = tmp_path / "predictions.csv"
    file.write_text(PREDICTIONS)
    validator = server.client(Role.VALIDATOR)
    columns = ColumnRoles("defaulted", "prediction", ["sex"], declared_digest=TEST_SET.digest)
    requested = validator.request_assessment("credit", 1, file, columns)
    heard = []
    job = validator.wait_for_job(requested.job_id, lambda done, _text: heard.append(done))
    assert (job.state, heard[-1]) == ("succeeded", 1.0)
    found = validator.assessment(requested.id)
    assert (found.state, found.rows) == ("done", 600)
    assert found.verdict in {"pass", "fail", "inconclusive"}
    assert validator.assessment_result(requested.id).startswith(b"{")


def test_a_column_that_is_missing_is_named(server, version, tmp_path):
    file = tmp_path / "predictions.csv"
    file.write_text(PREDICTIONS)
    with pytest.raises(ApiError) as caught:
        server.client(Role.VALIDATOR).request_assessment(
            "credit", 1, file, ColumnRoles("defaulted", "prediction", ["religion"])
        )
    assert caught.value.status == 422
    assert "religion" in caught.value.detail


def test_an_execution_too_early_lists_what_is_missing_and_who_can_meet_it(server, version):
    developer = server.client(Role.DEVELOPER)
    request = developer.request_promotion("credit", 1, "production", "Because.").request
    with pytest.raises(ApiError) as caught:
        developer.execute(request.id)
    assert caught.value.status == 409
    missing = {item.id: item.who for item in unmet_items(caught.value)}
    assert missing["lawful-basis"] == ["ethics reviewer"]
    assert missing["approval-validator"] == ["validator"]
    assert developer.promotion(request.id).request.state == "open"
    assert request.id in {one.id for one in developer.promotions("credit", "open")}
    assert developer.withdraw(request.id, "Too early.").request.state == "withdrawn"


def test_an_item_is_met_once_it_is_answered_or_waived(server, version):
    reviewer = server.client(Role.ETHICS_REVIEWER)
    reviewer.attest("credit", 1, "lawful-basis", "yes", "Contract.")
    until = datetime.now(UTC) + timedelta(days=10)
    server.client(Role.RISK_OFFICER).waive(
        "credit", 1, "alerts-tested", reason="New route.", compensating_measure="Watched daily.", expires_at=until
    )
    reviewer.wait_for_job(reviewer.run_checks("credit", 1).id)
    gate = reviewer.gate("credit", 1, "production")
    states = {item.id: item.state for checklist in gate.checklists for item in checklist.items}
    assert (states["lawful-basis"], states["alerts-tested"]) == ("passed", "waived")
    assert states["digest-verified"] == "passed"
    assert not gate.met


def test_an_entry_of_the_log_comes_with_its_proof(server, version):
    auditor = server.client(Role.AUDITOR)
    entry = next(auditor.entries(version.id, "version.registered"))
    proof = auditor.entry(entry.sequence)
    assert proof.entry.subject_id == str(version.id)
    assert f"\n{proof.tree_size}\n" in auditor.checkpoint() or proof.tree_size > entry.sequence


def test_a_job_that_cannot_succeed_says_why(server, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "weights.bin").write_bytes(b"x")
    developer = server.client(Role.DEVELOPER)
    developer.register_model(
        "outside", team="retail", owner_id=developer.me().actor.id, purpose="None.", profile=PROFILE
    )
    developer.register_version("outside", version_facts(str(outside), None, Stated()).facts)
    job = next(job for job in developer.jobs() if job.kind == "verify-digest")
    with pytest.raises(JobFailedError, match=r"ACTA_ARTIFACT_ROOTS"):
        developer.wait_for_job(job.id)


@pytest.mark.parametrize("where", ["", "no-such-run"])
def test_what_is_neither_folder_nor_run_is_refused_before_anything_is_sent(where):
    with pytest.raises(InvalidInputError):
        version_facts(where or "/nonexistent", None, Stated())


@contextmanager
def breaking_network(target: str, breaks: int) -> Iterator[str]:
    """An address that hands requests on to `target`, and drops the answers of the first `breaks` connections."""
    host, _, port = target.removeprefix("http://").partition(":")
    listener = socket.create_server(("127.0.0.1", 0))
    left = [breaks]

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)

    def carry(client: socket.socket) -> None:
        drops = left[0] > 0
        left[0] -= 1
        with client, socket.create_connection((host, int(port))) as upstream:
            threading.Thread(target=pump, args=(client, upstream), daemon=True).start()
            answer = upstream.recv(65536)
            if not drops:
                client.sendall(answer)
                pump(upstream, client)
            # Also where the other thread still waits for the client's next request.
            client.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=carry, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def test_a_request_whose_answer_was_lost_is_done_only_once(server):
    with breaking_network(server.url, 2) as url, Client(url, server.tokens[Role.ADMINISTRATOR]) as client:
        made = client.create_actor("Made once")
    actors = list(server.client(Role.ADMINISTRATOR).actors())
    assert [actor.id for actor in actors if actor.name == "Made once"] == [made.id]


def test_a_network_that_stays_broken_is_an_error_that_says_where(server):
    with (
        breaking_network(server.url, 1000) as url,
        Client(url, server.tokens[Role.AUDITOR]) as client,
        pytest.raises(UnreachableError, match="acta serve"),
    ):
        client.me()
