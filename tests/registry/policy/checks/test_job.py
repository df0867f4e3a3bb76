"""The job that runs checks, on both databases: what it copies, what it leaves, and when its results are stale."""

import json
import shutil
from datetime import timedelta

import msgspec
import pytest

from registry.catalog import service as catalog
from registry.catalog.digest import content_digest, manifest_of_folder
from registry.jobs.worker import Worker
from registry.policy.facts_of_versions import check_facts, current_documents
from registry.policy.jobs import list_results, request_checks
from registry.policy.outcomes import Outcome
from registry.vulnerabilities.service import newest_export
from tests.registry.conftest import FACTS
from tests.registry.policy.checks.samples import HARMLESS, RECORD

FILE_CHECKS = ("artifact-intact", "artifact-safe-to-load", "secrets-absent", "vulnerabilities-absent")


@pytest.fixture
def artifact(tmp_path):
    folder = tmp_path / "artifacts" / "scored"
    folder.mkdir(parents=True)
    for path, data in HARMLESS.items():
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "vulnerabilities"
    folder.mkdir()
    return folder


@pytest.fixture
def run(units, people, registered, settings, artifact, export):
    """Register the artifact as it is now, run the checks, and give the newest outcome of each."""

    def register_and_run(source=None):
        facts = msgspec.structs.replace(
            FACTS,
            source_uri=str(source or artifact),
            content_digest=content_digest(manifest_of_folder(artifact)).hex(),
            framework="sklearn",
        )
        with units.writing() as unit:
            number = catalog.register_version(unit, people.developer, registered.model.name, facts).number
        return Run(units, people, settings.model_copy(update={"osv_export": export}), number)

    return register_and_run


class Run:
    def __init__(self, units, people, settings, number):
        self.units, self.people, self.settings, self.number = units, people, settings, number

    def found(self, unit):
        return catalog.find_version(unit, self.people.auditor, "credit-default", self.number)

    def again(self, asked_by=None):
        with self.units.writing() as unit:
            request_checks(unit, asked_by, self.found(unit).version.id)
        Worker(self.units, self.settings).run_until_idle()
        return self

    def digest(self):
        """What the check of the digest finds when somebody asks for it, and what the version says of its digest."""
        self.again(self.people.developer)
        with self.units.reading() as unit:
            version = self.found(unit).version
            row = next(row for row in list_results(unit, version.id) if row.check_name == "digest-verified")
            return Outcome(row.outcome), version.digest_state

    def results(self):
        with self.units.reading() as unit:
            rows = list_results(unit, self.found(unit).version.id)
        return {row.check_name: row for row in reversed(rows) if row.check_name in FILE_CHECKS}

    def outcomes(self):
        return {name: Outcome(row.outcome) for name, row in self.results().items()}

    def facts(self):
        with self.units.reading() as unit:
            found = self.found(unit)
            return check_facts(unit, found.model, found.version, current_documents(unit, found.version.id))


def write_record(export, modified):
    (export / "one.json").write_text(json.dumps({**RECORD, "modified": modified}))


def test_checks_that_read_files_pass_a_harmless_artifact(run, export, now):
    write_record(export, now.isoformat())
    done = run().again()
    assert done.outcomes() == dict.fromkeys(FILE_CHECKS, Outcome.PASSED)
    row = done.results()["vulnerabilities-absent"]
    assert row.evidence["export SHA-256"] == done.facts().vulnerability_export.digest.hex()
    assert row.evidence["records"] == "1"


def test_each_check_finds_its_defect_in_the_bytes_that_were_registered(run, artifact, export, now):
    write_record(export, now.isoformat())
    (artifact / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    (artifact / "notes.md").write_text("password: h7Kq-29xT_vvB4zL\n")
    (artifact / "requirements.txt").write_text("scikit-learn==1.8\n")
    (artifact / "MLmodel").unlink()
    assert run().again().outcomes() == dict.fromkeys(FILE_CHECKS, Outcome.FAILED)


def test_bytes_that_changed_after_registration_are_told_from_the_registered_ones(run, artifact, export, now):
    write_record(export, now.isoformat())
    registered = run()
    (artifact / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    outcomes = registered.again().outcomes()
    assert outcomes.pop("artifact-intact") is Outcome.FAILED
    assert set(outcomes.values()) == {Outcome.ERROR}


def test_bytes_are_read_again_whenever_somebody_asks_for_the_checks(run, artifact):
    registered = run()
    assert registered.digest() == (Outcome.PASSED, "verified")
    (artifact / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert registered.digest() == (Outcome.FAILED, "mismatch")
    (artifact / "model.pkl").write_bytes(HARMLESS["model.pkl"])
    assert registered.digest() == (Outcome.PASSED, "verified")


def test_bytes_that_cannot_be_read_any_more_leave_what_was_found_last(run, artifact, units):
    registered = run()
    assert registered.digest() == (Outcome.PASSED, "verified")
    shutil.rmtree(artifact)
    assert registered.digest() == (Outcome.PASSED, "verified")
    with units.writing() as unit:
        registered.found(unit).version.digest_checked_at = unit.now - timedelta(days=31)
    assert registered.digest() == (Outcome.INCONCLUSIVE, "verified")


def test_link_in_an_artifact_fails_and_is_not_followed(run, artifact, export, now):
    write_record(export, now.isoformat())
    registered = run()
    (artifact / "notes.txt").symlink_to("/etc/passwd")
    outcomes = registered.again().outcomes()
    assert outcomes.pop("artifact-intact") is Outcome.FAILED
    assert set(outcomes.values()) == {Outcome.ERROR}


def test_artifact_outside_the_allowed_roots_is_an_error(run, tmp_path, export, now):
    write_record(export, now.isoformat())
    outcomes = run(tmp_path / "elsewhere").again().outcomes()
    assert set(outcomes.values()) == {Outcome.ERROR}


def test_export_that_is_absent_is_an_error_and_one_that_comes_makes_the_result_stale(run, export, now, units):
    done = run().again()
    assert done.outcomes()["vulnerabilities-absent"] is Outcome.ERROR
    before = done.facts()
    write_record(export, now.isoformat())
    assert done.again().outcomes()["vulnerabilities-absent"] is Outcome.PASSED
    assert done.facts() != before
    with units.reading() as unit:
        first = newest_export(unit).id
    done.again()
    with units.reading() as unit:
        assert newest_export(unit).id == first
    write_record(export, "2020-01-01T00:00:00Z")
    assert done.again().outcomes()["vulnerabilities-absent"] is Outcome.ERROR


def test_artifact_that_is_too_large_to_be_copied_is_an_error(run, export, now):
    write_record(export, now.isoformat())
    done = run()
    done.settings = done.settings.model_copy(update={"check_limit_bytes": 10})
    assert set(done.again().outcomes().values()) == {Outcome.ERROR}
    assert "ACTA_CHECK_LIMIT_BYTES" in done.results()["artifact-safe-to-load"].reason
