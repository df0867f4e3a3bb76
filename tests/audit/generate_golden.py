"""Writes the golden log: fixed entries, key, times and salts, whose bytes may never change.

    uv run python -m tests.audit.generate_golden

`golden/leaves` holds one leaf a line, `golden/checkpoints` the signed notes one after the other,
`golden/entry-4.tlog-proof` a proof, `golden/verifier-key` the key that verifies them.
"""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from audit.entry import Committed, Draft
from audit.log import Log
from audit.tables import CHECKPOINT, ENTRY
from audit.tlog_proof import tlog_proof
from tests.audit.examples import KEY, ORIGIN, SIGNER, START, append, counted_salts, create_log_tables, open_engine

FOLDER = Path(__file__).with_name("golden")

BATCHES = [
    [Draft("a-1", "model.registered", "model", "m-1", {"name": "Kreditausfall \u20ac", "owner": "a-2"}, "r-1")],
    [
        Draft("a-1", "version.registered", "version", "v-1", {"auc": Decimal("0.7710"), "run": UUID(int=7)}, "r-2"),
        Draft("a-1", "version.tagged", "version", "v-1", {"tags": {"\ue000": 1, "\U0001f600": 2, "a/b": None}}, "r-2"),
    ],
    [Draft("a-2", "waiver.granted", "waiver", "w-1", {"reason": Committed("so"), "until": START, "days": 30}, "r-3")],
    [Draft("a-3", "promotion.approved", "promotion", "p-1", {"answers": [{"text": Committed("yes")}], "met": True})],
]


def golden_files() -> dict[str, str]:
    """Name -> text of each golden file."""
    engine = open_engine("sqlite://")
    create_log_tables(engine)
    log = Log(ORIGIN, SIGNER, counted_salts())
    for number, drafts in enumerate(BATCHES):
        append(engine, log, drafts, START + timedelta(seconds=number, microseconds=number))
    with engine.begin() as connection:
        leaves = connection.execute(select(ENTRY.c.leaf).order_by(ENTRY.c.sequence)).scalars()
        notes = connection.execute(select(CHECKPOINT.c.note).order_by(CHECKPOINT.c.tree_size)).scalars()
        return {
            "leaves": "".join(leaf.decode() + "\n" for leaf in leaves),
            "checkpoints": "\n".join(notes),
            "entry-4.tlog-proof": tlog_proof(connection, 4),
            "verifier-key": f"{KEY}\n",
        }


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in golden_files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
