"""The tour's own directory: claimed by a marker file, wiped by the next run, never somebody else's."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from registry.errors import ConflictError, InvalidInputError

MARKER = ".acta-demo"
MARKER_TEXT = "This directory belongs to `acta demo`: its next run here deletes everything in it.\n"


@dataclass(frozen=True)
class DemoDirectory:
    """Where a run of the tour keeps what it makes."""

    root: Path

    @property
    def home(self) -> Path:
        """ACTA_HOME of the tour's server: database, stored files, keys."""
        return self.root / "home"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "acta.db"

    @property
    def training(self) -> Path:
        """Data, MLflow's store and artifacts."""
        return self.root / "training"

    @property
    def documents(self) -> Path:
        """Documents as their author wrote them."""
        return self.root / "documents"

    @property
    def tokens(self) -> Path:
        """One file for each actor's API token (mode 0600)."""
        return self.root / "tokens"

    @property
    def kept_outside(self) -> Path:
        """Stands for a place that the log's keeper cannot reach."""
        return self.root / "kept-outside"

    @property
    def attacks(self) -> Path:
        """Copies of the database that are tampered with."""
        return self.root / "attacks"

    @property
    def card(self) -> Path:
        """The sealed model card."""
        return self.root / "model-card.pdf"

    @property
    def server_log(self) -> Path:
        """What the server said."""
        return self.root / "server.log"


@contextmanager
def claimed(path: Path) -> Iterator[DemoDirectory]:
    """An empty directory of the tour's own, held against a second run at the same time.

    Raises:
        InvalidInputError: there is something at `path` that no earlier run made.
        ConflictError: another run is using it.
    """
    root = path.absolute()
    if root.is_symlink() or (root.exists() and not root.is_dir()):
        raise InvalidInputError("--directory", str(path), "it is no directory; name a new one")
    marker = root / MARKER
    if root.is_dir() and any(root.iterdir()) and not marker.is_file():
        raise InvalidInputError(
            "--directory", str(path), "it holds files that `acta demo` did not make; name a new or an empty directory"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise InvalidInputError("--directory", str(path), f"it cannot be made ({error.strerror})") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConflictError(
                f"Another `acta demo` is using {root}.", "Stop it (Ctrl-C), or name another --directory."
            ) from None
        file.write(MARKER_TEXT)
        file.flush()
        _wipe(root)
        directory = DemoDirectory(root)
        for made in (
            directory.home,
            directory.training,
            directory.documents,
            directory.kept_outside,
            directory.attacks,
        ):
            made.mkdir()
        directory.tokens.mkdir(mode=0o700)
        yield directory


def _wipe(root: Path) -> None:
    for entry in root.iterdir():
        if entry.name == MARKER:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
