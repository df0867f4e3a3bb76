"""Keys, first start, settings, doctor: what an operator meets first."""

import shutil
import socket
import sqlite3
import stat
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from audit.keys import Ed25519Signer
from registry.access.authentication import actor_of_token
from registry.access.service import create_token
from registry.cards.tables import CardRow
from registry.cli.settings import masked_url, shown_settings
from registry.database import Database, Mode, upgrade
from registry.diagnosis import diagnose_installation
from registry.errors import UnavailableError
from registry.installation import (
    load_signer,
    log_key_path,
    open_database,
    open_units,
    replace_lost_seal,
    seal_directory,
    start,
)
from registry.settings import Settings, normalise_database_url


@pytest.fixture
def fresh(migrated_url: str, tmp_path: Path) -> Settings:
    """Settings of an installation that was never started."""
    return Settings(home=tmp_path / "home", database_url=migrated_url)


def test_the_first_start_makes_keys_that_only_their_owner_reads_and_one_token(fresh):
    made = start(fresh)
    assert made.token is not None
    assert made.token.startswith("acta_")
    for path in fresh.keys_directory.rglob("*"):
        if path.is_file() and "key" in path.name:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(fresh.keys_directory.stat().st_mode) == 0o700


def test_a_second_start_makes_nothing(fresh):
    start(fresh)
    before = log_key_path(fresh).read_bytes()
    made = start(fresh)
    assert (made.key_created, made.seal_created, made.token) == (None, None, None)
    assert log_key_path(fresh).read_bytes() == before


def vault(tmp_path: Path, prints: str) -> str:
    """A command that prints something."""
    script = tmp_path / "vault.py"
    script.write_text(f"import sys\nsys.stdout.write({prints!r})\n")
    return f"{sys.executable} {script}"


def test_the_log_s_key_may_come_from_a_vault_and_no_file_is_made(fresh, tmp_path):
    key = Ed25519Signer.of_seed(fresh.log_origin, bytes(range(32)))
    given = {"log_key": SecretStr(key.private_text())}
    printed = {"log_key_command": vault(tmp_path, key.private_text() + "\n")}
    for how in (given, printed):
        settings = fresh.model_copy(update=how)
        start(settings)
        assert load_signer(settings).verifier_key == key.verifier_key
        assert not log_key_path(settings).exists()
        assert diagnose_installation(settings)
        shown = str(shown_settings(settings))
        assert key.private_text() not in shown
        assert key.private_text() not in repr(settings)


@pytest.mark.parametrize(
    "prints, words",
    [("PRIVATE+KEY+other.example/log+00000000+AQ==", "not an Ed25519 key"), ("secret-that-is-no-key", "reads PRIVATE")],
)
def test_what_a_vault_gives_instead_of_a_key_is_refused_and_not_quoted(fresh, tmp_path, prints, words):
    settings = fresh.model_copy(update={"log_key_command": vault(tmp_path, prints)})
    with pytest.raises(UnavailableError, match=words) as refused:
        load_signer(settings)
    assert prints not in str(refused.value)


@pytest.mark.parametrize("command", ["", "/nowhere/vault", f"{sys.executable} -c 'raise SystemExit(3)'"])
def test_a_vault_that_gives_nothing_is_named(fresh, command):
    with pytest.raises(UnavailableError, match="signing key cannot be used"):
        load_signer(fresh.model_copy(update={"log_key_command": command}))


def test_a_key_of_another_log_is_refused_wherever_it_comes_from(fresh):
    other = Ed25519Signer.of_seed("other.example/log", bytes(32))
    settings = fresh.model_copy(update={"log_key": SecretStr(other.private_text())})
    with pytest.raises(UnavailableError, match=r"ACTA_LOG_KEY signs for 'other\.example/log'"):
        load_signer(settings)


def test_a_log_whose_key_is_gone_gets_no_other_one(fresh):
    start(fresh)
    log_key_path(fresh).unlink()
    with pytest.raises(UnavailableError, match=r"missing.*backup"):
        start(fresh)


def test_a_lost_seal_is_made_anew_by_itself_only_where_it_sealed_no_card(fresh):
    start(fresh)
    shutil.rmtree(seal_directory(fresh))
    assert start(fresh).seal_created == seal_directory(fresh)
    with pytest.raises(UnavailableError, match="There is a seal"):
        replace_lost_seal(fresh)


def test_a_lost_seal_that_sealed_cards_is_replaced_only_by_command(settings, units, people, registered):
    start(settings)
    with units.writing() as unit:
        row = CardRow(version_id=registered.version.id, requested_by=people.developer.id, requested_at=unit.now)
        unit.session.add(row)
    shutil.rmtree(seal_directory(settings))
    with pytest.raises(UnavailableError, match="missing") as refused:
        start(settings)
    assert "acta card new-seal" in refused.value.remedy
    assert not seal_directory(settings).exists()
    assert replace_lost_seal(settings) == seal_directory(settings)
    assert start(settings).seal_created is None


def test_a_later_start_says_that_nobody_exchanged_the_one_time_token_yet(fresh):
    first = start(fresh)
    assert (first.waits_for_exchange, start(fresh).waits_for_exchange) == (False, True)
    units = open_units(fresh)
    with units.writing() as unit:
        administrator = actor_of_token(unit, first.token)
        create_token(unit, administrator, administrator.id, "first", 1)
    units.database.dispose()
    assert not start(fresh).waits_for_exchange


def test_a_key_that_others_can_read_is_not_used(fresh):
    start(fresh)
    log_key_path(fresh).chmod(0o644)
    with pytest.raises(UnavailableError, match="chmod 600"):
        load_signer(fresh)


def test_a_log_keeps_its_origin(fresh):
    start(fresh)
    other = fresh.model_copy(update={"log_origin": "another.example/log"})
    with pytest.raises(UnavailableError, match="set ACTA_LOG_ORIGIN back"):
        open_units(other)


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="ACTA_HOME"):
        upgrade(Settings(home=tmp_path / "file" / "home").database)


def test_an_unmigrated_database_says_what_to_run(database_url, tmp_path):
    settings = Settings(home=tmp_path, database_url=database_url)
    with pytest.raises(UnavailableError, match="acta database upgrade"):
        open_database(settings)


def test_a_log_that_contradicts_its_checkpoint_takes_no_more_entries(fresh):
    start(fresh)
    units = open_units(fresh)
    with units.database.transaction(Mode.WRITE) as session:
        trigger = "acta_log_checkpoint_no_delete"
        on = "" if units.database.is_sqlite else " ON acta_log_checkpoint"
        session.execute(text(f"DROP TRIGGER {trigger}{on}"))
        session.execute(
            text("DELETE FROM acta_log_checkpoint WHERE tree_size = (SELECT max(tree_size) FROM acta_log_checkpoint)")
        )
        session.commit()
    with pytest.raises(UnavailableError, match="takes no more entries"), units.writing() as unit:
        unit.record(None, "job.cancelled", "1", {"kind": "assess"})
    units.database.dispose()


def test_doctor_finds_a_started_installation_well_and_names_what_is_missing(fresh):
    before = {finding.what: finding for finding in diagnose_installation(fresh)}
    assert not before["signing key"].ok
    assert not before["seal"].ok
    start(fresh)
    findings = {finding.what: finding for finding in diagnose_installation(fresh)}
    assert [finding for finding in findings.values() if not finding.ok] == []
    assert not Path(fresh.storage).exists()


def test_doctor_tells_a_lost_key_and_a_lost_seal_from_ones_that_were_never_made(settings, units, people, registered):
    start(settings)
    with units.writing() as unit:
        unit.session.add(
            CardRow(version_id=registered.version.id, requested_by=people.developer.id, requested_at=unit.now)
        )
    log_key_path(settings).unlink()
    shutil.rmtree(seal_directory(settings))
    found = {finding.what: finding for finding in diagnose_installation(settings)}
    assert "is missing" in found["signing key"].detail
    assert "backup" in (found["signing key"].remedy or "")
    assert "is missing" in found["seal"].detail
    assert "acta card new-seal" in (found["seal"].remedy or "")


def test_doctor_finds_a_clock_behind_the_log_and_a_mail_server_that_does_not_answer(fresh, monkeypatch):
    start(fresh)
    with socket.create_server(("127.0.0.1", 0)) as mail:
        answering = fresh.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": mail.getsockname()[1]})
        assert all(finding.ok for finding in diagnose_installation(answering))
    earlier = type("Earlier", (datetime,), {"now": classmethod(lambda _, zone: datetime.now(zone) - timedelta(days=2))})
    monkeypatch.setattr("registry.diagnosis.datetime", earlier)
    wrong = [finding.what for finding in diagnose_installation(answering) if not finding.ok]
    assert wrong == ["clock against the log", "mail server"]


@pytest.mark.parametrize(
    "url, masked",
    [
        ("postgresql://acta:secret@db/acta", "postgresql://acta:********@db/acta"),
        ("postgresql://acta:p@ss@db/acta", "postgresql://acta:********@db/acta"),
        ("s3://bucket/acta?secret=1", "s3://bucket/acta?********"),
        ("/var/lib/acta", "/var/lib/acta"),
    ],
)
def test_a_printed_url_shows_no_secret(url, masked):
    assert masked_url(url) == masked


def test_settings_are_printed_without_secrets():
    settings = Settings(database_url="postgresql://acta:secret@db/acta", storage_url="s3://key:secret@bucket/acta")
    assert "secret" not in str(shown_settings(settings))
    assert "secret" not in repr(settings.database_url)


@pytest.mark.parametrize("url", ["mysql://db/acta", "oracle://db"])
def test_another_kind_of_database_is_refused_with_what_works(url):
    with pytest.raises(UnavailableError, match="postgresql://"):
        normalise_database_url(url)


def test_a_full_disk_is_one_line_that_says_what_to_do(tmp_path):
    # SQLite's own limit stands in for the disk's: the error that it raises is the same.
    database = Database(f"sqlite:///{tmp_path / 'full.db'}")
    full = "disk of the database is full; nothing was written"
    with pytest.raises(UnavailableError, match=full), database.transaction(Mode.WRITE) as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count=8")
        session.execute(text("CREATE TABLE filler (x)"))
        session.execute(text("INSERT INTO filler VALUES (randomblob(1000000))"))
    database.dispose()


def test_a_database_that_another_program_locks_is_one_line(units, people):
    if units.database.is_sqlite:
        holder = sqlite3.connect(units.database.path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UnavailableError, match="locked by another program"), units.writing() as unit:
            unit.record(None, "job.cancelled", "1", {"kind": "assess"})
        holder.close()
    with units.writing() as unit:
        unit.record(None, "job.cancelled", "1", {"kind": "assess"})
    assert len(unit.entries) == 1
