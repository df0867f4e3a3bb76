"""Appending, reading and proving, on both databases; and what the databases refuse."""

from datetime import timedelta

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError

from audit.entry import Committed, Draft, SideText, commitment
from audit.errors import (
    EntryTooLargeError,
    KeyFormatError,
    LogInconsistentError,
    MeasuredValueError,
    NotInLogError,
    ProofError,
)
from audit.hashes import consistency_proof, entry_bundle, inclusion_proof, root_at, tile_bytes
from audit.keys import Ed25519Signer
from audit.log import Log
from audit.proof import verify_consistency, verify_inclusion
from audit.reads import (
    EntryFilter,
    checkpoint_at,
    entries_after,
    entries_before,
    entry,
    latest_checkpoint,
    texts,
)
from audit.tables import CHECKPOINT, ENTRY, METADATA, TEXT, TILE, drop_trigger_statements, trigger_statements
from audit.tiles import decode_bundle, tile_paths
from audit.tlog_proof import TlogProof, tlog_proof, verify_tlog_proof
from audit.tree import leaf_hash, root_hash
from tests.audit.examples import KEY, ORIGIN, SIGNER, START, append, draft, fill, without_triggers


def counts(engine) -> dict[str, int]:
    with engine.begin() as connection:
        return {name: len(connection.execute(select(table)).all()) for name, table in METADATA.tables.items()}


def test_entries_are_numbered_from_zero_and_read_back(engine, log):
    first = append(engine, log, [draft(0), draft(1)], START)
    second = append(engine, log, [draft(2)], START + timedelta(seconds=1))
    assert [written.sequence for written in first + second] == [0, 1, 2]
    with engine.begin() as connection:
        assert entries_after(connection, EntryFilter(), None, 10) == first + second
        assert entry(connection, 2) == second[0]
        assert texts(connection, [0, 1, 2]) == {(2, "reason"): "Reason 2", (2, "answers/0/text"): "so"}
        with pytest.raises(NotInLogError, match="no entry 3"):
            entry(connection, 3)


def test_an_append_of_nothing_changes_nothing(engine, log):
    assert append(engine, log, [], START) == []
    assert set(counts(engine).values()) == {0}


def test_each_batch_has_one_checkpoint_that_opens(engine, log):
    fill(engine, log, [1, 3, 2])
    with engine.begin() as connection:
        assert [checkpoint_at(connection, size) is not None for size in range(8)] == [
            size in (1, 4, 6) for size in range(8)
        ]
        latest = latest_checkpoint(connection)
        hashes = [written.leaf_hash for written in entries_after(connection, EntryFilter(), None, 10)]
    assert latest.checkpoint.size == 6
    assert latest.checkpoint.root == root_hash(hashes)


def test_an_entry_disappears_with_its_transaction(engine, log):
    fill(engine, log, [2])
    before = counts(engine)
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        log.append(connection, [draft(2)], START)
        raise ZeroDivisionError
    assert counts(engine) == before
    assert append(engine, log, [draft(2)], START)[0].sequence == 2


def test_a_clock_that_goes_back_repeats_the_last_time(engine, log):
    append(engine, log, [draft(0)], START)
    assert append(engine, log, [draft(1)], START - timedelta(hours=1))[0].time == START


@pytest.mark.parametrize(
    "changes, error", [({"auc": 0.5}, MeasuredValueError), ({"text": "x" * 70_000}, EntryTooLargeError)]
)
def test_a_bad_draft_writes_nothing_of_its_batch(engine, log, changes, error):
    fill(engine, log, [1])
    before = counts(engine)
    with engine.begin() as connection, pytest.raises(error):
        log.append(connection, [draft(1), Draft("a", "x.y", "x", "1", changes)], START)
    assert counts(engine) == before


def test_two_writers_by_turns_make_one_log(engine, log):
    other = Log(ORIGIN, SIGNER)
    numbers = [append(engine, writer, [draft(n)], START)[0].sequence for n, writer in enumerate([log, other] * 4)]
    assert numbers == list(range(8))


def test_entries_are_found_by_each_field_both_ways(engine, log):
    fill(engine, log, [1] * 12)
    with engine.begin() as connection:
        all_entries = entries_after(connection, EntryFilter(), None, 100)
        cases = {
            EntryFilter(actor="actor-1"): lambda found: found.actor == "actor-1",
            EntryFilter(action="waiver.revoked"): lambda found: found.action == "waiver.revoked",
            EntryFilter(subject_kind="version"): lambda found: found.subject_kind == "version",
            EntryFilter(subject_kind="waiver", subject_id="w-5"): lambda found: found.subject_id == "w-5",
            EntryFilter(since=START + timedelta(seconds=4), until=START + timedelta(seconds=7)): (
                lambda found: found.sequence in (4, 5, 6)
            ),
        }
        for where, wanted in cases.items():
            expected = [found for found in all_entries if wanted(found)]
            assert expected
            assert entries_after(connection, where, None, 100) == expected
            assert entries_before(connection, where, None, 100) == expected[::-1]
        assert [found.sequence for found in entries_after(connection, EntryFilter(), 3, 2)] == [4, 5]
        assert [found.sequence for found in entries_before(connection, EntryFilter(), 3, 2)] == [2, 1]


def test_tiles_bundles_and_proofs_are_those_of_the_tree(engine, log):
    check_hashes(engine, log, 256 * 4 + 44)


@pytest.mark.slow
def test_tiles_bundles_and_proofs_reach_over_three_levels(memory, log):
    check_hashes(memory, log, 256 * 256 + 300)


def check_hashes(engine, log, size):
    sizes = [200, 56, 1, 400, 255, size - 912]
    with engine.begin() as connection:
        done = 0
        for batch in sizes:
            log.append(connection, [Draft("a", "x.y", "x", str(n), {}) for n in range(done, done + batch)], START)
            done += batch
        leaves = list(connection.execute(select(ENTRY.c.leaf).order_by(ENTRY.c.sequence)).scalars())
        hashes = [leaf_hash(leaf) for leaf in leaves]
        for path in tile_paths(size)[:3] + tile_paths(size)[-6:]:
            tile = tile_bytes(connection, path.level, path.index, path.width)
            span = 256**path.level
            first = path.index * 256 * span
            expected = [root_hash(hashes[first + i * span : first + (i + 1) * span]) for i in range(path.width)]
            assert tile == b"".join(expected)
        assert decode_bundle(entry_bundle(connection, 1, 256)) == leaves[256:512]
        assert decode_bundle(entry_bundle(connection, size // 256, 44)) == leaves[-44:]
        root = root_hash(hashes)
        assert root_at(connection, size) == root
        for index in (0, 255, 256, 300, size // 2, size - 45, size - 44, size - 1):
            verify_inclusion(hashes[index], index, size, inclusion_proof(connection, index, size), root)
        for old in (0, 1, 200, 256, 300, 657, size - 300, size - 1, size):
            old_root = root_hash(hashes[:old])
            verify_consistency(old, old_root, size, root, consistency_proof(connection, old, size))
            if old:
                assert root_at(connection, old) == old_root
                proof = inclusion_proof(connection, old // 2, old)
                verify_inclusion(hashes[old // 2], old // 2, old, proof, old_root)


def test_what_the_log_does_not_have_is_said(engine, log):
    fill(engine, log, [3])
    with engine.begin() as connection:
        for ask in (
            lambda: tile_bytes(connection, 0, 0, 4),
            lambda: tile_bytes(connection, 0, 0, 256),
            lambda: tile_bytes(connection, 0, 0, 0),
            lambda: tile_bytes(connection, -1, 0, 1),
            lambda: tile_bytes(connection, 1, 0, 1),
            lambda: entry_bundle(connection, 0, 4),
            lambda: entry_bundle(connection, -1, 4),
            lambda: inclusion_proof(connection, 3, 3),
            lambda: inclusion_proof(connection, 3, 5),
            lambda: consistency_proof(connection, 3, 5),
            lambda: root_at(connection, 4),
            lambda: tlog_proof(connection, 3),
        ):
            with pytest.raises(NotInLogError):
                ask()


def test_the_proof_of_an_entry_verifies_offline_and_proves_nothing_else(engine, log):
    fill(engine, log, [1, 2, 4])
    with engine.begin() as connection:
        proof, leaf = tlog_proof(connection, 5), entry(connection, 5).leaf
        other = entry(connection, 4).leaf
    assert verify_tlog_proof(proof, leaf, KEY).size == 7
    assert str(TlogProof.parse(proof)) == proof
    for text_, leaf_, key in (
        (proof, other, KEY),
        (proof.replace("index 5", "index 4"), leaf, KEY),
        (proof.replace("index 5", "index 05"), leaf, KEY),
        (proof.replace("@v1", "@v2"), leaf, KEY),
        (proof.replace("\n7\n", "\n8\n"), leaf, KEY),
        ("\n".join(line for number, line in enumerate(proof.split("\n")) if number != 2), leaf, KEY),
        (proof[:60], leaf, KEY),
        (proof, leaf, Ed25519Signer.of_seed(ORIGIN, bytes(32)).verifier_key),
    ):
        with pytest.raises(ProofError):
            verify_tlog_proof(text_, leaf_, key)


def test_a_proof_with_extra_data_reads_back():
    proof = TlogProof(3, (bytes(32),), "note\n", b"more")
    assert "\nextra bW9yZQ==\nindex 3\n" in str(proof)
    assert TlogProof.parse(str(proof)) == proof


def test_the_empty_log_has_no_proofs(engine):
    with engine.begin() as connection:
        assert latest_checkpoint(connection) is None
        with pytest.raises(NotInLogError, match="empty"):
            tlog_proof(connection, 0)


def test_a_log_is_signed_by_the_key_of_its_name():
    with pytest.raises(KeyFormatError, match="bears the log's name"):
        Log("another.example/log", SIGNER)


TAMPERINGS = {
    "a missing last entry": "DELETE FROM acta_log_entry WHERE sequence = 4",
    "all entries missing": "DELETE FROM acta_log_entry",
    "missing checkpoints": "DELETE FROM acta_log_checkpoint",
    "an older checkpoint on top": "DELETE FROM acta_log_checkpoint WHERE tree_size = 5",
    "an edited note": "UPDATE acta_log_checkpoint SET note = replace(note, 'acta', 'atca')",
    "an edited root": "UPDATE acta_log_checkpoint SET root = frontier",
    "a shortened frontier": "UPDATE acta_log_checkpoint SET frontier = root",
    "another note": "UPDATE acta_log_checkpoint SET note = (SELECT min(note) FROM acta_log_checkpoint)",
    "a time that is none": "UPDATE acta_log_entry SET time = 'yesterday'",
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_log_that_contradicts_its_last_checkpoint_takes_no_entry(engine, log, tampering):
    fill(engine, log, [1, 2, 2])
    with without_triggers(engine) as connection:
        connection.execute(text(TAMPERINGS[tampering]))
    before = counts(engine)
    with engine.begin() as connection, pytest.raises(LogInconsistentError, match="takes no more entries"):
        Log(ORIGIN, SIGNER).append(connection, [draft(5)], START)
    assert counts(engine) == before


def test_a_log_of_another_key_takes_no_entry(engine, log):
    fill(engine, log, [1])
    with engine.begin() as connection, pytest.raises(LogInconsistentError, match="not signed by"):
        Log(ORIGIN, Ed25519Signer.of_seed(ORIGIN, bytes(32))).append(connection, [draft(1)], START)


def test_a_hole_in_the_tile_to_be_filled_takes_no_entry(engine, log):
    fill(engine, log, [255])
    with without_triggers(engine) as connection:
        connection.execute(text("DELETE FROM acta_log_entry WHERE sequence = 7"))
    with engine.begin() as connection, pytest.raises(LogInconsistentError, match="254 of the 255"):
        log.append(connection, [draft(255)], START)


ENTRY_COLUMNS = "time, actor, action, subject_kind, subject_id, leaf, leaf_hash"
REFUSED = {
    "update entry": "UPDATE acta_log_entry SET actor = 'x' WHERE sequence = 0",
    "delete entry": "DELETE FROM acta_log_entry WHERE sequence = 300",
    "delete all entries": "DELETE FROM acta_log_entry",
    "insert entry with a gap": (
        f"INSERT INTO acta_log_entry (sequence, {ENTRY_COLUMNS}) "
        f"SELECT 302, {ENTRY_COLUMNS} FROM acta_log_entry WHERE sequence = 0"
    ),
    "insert entry below": (
        f"INSERT INTO acta_log_entry (sequence, {ENTRY_COLUMNS}) "
        f"SELECT -1, {ENTRY_COLUMNS} FROM acta_log_entry WHERE sequence = 0"
    ),
    "insert entry twice": "INSERT INTO acta_log_entry SELECT * FROM acta_log_entry WHERE sequence = 300",
    "update tile": "UPDATE acta_log_tile SET root = hashes",
    "delete tile": "DELETE FROM acta_log_tile",
    "insert tile twice": "INSERT INTO acta_log_tile SELECT * FROM acta_log_tile",
    "insert tile with a gap": "INSERT INTO acta_log_tile SELECT level, 2, hashes, root FROM acta_log_tile",
    "update checkpoint": "UPDATE acta_log_checkpoint SET note = ''",
    "delete checkpoint": "DELETE FROM acta_log_checkpoint",
    "insert checkpoint twice": "INSERT INTO acta_log_checkpoint SELECT * FROM acta_log_checkpoint",
    "insert smaller checkpoint": (
        "INSERT INTO acta_log_checkpoint (tree_size, root, note, frontier, created_at) "
        "SELECT 5, root, note, frontier, created_at FROM acta_log_checkpoint"
    ),
    "update side text": "UPDATE acta_log_text SET text = 'x'",
    "insert side text twice": "INSERT INTO acta_log_text SELECT * FROM acta_log_text",
}
REFUSED_BY_SQLITE = {
    f"{words} by INSERT OR {how}": statement.replace("INSERT INTO", f"INSERT OR {how} INTO")
    for words, statement in REFUSED.items()
    for how in ("REPLACE", "IGNORE")
    if words.startswith("insert")
} | {"update or replace": "UPDATE OR REPLACE acta_log_entry SET sequence = 1 WHERE sequence = 0"}
REFUSED_BY_POSTGRESQL = {
    f"truncate {table}": f"TRUNCATE {table}" for table in ("acta_log_entry", "acta_log_tile", "acta_log_checkpoint")
} | {
    "upsert": (
        "INSERT INTO acta_log_entry SELECT * FROM acta_log_entry WHERE sequence = 300 "
        "ON CONFLICT (sequence) DO UPDATE SET actor = 'x'"
    )
}


def test_the_database_refuses_to_rewrite_history(engine, log):
    fill(engine, log, [301])
    before = counts(engine)
    own = REFUSED_BY_SQLITE if engine.dialect.name == "sqlite" else REFUSED_BY_POSTGRESQL
    for words, statement in (REFUSED | own).items():
        with pytest.raises(DBAPIError, match="acta_log_"):
            with engine.begin() as connection:
                connection.execute(text(statement))
            pytest.fail(f"{words} was not refused")
    assert counts(engine) == before
    assert before == {"acta_log_entry": 301, "acta_log_text": 200, "acta_log_tile": 1, "acta_log_checkpoint": 1}


def test_a_side_text_may_be_deleted(engine, log):
    fill(engine, log, [3])
    with engine.begin() as connection:
        connection.execute(TEXT.delete())
        assert texts(connection, [2]) == {}


def test_triggers_are_dropped_and_made_again(engine):
    with without_triggers(engine) as connection:
        names = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            if engine.dialect.name == "sqlite"
            else text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        ).all()
        assert names == []
    assert set(trigger_statements(engine.dialect.name)) == set(drop_trigger_statements(engine.dialect.name))


def test_triggers_of_another_database_are_not_made_up():
    with pytest.raises(ValueError, match="not on oracle"):
        trigger_statements("oracle")


def test_the_tables_are_the_ones_declared(engine):
    assert set(inspect(engine).get_table_names()) == {table.name for table in (ENTRY, TEXT, TILE, CHECKPOINT)}


def test_a_side_text_is_the_one_behind_its_commitment(engine, log):
    written = append(engine, log, [Draft("a", "x.y", "x", "1", {"why": Committed("because")})], START)[0]
    with engine.begin() as connection:
        row = connection.execute(select(TEXT)).one()
    side = SideText(row.path, row.salt, row.text)
    assert written.changes == {"why": {"commitment": commitment(side.salt, side.text)}}
