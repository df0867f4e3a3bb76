"""Verifies a whole log from outside, trusting nothing but a verifier key.

The steps, each marked below where it is done:

1.  The entries are numbered 0, 1, 2, ... without gaps.
2.  Each leaf is canonical JSON in the format acta-entry/1, and says the number that it has.
3.  Times never go back.
4.  In a database, the columns beside each leaf, and its stored hash, say what the leaf says.
5.  Each side text is the one that its commitment in the leaf hashes. A missing one was erased, which is allowed.
6.  The tiles are those that follow from the leaves, and there are no others.
7.  Each checkpoint is well signed by the key, and its root is that of the tree over as many leaves. As all are roots
    of one growing tree, each is consistent with all before it.
8.  The newest checkpoint covers all entries.
9.  The log extends the checkpoint kept outside, if one is given.

Entries stream through in batches: memory does not grow with the log.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import groupby

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.entry import Leaf, commitment, commitments_of, decode_leaf
from audit.errors import CheckpointError, LeafError
from audit.note import VerifierKey
from audit.sources import Source, StoredCheckpoint, StoredEntry, StoredText, StoredTile
from audit.tiles import TILE_WIDTH, FilledTile, TiledTree, hashes_at
from audit.tree import HASH_SIZE
from audit.verification import Problem, ProblemKind, Verification, not_shown

__all__ = ["verify"]

BATCH = 4 * TILE_WIDTH
MAX_PROBLEMS = 100


def verify(
    source: Source,
    key: VerifierKey,
    outside: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Verify the whole log that `source` reads.

    `outside`: a signed checkpoint of this log that was kept where the log's keeper could not change it.
    `progress`: called with the number of entries done and their total.

    Raises:
        CheckpointError: `outside` is not a checkpoint signed by `key`, so nothing can be compared with it.
        SourceError: the log could not be read.
    """
    kept = None if outside is None else open_checkpoint(outside, key)
    return _Verifier(source, key, kept).run(progress or _silent)


def _silent(done: int, total: int) -> None:
    pass


class _Verifier:
    def __init__(self, source: Source, key: VerifierKey, outside: Checkpoint | None) -> None:
        self.source = source
        self.key = key
        self.outside = outside
        self.extent = source.extent()
        self.problems: list[Problem] = []
        self.problem_count = 0
        self.next = 0
        self.entries = 0
        self.time = ""
        # None from the first missing entry on: the tree over what follows cannot be known.
        self.tree: TiledTree | None = TiledTree()
        self.checkpoints = 0
        self.sound_size = 0
        self.false_root: Problem | None = None
        self.false_roots = 0
        self.texts = 0
        self.texts_absent = 0

    def run(self, progress: Callable[[int, int], None]) -> Verification:
        progress(0, self.extent.entries)
        after: int | None = None
        while rows := self.source.entries(after, BATCH):
            self._check_batch(rows)
            after = rows[-1].sequence
            progress(self.entries, self.extent.entries)
        self._check_end()
        if self.outside is not None and self.outside.size > self.next:
            self._report_cut(self.outside)
        root = None if self.tree is None else self.tree.root()
        return Verification(
            self.entries,
            self.checkpoints,
            root,
            tuple(self.problems),
            self.problem_count,
            self.texts,
            self.texts_absent,
            not_shown(self.outside),
        )

    def _report(self, kind: ProblemKind, sentence: str, sequence: int | None = None, size: int | None = None) -> None:
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(kind, sentence, sequence, size))

    def _check_batch(self, rows: Sequence[StoredEntry]) -> None:
        start = self.next
        hashes: list[bytes] = []
        committed: dict[tuple[int, str], str] = {}
        unreadable: set[int] = set()
        for row in rows:
            if row.sequence != self.next:
                self._report_gap(row.sequence)
            self.next = row.sequence + 1
            digest = sha256(b"\x00" + row.leaf).digest()
            problem = self._check_leaf(row, digest, committed)
            if problem is not None:
                self._report(*problem, sequence=row.sequence)
                if problem[0] is ProblemKind.LEAF:
                    unreadable.add(row.sequence)
            # Where only the leaf was edited, the stored hash still fits the tree: one problem, not a thousand.
            hashes.append(digest if problem is None or row.leaf_hash is None else row.leaf_hash)
        self.entries += len(rows)
        self._check_texts(rows[0].sequence, committed, unreadable)
        checkpoints = self.source.checkpoints(start, self.next)
        self._grow(hashes, checkpoints)

    def _report_gap(self, found: int) -> None:
        # Step 1.
        self.tree = None
        if found < self.next:
            self._report(ProblemKind.MISSING, f"There is a second entry {found}.", found)
        elif found == self.next + 1:
            self._report(ProblemKind.MISSING, f"Entry {self.next} is missing.", self.next)
        else:
            self._report(ProblemKind.MISSING, f"Entries {self.next} to {found - 1} are missing.", self.next)

    def _check_leaf(
        self, row: StoredEntry, digest: bytes, committed: dict[tuple[int, str], str]
    ) -> tuple[ProblemKind, str] | None:
        number = row.sequence
        # Step 4, the hash: said first, because it is what an edited leaf most often contradicts.
        if row.leaf_hash is not None and row.leaf_hash != digest:
            return ProblemKind.LEAF, f"Entry {number} was changed: its leaf does not have the hash stored beside it."
        # Step 2.
        try:
            leaf = decode_leaf(row.leaf)
        except LeafError as error:
            return ProblemKind.LEAF, f"Entry {number} is not a leaf of this log: {error}."
        if leaf.sequence != number:
            return ProblemKind.LEAF, f"Entry {number} says that it is entry {leaf.sequence}."
        if b'"commitment":' in row.leaf:
            committed.update({(number, path): value for path, value in commitments_of(leaf.changes)})
        # Step 3. Times are spelled so that text order is time order.
        before, self.time = self.time, leaf.time
        if leaf.time < before:
            return ProblemKind.TIME, f"Entry {number} has the time {leaf.time}, earlier than {before} before it."
        # Step 4, the other columns.
        if row.actor is not None:
            return _contradiction(row, leaf)
        return None

    def _check_texts(self, first: int, committed: dict[tuple[int, str], str], unreadable: set[int]) -> None:
        # Step 5. What a leaf committed to is not known where the leaf itself is false.
        stored = self.source.texts(first, self.next)
        for text in stored or ():
            expected = committed.pop((text.sequence, text.path), None)
            if text.sequence in unreadable:
                continue
            if expected is None:
                self._report(
                    ProblemKind.TEXT,
                    f"Entry {text.sequence} has a side text {text.path!r} to which it never committed.",
                    text.sequence,
                )
            elif not _fits(text, expected):
                self._report(
                    ProblemKind.TEXT,
                    f"The side text {text.path!r} of entry {text.sequence} was changed: "
                    "it does not have the hash in the leaf.",
                    text.sequence,
                )
            else:
                self.texts += 1
        self.texts_absent += len(committed)

    def _grow(self, hashes: Sequence[bytes], checkpoints: Sequence[StoredCheckpoint]) -> None:
        filled: list[FilledTile] = []
        done = 0
        start = self.next - len(hashes)
        due: list[tuple[int, StoredCheckpoint | None]] = [(stored.size, stored) for stored in checkpoints]
        if self.outside is not None and start < self.outside.size <= self.next:
            due.append((self.outside.size, None))
        for size, stored in sorted(due, key=lambda at: at[0]):
            if self.tree is not None:
                filled += self.tree.extend(hashes[done : size - start])
                done = size - start
            if stored is None:
                self._check_outside()
            else:
                self._check_checkpoint(stored)
        if self.tree is not None:
            filled += self.tree.extend(hashes[done:])
            self._check_tiles(filled)

    def _check_tiles(self, filled: Sequence[FilledTile]) -> None:
        # Step 6.
        by_level = sorted(filled, key=lambda tile: (tile.level, tile.number))
        for level, group in groupby(by_level, key=lambda tile: tile.level):
            tiles = list(group)
            stored = self.source.full_tiles(level, tiles[0].number, tiles[-1].number + 1)
            by_index = {tile.number: tile for tile in stored}
            for tile in tiles:
                self._check_tile(tile, by_index.get(tile.number))

    def _check_tile(self, tile: FilledTile, stored: StoredTile | None) -> None:
        name = f"Tile {tile.number} at level {tile.level}"
        span = TILE_WIDTH**tile.level
        first = tile.number * TILE_WIDTH
        if stored is None:
            self._report(ProblemKind.TILE, f"{name} is missing.", first * span)
            return
        if stored.hashes != b"".join(tile.hashes):
            position = _first_difference(tile.hashes, stored.hashes)
            entry = (first + position) * span
            self._report(ProblemKind.TILE, f"{name} contradicts the entries from {entry} on.", entry)
        elif stored.root is not None and stored.root != tile.root:
            self._report(ProblemKind.TILE, f"{name} has a root that is not that of its hashes.", first * span)

    def _check_checkpoint(self, stored: StoredCheckpoint) -> None:
        # Step 7.
        self.checkpoints += 1
        size = stored.size
        try:
            checkpoint = open_checkpoint(stored.note, self.key)
        except CheckpointError as error:
            self._report(ProblemKind.CHECKPOINT, f"The checkpoint of {size} entries is not sound: {error}", size=size)
            return
        if checkpoint.size != size or (stored.root is not None and stored.root != checkpoint.root):
            self._report(
                ProblemKind.CHECKPOINT,
                f"The checkpoint of {size} entries is not what its signed note says ({checkpoint.size} entries, "
                f"root {checkpoint.root.hex()}).",
                size=size,
            )
            return
        if self.tree is None:
            return
        if checkpoint.root == self.tree.root():
            self.sound_size = size
        elif not self.false_roots:
            self.false_roots = 1
            among = _among(self.sound_size, size)
            self._report(
                ProblemKind.CHECKPOINT,
                f"The checkpoint of {size} entries has a root that its entries do not give: look at {among}.",
                self.sound_size,
                size,
            )
        else:
            # All later ones must differ as well: saying so once is enough.
            self.false_roots += 1
            self.problem_count += 1

    def _check_end(self) -> None:
        end = self.next
        # Step 8.
        newest = self.extent.tree_size
        if newest < end:
            self._report(ProblemKind.CHECKPOINT, f"Under no checkpoint: {_among(newest, end)}.", newest, newest)
        elif newest > end:
            self._report(
                ProblemKind.CHECKPOINT,
                f"The newest checkpoint is of {newest} entries, but the log ends after {end}: its tail was cut off.",
                end,
                newest,
            )
        # Step 6, the rest.
        if self.tree is None:
            return
        for path, hashes in self.tree.partial_tiles():
            stored = self.source.partial_tile(path)
            if stored is not None and stored != hashes:
                self._report(ProblemKind.TILE, f"The partial tile {path} contradicts the entries.")
        if self.extent.tiles is not None and self.extent.tiles != _full_tiles(end):
            self._report(
                ProblemKind.TILE, f"There are {self.extent.tiles} full tiles; {end} entries fill {_full_tiles(end)}."
            )

    def _check_outside(self) -> None:
        # Step 9.
        assert self.outside is not None
        if self.tree is None or self.tree.root() == self.outside.root:
            return
        size = self.outside.size
        self._report(
            ProblemKind.OUTSIDE,
            f"The log does not extend the checkpoint kept outside: its first {size} entries have the root "
            f"{self.tree.root().hex()}, then it was {self.outside.root.hex()}. The log was rebuilt or its entries "
            "were changed, whatever its own checkpoints say.",
            size=size,
        )

    def _report_cut(self, outside: Checkpoint) -> None:
        # Step 9, for a log that became shorter.
        self._report(
            ProblemKind.OUTSIDE,
            f"The checkpoint kept outside is of {outside.size} entries, but the log ends after {self.next}: "
            "its tail was cut off, or an old copy was put in its place.",
            self.next,
            outside.size,
        )


def _contradiction(row: StoredEntry, leaf: Leaf) -> tuple[ProblemKind, str] | None:
    subject = leaf.subject
    if (row.time, row.actor, row.action, row.subject_kind, row.subject_id) == (
        leaf.time,
        leaf.actor,
        leaf.action,
        subject.kind,
        subject.id,
    ):
        return None
    pairs = {
        "time": (row.time, leaf.time),
        "actor": (row.actor, leaf.actor),
        "action": (row.action, leaf.action),
        "subject_kind": (row.subject_kind, subject.kind),
        "subject_id": (row.subject_id, subject.id),
    }
    name, (column, truth) = next(item for item in pairs.items() if item[1][0] != item[1][1])
    return (
        ProblemKind.ROW,
        f"Entry {row.sequence} was changed: its column {name} says {column!r}, its leaf {truth!r}.",
    )


def _fits(text: StoredText, expected: str) -> bool:
    return commitment(text.salt, text.text) == expected


def _first_difference(hashes: Sequence[bytes], stored: bytes) -> int:
    for position, digest in enumerate(hashes):
        if stored[position * HASH_SIZE : (position + 1) * HASH_SIZE] != digest:
            return position
    return 0


def _among(first: int, end: int) -> str:
    return f"entry {first}" if end - first == 1 else f"entries {first} to {end - 1}"


def _full_tiles(size: int) -> int:
    count = 0
    level = 1
    while full := hashes_at(level, size):
        count += full
        level += 1
    return count
