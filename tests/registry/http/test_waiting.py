"""Who waits for a lock, and who does not."""

import fcntl
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry import database
from registry.catalog.service import find_version
from registry.http import transactions

VERSION = {"source_uri": "file:///models/credit-default", "content_digest": "ab" * 32, "framework": "sklearn"}
VERSIONS = "/api/v1/models/credit-default/versions"


@pytest.fixture
def headers(client, people, registered):
    """A developer whose token was used just now: its next use writes nothing."""
    headers = client.as_(people.developer)
    assert client.http.get(f"{VERSIONS}/1", headers=headers).status_code == 200
    return headers


@pytest.fixture
def held(units, people, headers):
    """The locks that registering a version takes, held by another writer until told to let go."""
    taken, release = threading.Event(), threading.Event()

    def hold():
        with units.writing() as unit:
            found = find_version(unit, people.developer, "credit-default", 1)
            unit.session.refresh(found.model, with_for_update=True)
            taken.set()
            release.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(60)
    yield release
    release.set()
    holder.join()


def test_writers_who_wait_stop_no_reader(client, headers, held):
    with ThreadPoolExecutor(4) as threads:
        writers = [threads.submit(client.http.post, VERSIONS, json=VERSION, headers=headers) for _ in range(4)]
        for _ in range(20):
            assert client.http.get(f"{VERSIONS}/1", headers=headers).status_code == 200
        assert not any(writer.done() for writer in writers)
        held.set()
        assert sorted(writer.result().json()["number"] for writer in writers) == [2, 3, 4, 5]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_writer_whose_turn_does_not_come_is_told_so_and_writes_nothing(client, headers, held, monkeypatch):
    monkeypatch.setattr(database, "WRITER_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(transactions, "WRITER_WAIT_SECONDS", 0.2)
    with ThreadPoolExecutor(3) as threads:
        writers = [threads.submit(client.http.post, VERSIONS, json=VERSION, headers=headers) for _ in range(3)]
        answers = [writer.result() for writer in writers]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert "locked by another writer" in answers[0].json()["detail"]
    held.set()
    assert client.http.post(VERSIONS, json=VERSION, headers=headers).json()["number"] == 2


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_writer_whom_another_program_keeps_waiting_is_told_so(client, headers, units, monkeypatch):
    monkeypatch.setattr(database, "WRITER_WAIT_SECONDS", 0.2)
    path = units.database.path
    with path.with_name(path.name + ".lock").open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        answer = client.http.post(VERSIONS, json=VERSION, headers=headers)
        assert (answer.status_code, "locked by another writer" in answer.text) == (503, True)
    assert client.http.post(VERSIONS, json=VERSION, headers=headers).json()["number"] == 2
