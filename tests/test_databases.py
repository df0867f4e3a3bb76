"""The databases that tests are given."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, inspect, text

from tests.postgresql import QUICK, start_server


def table_names(url: str) -> list[str]:
    return inspect(create_engine(url, poolclass=NullPool)).get_table_names()


@pytest.mark.parametrize("use", ["first", "second"])
def test_each_test_gets_a_database_of_its_own(database_url, database_kind, use):
    assert database_url.startswith(database_kind)
    assert table_names(database_url) == []
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (id INTEGER)"))
    assert table_names(database_url) == ["left_behind"]


@pytest.mark.parametrize("use", ["first", "second"])
def test_a_migrated_database_has_tables_and_no_rows(migrated_url, use):
    engine = create_engine(migrated_url, poolclass=NullPool)
    names = [name for name in table_names(migrated_url) if name != "acta_alembic_version"]
    assert names
    with engine.begin() as connection:
        for name in names:
            assert connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() == 0


def test_the_server_and_its_files_go_when_their_owner_is_killed():
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    parent = Path(tempfile.mkdtemp(prefix="acta-tests-", dir="/tmp"))
    server = start_server(parent, QUICK, owner.pid)
    with create_engine(server.url("postgres"), poolclass=NullPool).connect() as connection:
        assert connection.execute(text("SHOW fsync")).scalar() == "off"
    owner.kill()
    owner.wait()
    deadline = time.monotonic() + 20
    while parent.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not parent.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)
