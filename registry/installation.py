"""What an installation is made of: its directories, its signing key, its database, its first administrator."""

import importlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from audit.errors import KeyFileError, KeyFormatError
from audit.keys import Ed25519Signer, create_key_file, load_key_file, load_key_from_command
from audit.log import Log
from registry.database import Database, current_revision, head_revision
from registry.errors import UnavailableError
from registry.settings import Settings
from registry.unit import Units

LOG_KEY_FILE = "log.key"
SEAL_DIRECTORY = "seal"


@dataclass(frozen=True)
class FirstStart:
    """What the first start made, for whoever started it to see once."""

    key_created: Path | None
    seal_created: Path | None
    token: str | None
    """The one-time administrator token."""
    waits_for_exchange: bool = False
    """An earlier start printed the one-time token, and nobody has an ordinary one yet."""


def log_key_path(settings: Settings) -> Path:
    """The file (mode 0600) of the key that signs the log's checkpoints."""
    return settings.keys_directory / LOG_KEY_FILE


def seal_directory(settings: Settings) -> Path:
    """The directory of the certificates and key that seal model cards."""
    return settings.keys_directory / SEAL_DIRECTORY


def has_log_key(settings: Settings) -> bool:
    """Whether there is a signing key: in its file, or given by the settings."""
    return settings.log_key is not None or settings.log_key_command is not None or log_key_path(settings).exists()


def load_signer(settings: Settings) -> Ed25519Signer:
    """The log's signing key: from the settings, from a command that they name, or from its file.

    Raises:
        UnavailableError: the file is missing or readable by others, the command fails, or the key is none of this
            log's origin.
    """
    path = log_key_path(settings)
    try:
        if settings.log_key is not None:
            where, signer = "ACTA_LOG_KEY", Ed25519Signer.parse(settings.log_key.get_secret_value())
        elif settings.log_key_command is not None:
            where, signer = "ACTA_LOG_KEY_COMMAND", load_key_from_command(settings.log_key_command)
        else:
            where, signer = str(path), load_key_file(path)
    except (KeyFileError, KeyFormatError) as error:
        raise UnavailableError(f"The log's signing key cannot be used: {error}") from error
    if signer.verifier_key.name != settings.log_origin:
        raise UnavailableError(
            f"The key in {where} signs for {signer.verifier_key.name!r}, the settings name {settings.log_origin!r}.",
            "A log keeps its origin for ever: set ACTA_LOG_ORIGIN back.",
        )
    return signer


def open_units(settings: Settings) -> Units:
    """The units of work of an installation that has been started before.

    Raises:
        UnavailableError: no key, or a database that is not migrated.
    """
    # Rows refer to each other: whoever writes one needs the tables that it names.
    importlib.import_module("registry.tables")
    return Units(open_database(settings), Log(settings.log_origin, load_signer(settings)))


def open_database(settings: Settings) -> Database:
    """The database, where it is at the newest revision.

    Raises:
        UnavailableError: it does not answer, or it is not migrated.
    """
    if settings.database.startswith("sqlite:///") and not Path(settings.database[len("sqlite:///") :]).exists():
        raise UnavailableError(
            f"There is no database at {settings.database[len('sqlite:///') :]}.", "Run `acta database upgrade`."
        )
    database = Database(settings.database)
    found, head = current_revision(database), head_revision()
    if found != head:
        database.dispose()
        state = "has not been migrated" if found is None else f"is at revision {found}, this Acta needs {head}"
        raise UnavailableError(f"The database {state}.", "Run `acta database upgrade`.")
    return database


def start(settings: Settings) -> FirstStart:
    """Make what is missing: directories, keys, the first administrator, the default policy. Repeating it is harmless.

    Raises:
        UnavailableError: the database is not migrated; or a key or the seal is missing although it was used before.
    """
    from registry.access.service import anybody_has_a_token, found_installation
    from registry.policy.service import activate_default

    database = open_database(settings)
    try:
        made = _create_keys(settings, database)
        with Units(database, Log(settings.log_origin, load_signer(settings))).writing() as unit:
            issued = found_installation(unit)
            activate_default(unit)
            waits = issued is None and not anybody_has_a_token(unit)
        seal = _create_seal(settings, database)
        return FirstStart(made, seal, None if issued is None else issued.secret, waits)
    finally:
        database.dispose()


def refuse_lost_key(settings: Settings, database: Database) -> None:
    """Of an installation without a signing key: tell a key that was lost from one that was never made.

    Raises:
        UnavailableError: it was lost.
    """
    if _has_rows(database, "acta_log_entry"):
        raise UnavailableError(
            f"The log has entries, but its signing key {log_key_path(settings)} is missing.",
            "Restore the key from its backup; a new key would not continue this log.",
        )


def refuse_lost_seal(settings: Settings, database: Database) -> None:
    """Of an installation without a seal: tell a seal that was lost from one that was never made.

    Raises:
        UnavailableError: it was lost.
    """
    if _has_rows(database, "acta_card"):
        raise UnavailableError(
            f"There are sealed model cards, but the seal's directory {seal_directory(settings)} is missing.",
            "Restore it from its backup. If it is lost, `acta card new-seal` makes another: who checks cards needs its "
            "root besides the old one.",
        )


def _create_keys(settings: Settings, database: Database) -> Path | None:
    if has_log_key(settings):
        _private_directory(settings.keys_directory)
        return None
    path = log_key_path(settings)
    refuse_lost_key(settings, database)
    _private_directory(settings.keys_directory)
    try:
        create_key_file(path, settings.log_origin)
    except KeyFileError as error:
        raise UnavailableError(f"The log's signing key cannot be made: {error}") from error
    return path


def replace_lost_seal(settings: Settings) -> Path:
    """Make another seal where the one that sealed earlier cards is lost; the directory that holds it.

    Raises:
        UnavailableError: there is a seal.
    """
    directory = seal_directory(settings)
    if directory.exists():
        raise UnavailableError(
            f"There is a seal in {directory}.", "Move the directory away first if it may no longer be used."
        )
    return _make_seal(settings, directory)


def _create_seal(settings: Settings, database: Database) -> Path | None:
    directory = seal_directory(settings)
    if directory.exists():
        return None
    refuse_lost_seal(settings, database)
    return _make_seal(settings, directory)


def _make_seal(settings: Settings, directory: Path) -> Path:
    from reports.seal import create_seal

    create_seal(directory, settings.organisation, datetime.now(UTC))
    return directory


def _has_rows(database: Database, table: str) -> bool:
    from sqlalchemy import literal, select
    from sqlalchemy import table as named

    with database.engine.connect() as connection:
        return connection.execute(select(literal(1)).select_from(named(table)).limit(1)).first() is not None


def _private_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise UnavailableError(
            f"The directory {path} cannot be made ({error.strerror}).", "Check ACTA_HOME and its owner."
        ) from error
