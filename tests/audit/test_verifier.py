"""What verifying a log finds: on a database, over HTTP, and what it cannot find without a checkpoint kept outside."""

import http.server
import threading

import pytest
from sqlalchemy import text

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.errors import CheckpointError, NotInLogError, SourceError
from audit.hashes import entry_bundle, tile_bytes
from audit.keys import Ed25519Signer
from audit.log import Log
from audit.reads import checkpoint_at, latest_checkpoint
from audit.served import HttpSource
from audit.sources import DatabaseSource
from audit.tables import ENTRY, drop_trigger_statements
from audit.tiles import TilePath
from audit.tree import root_hash
from audit.verification import ProblemKind, Verification
from audit.verifier import verify
from tests import run_summary
from tests.audit.examples import (
    KEY,
    ORIGIN,
    SIGNER,
    START,
    append,
    counted_salts,
    create_log_tables,
    draft,
    fill,
    open_engine,
    without_triggers,
)
from tests.audit.tamperings import BATCHES, SIDE, SIZE, TAMPERINGS


def verified(engine, outside: str | None = None) -> Verification:
    with engine.begin() as connection:
        return verify(DatabaseSource(connection), KEY, outside)


def kept_outside(engine, size: int) -> str:
    with engine.begin() as connection:
        return checkpoint_at(connection, size).note


def problems(found: Verification) -> list[tuple[ProblemKind, int | None, int | None]]:
    return [(problem.kind, problem.sequence, problem.size) for problem in found.problems]


@pytest.fixture
def honest(engine, log):
    fill(engine, log, BATCHES)
    return engine


@pytest.fixture
def honest_memory(memory, log):
    fill(memory, log, BATCHES)
    return memory


def test_an_honest_log_is_verified(honest):
    seen = []
    with honest.begin() as connection:
        found = verify(DatabaseSource(connection), KEY, progress=lambda done, total: seen.append((done, total)))
        root = latest_checkpoint(connection).checkpoint.root
    assert found.verified
    assert (found.entries, found.checkpoints, found.root) == (SIZE, len(BATCHES), root)
    assert (found.texts, found.texts_absent) == (2 * (SIZE // 3), 0)
    assert seen[0] == (0, SIZE)
    assert seen[-1] == (SIZE, SIZE)


def test_an_empty_log_is_verified(engine):
    found = verified(engine)
    assert found.verified
    assert (found.entries, found.checkpoints, found.texts) == (0, 0, 0)


def test_a_log_of_several_batches_of_reading_is_verified(memory, log):
    fill(memory, log, [1000, 25, 1, 1500])
    assert verified(memory).verified


def test_without_a_checkpoint_outside_the_verdict_says_what_it_does_not_show(honest_memory):
    assert "rebuilt from its beginning" in verified(honest_memory).not_shown
    assert "tail cut off" in verified(honest_memory).not_shown
    assert "of 256 entries" in verified(honest_memory, kept_outside(honest_memory, 256)).not_shown


@pytest.mark.parametrize("size", [1, 3, 256, 557, SIZE])
def test_an_honest_log_extends_every_checkpoint_kept_outside(honest_memory, size):
    assert verified(honest_memory, kept_outside(honest_memory, size)).verified


def test_a_checkpoint_outside_counts_where_the_log_keeps_none_of_that_size(honest_memory):
    with honest_memory.begin() as connection:
        hashes = list(connection.execute(ENTRY.select().order_by(ENTRY.c.sequence)).mappings())
    root = root_hash([row["leaf_hash"] for row in hashes[:100]])
    assert verified(honest_memory, sign_checkpoint(Checkpoint(ORIGIN, 100, root), SIGNER)).verified
    false = sign_checkpoint(Checkpoint(ORIGIN, 100, bytes(32)), SIGNER)
    assert problems(verified(honest_memory, false)) == [(ProblemKind.OUTSIDE, None, 100)]


def test_a_checkpoint_outside_that_the_key_did_not_sign_compares_with_nothing(honest_memory):
    stranger = Ed25519Signer.of_seed(ORIGIN, bytes(32))
    with pytest.raises(CheckpointError, match="not signed"):
        verified(honest_memory, sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), stranger))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_log(databases, request):
    """An honest log that tests change only in transactions that they roll back."""
    with databases.empty(request.param) as url:
        engine = open_engine(url)
        create_log_tables(engine)
        fill(engine, Log(ORIGIN, SIGNER, counted_salts()), BATCHES)
        yield engine
        engine.dispose()


@pytest.fixture
def attacked(shared_log, request):
    """A transaction in which the triggers are gone."""
    request.node.user_properties.append((run_summary.DATABASE, shared_log.dialect.name))
    with shared_log.connect() as connection, connection.begin() as transaction:
        for statement in drop_trigger_statements(shared_log.dialect.name).values():
            connection.exec_driver_sql(statement)
        yield connection
        transaction.rollback()


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_every_tampering_is_named(attacked, tampering):
    tamper, expected = TAMPERINGS[tampering]
    tamper(attacked)
    found = verify(DatabaseSource(attacked), KEY)
    assert not found.verified
    assert problems(found) == expected
    entries = [entry for _, entry, _ in expected if entry is not None]
    assert found.first_bad_entry == (min(entries) if entries else None)
    assert all("\n" not in problem.sentence for problem in found.problems)


def test_an_edited_row_is_named_in_words(honest_memory):
    with without_triggers(honest_memory) as connection:
        connection.execute(text("UPDATE acta_log_entry SET actor = 'nobody' WHERE sequence = 7"))
    assert verified(honest_memory).problems[0].sentence == (
        "Entry 7 was changed: its column actor says 'nobody', its leaf 'actor-3'."
    )


def test_problems_are_counted_beyond_those_that_are_listed(honest_memory):
    with without_triggers(honest_memory) as connection:
        connection.execute(text("UPDATE acta_log_entry SET actor = 'nobody'"))
    found = verified(honest_memory)
    assert (found.problem_count, len(found.problems)) == (SIZE, 100)


def test_an_erased_side_text_is_counted_and_no_problem(honest):
    with honest.begin() as connection:
        connection.execute(text(f"DELETE FROM acta_log_text {SIDE}"))
    found = verified(honest)
    assert found.verified
    assert found.texts_absent == 1


def test_a_value_of_the_wrong_type_is_a_changed_entry(honest_memory):
    with without_triggers(honest_memory) as connection:
        connection.execute(text("UPDATE acta_log_entry SET leaf = 'text' WHERE sequence = 7"))
        connection.execute(text("UPDATE acta_log_text SET salt = 'text' WHERE sequence = 8 AND path = 'reason'"))
    assert problems(verified(honest_memory)) == [(ProblemKind.LEAF, 7, None), (ProblemKind.TEXT, 8, None)]


def test_a_database_without_the_log_cannot_be_judged(memory):
    with memory.begin() as connection:
        connection.execute(text("DROP TABLE acta_log_tile"))
    with pytest.raises(SourceError, match="holds no log"):
        verified(memory)


def cut_tail(connection, size: int) -> None:
    """What somebody does who restores an old backup, or wants the newest entries gone."""
    connection.execute(text(f"DELETE FROM acta_log_entry WHERE sequence >= {size}"))
    connection.execute(text(f"DELETE FROM acta_log_text WHERE sequence >= {size}"))
    connection.execute(text(f"DELETE FROM acta_log_checkpoint WHERE tree_size > {size}"))
    connection.execute(text(f"DELETE FROM acta_log_tile WHERE (tile_index + 1) * 256 > {size}"))


def test_a_cut_tail_is_found_with_a_checkpoint_outside_only(honest):
    outside = kept_outside(honest, 557)
    with without_triggers(honest) as connection:
        cut_tail(connection, 257)
    assert verified(honest).verified
    found = verified(honest, outside)
    assert problems(found) == [(ProblemKind.OUTSIDE, 257, 557)]
    assert "tail was cut off" in found.problems[0].sentence


def rebuild(engine) -> None:
    """What somebody does who stole the key: the same log with one entry changed, signed again."""
    with without_triggers(engine) as connection:
        for table in ("entry", "text", "tile", "checkpoint"):
            connection.execute(text(f"DELETE FROM acta_log_{table}"))
    thief = Log(ORIGIN, SIGNER, counted_salts())
    first = draft(0)
    append(engine, thief, [type(first)("nobody", first.action, "version", "v-0", first.changes)], START)
    fill(engine, thief, BATCHES[1:], first=1)


def test_a_log_rebuilt_with_the_stolen_key_is_found_with_a_checkpoint_outside_only(honest):
    outside = kept_outside(honest, 256)
    rebuild(honest)
    assert verified(honest).verified
    found = verified(honest, outside)
    assert problems(found) == [(ProblemKind.OUTSIDE, None, 256)]
    assert "was rebuilt" in found.problems[0].sentence


NEWEST_NOTE = text("SELECT note FROM acta_log_checkpoint ORDER BY tree_size DESC LIMIT 1")


class LogHandler(http.server.BaseHTTPRequestHandler):
    """Serves a log as C2SP tlog-tiles to those who have the token."""

    engine = None
    requested: list[str]

    def do_GET(self) -> None:
        self.requested.append(self.path)
        status, body = self.answer()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self) -> tuple[int, bytes]:
        if self.headers["Authorization"] != "Bearer token":
            return 401, b""
        with self.engine.begin() as connection:
            if self.path == "/acta/log/checkpoint":
                return 200, connection.execute(NEWEST_NOTE).scalar().encode()
            path = TilePath.parse(self.path.removeprefix("/acta/log/"))
            try:
                if path.level is None:
                    return 200, entry_bundle(connection, path.index, path.width)
                return 200, tile_bytes(connection, path.level, path.index, path.width)
            except NotInLogError:
                return 404, b""

    def log_message(self, *_arguments) -> None:
        pass


@pytest.fixture
def server(honest_memory):
    handler = type("Handler", (LogHandler,), {"engine": honest_memory, "requested": []})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def over_http(server, outside: str | None = None, token: str | None = "token") -> Verification:
    source = HttpSource(f"http://127.0.0.1:{server.server_port}/acta/", token)
    try:
        return verify(source, KEY, outside)
    finally:
        source.close()


def test_an_honest_log_is_verified_over_http(server, honest_memory):
    found = over_http(server, kept_outside(honest_memory, 256))
    assert found.verified
    assert (found.entries, found.checkpoints, found.texts) == (SIZE, 1, 0)
    assert found.texts_absent == 2 * (SIZE // 3)
    requested = server.RequestHandlerClass.requested
    assert "/acta/log/tile/entries/002.p/66" in requested
    assert "/acta/log/tile/0/001" in requested
    assert "/acta/log/tile/1/000.p/2" in requested


@pytest.mark.parametrize("tampering", ["leaf", "leaf, hash and columns", "tile", "swapped entries"])
def test_tampering_is_found_over_http(server, honest_memory, tampering):
    with without_triggers(honest_memory) as connection:
        TAMPERINGS[tampering][0](connection)
    assert not over_http(server).verified


def test_a_rebuilt_log_is_found_over_http(server, honest_memory):
    outside = kept_outside(honest_memory, 256)
    rebuild(honest_memory)
    assert over_http(server).verified
    assert problems(over_http(server, outside)) == [(ProblemKind.OUTSIDE, None, 256)]


def test_a_log_that_cannot_be_read_is_not_judged(server, honest_memory):
    with pytest.raises(SourceError, match="an API token that may read the log"):
        over_http(server, token=None)
    with without_triggers(honest_memory) as connection:
        connection.execute(text("DELETE FROM acta_log_entry WHERE sequence = 7"))
    with pytest.raises(SourceError, match="tile/entries/000 answered 404"):
        over_http(server)
    with without_triggers(honest_memory) as connection:
        connection.execute(text("UPDATE acta_log_checkpoint SET note = 'x'"))
    with pytest.raises(SourceError, match="holds no checkpoint"):
        over_http(server)


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(SourceError, match="could not be read"):
        verify(HttpSource("http://127.0.0.1:1"), KEY)
