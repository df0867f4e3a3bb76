"""An exported folder is verified like the log itself, on a disk and from a plain web server."""

import functools
import http.server
import json
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.errors import NotInLogError, SourceError
from audit.export import export_log
from audit.log import Log
from audit.reads import checkpoint_at
from audit.served import FolderSource, HttpSource
from audit.verification import ProblemKind
from audit.verifier import verify
from tests.audit.examples import KEY, ORIGIN, SIGNER, counted_salts, fill
from tests.audit.tamperings import BATCHES, SIZE


@pytest.fixture
def folder(memory, log, tmp_path):
    fill(memory, log, BATCHES)
    with memory.begin() as connection:
        assert export_log(connection, tmp_path / "log", KEY, with_texts=True) == SIZE
    return tmp_path / "log"


def test_an_exported_folder_is_verified_with_every_checkpoint_and_text(folder, memory):
    with memory.begin() as connection:
        outside = checkpoint_at(connection, 256).note
    found = verify(FolderSource(folder), KEY, outside)
    assert found.verified
    assert (found.entries, found.checkpoints) == (SIZE, len(BATCHES))
    assert (found.texts, found.texts_absent) == (2 * (SIZE // 3), 0)


def test_without_texts_they_are_withheld_and_the_log_is_verified(folder, memory, tmp_path):
    with memory.begin() as connection:
        export_log(connection, tmp_path / "bare", KEY)
    found = verify(FolderSource(tmp_path / "bare"), KEY)
    assert found.verified
    assert (found.texts, found.texts_absent) == (0, 2 * (SIZE // 3))
    assert not (tmp_path / "bare" / "texts.ndjson").exists()


def test_a_plain_web_server_serves_it_to_any_client(folder):
    folder.rename(folder.with_name("public"))
    (folder.with_name("site")).mkdir()
    folder.with_name("public").rename(folder.with_name("site") / "log")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder.with_name("site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = HttpSource(f"http://127.0.0.1:{server.server_port}")
        assert verify(source, KEY).verified
        source.close()
        server.shutdown()


def test_it_says_what_it_is_and_by_which_key(folder):
    assert (folder / "key").read_text() == f"{KEY}\n"
    assert f"{SIZE} entries" in (folder / "README.txt").read_text()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["log"]


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000", "tile/entries/000", "tile/1/000.p/2", "checkpoints/3"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_byte_of_any_file_is_found(folder, name, data):
    file = folder / name
    original = file.read_bytes()
    place = data.draw(st.integers(0, len(original) - 1))
    bit = data.draw(st.integers(0, 7))
    file.write_bytes(original[:place] + bytes([original[place] ^ 1 << bit]) + original[place + 1 :])
    try:
        found = verify(FolderSource(folder), KEY)
    except SourceError:
        return
    finally:
        file.write_bytes(original)
    assert not found.verified


def test_a_changed_text_is_found(folder):
    lines = (folder / "texts.ndjson").read_text().splitlines()
    line = json.loads(lines[3])
    lines[3] = json.dumps(line | {"text": "Something else."})
    (folder / "texts.ndjson").write_text("\n".join(lines) + "\n")
    found = verify(FolderSource(folder), KEY)
    assert [(problem.kind, problem.sequence) for problem in found.problems] == [(ProblemKind.TEXT, line["sequence"])]


@pytest.mark.parametrize(
    "line", ["no JSON", '{"sequence": 1}', '{"sequence": 1, "path": "a", "salt": "?", "text": "b"}']
)
def test_a_line_that_is_no_text_is_named(folder, line):
    (folder / "texts.ndjson").write_text(f"{line}\n")
    with pytest.raises(SourceError, match=r"texts\.ndjson, line 1"):
        verify(FolderSource(folder), KEY)


def test_a_file_that_is_missing_or_leads_elsewhere_is_named_and_nothing_judged(folder, tmp_path):
    bundle = folder / "tile" / "entries" / "000"
    kept = bundle.read_bytes()
    bundle.unlink()
    with pytest.raises(SourceError, match="tile/entries/000 could not be read"):
        verify(FolderSource(folder), KEY)
    (tmp_path / "elsewhere").write_bytes(kept)
    bundle.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="leads out of the folder"):
        verify(FolderSource(folder), KEY)


def test_a_log_without_entries_and_a_name_that_is_taken_are_refused_and_nothing_is_left(memory, tmp_path):
    with memory.begin() as connection, pytest.raises(NotInLogError, match="no entries"):
        export_log(connection, tmp_path / "log", KEY)
    (tmp_path / "taken").mkdir()
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_an_export_that_fails_leaves_nothing_behind(memory, log, tmp_path):
    fill(memory, log, [5])

    def fail(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    with memory.begin() as connection, pytest.raises(KeyboardInterrupt):
        export_log(connection, tmp_path / "log", KEY, progress=fail)
    assert list(tmp_path.iterdir()) == []


def test_every_database_exports_the_same_bytes(engine, folder, tmp_path):
    fill(engine, Log(ORIGIN, SIGNER, counted_salts()), BATCHES)
    with engine.begin() as connection:
        export_log(connection, tmp_path / "other", KEY, with_texts=True)
    for path in folder.rglob("*"):
        if path.is_file():
            assert (tmp_path / "other" / path.relative_to(folder)).read_bytes() == path.read_bytes(), path
