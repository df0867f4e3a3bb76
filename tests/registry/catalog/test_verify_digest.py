"""The job that reads a version's bytes again."""

import msgspec
import pytest
from sqlalchemy import select

from registry.catalog import service as catalog
from registry.catalog.digest import content_digest, manifest_of_folder
from registry.jobs.tables import JobRow, JobState
from registry.jobs.worker import Worker
from tests.registry.conftest import FACTS


@pytest.fixture
def artifact(tmp_path):
    folder = tmp_path / "artifacts" / "model"
    folder.mkdir(parents=True)
    (folder / "model.skops").write_bytes(b"weights")
    (folder / "MLmodel").write_text("flavors: {}")
    return folder


def register(units, people, registered, source, digest):
    facts = msgspec.structs.replace(FACTS, source_uri=source, content_digest=digest)
    with units.writing() as unit:
        return catalog.register_version(unit, people.developer, registered.model.name, facts).number


def state(units, people, number):
    with units.reading() as unit:
        return catalog.find_version(unit, people.auditor, "credit-default", number).version.digest_state


def test_bytes_with_the_stated_digest_are_verified_and_checked_again(units, people, registered, settings, artifact):
    digest = content_digest(manifest_of_folder(artifact)).hex()
    number = register(units, people, registered, str(artifact), digest)
    assert state(units, people, number) == "stated"
    Worker(units, settings).run_until_idle()
    assert state(units, people, number) == "verified"
    with units.reading() as unit:
        kinds = unit.session.execute(select(JobRow.kind).where(JobRow.state == JobState.SUCCEEDED.value)).scalars()
        assert "run-checks" in set(kinds)


def test_other_bytes_than_stated_are_a_mismatch(units, people, registered, settings, artifact):
    digest = content_digest(manifest_of_folder(artifact)).hex()
    number = register(units, people, registered, str(artifact), digest)
    (artifact / "model.skops").write_bytes(b"weights, exchanged")
    Worker(units, settings).run_until_idle()
    assert state(units, people, number) == "mismatch"


def test_bytes_outside_the_allowed_roots_are_not_read(units, people, registered, settings, tmp_path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "secret").write_text("x")
    number = register(units, people, registered, str(outside), content_digest(manifest_of_folder(outside)).hex())
    Worker(units, settings).run_until_idle()
    assert state(units, people, number) == "stated"
