"""Verifying a log from outside: opens what the auditor names, and has `audit` check it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from audit.errors import AuditError, KeyFormatError, SourceError
from audit.note import VerifierKey
from audit.served import FolderSource, HttpSource
from audit.sources import DatabaseSource, Source
from audit.verification import Verification
from audit.verifier import verify
from registry.database import Database, Mode
from registry.errors import InvalidInputError, UnavailableError
from registry.settings import Settings, normalise_database_url


def parse_key(text: str) -> VerifierKey:
    """A verifier key as people hand it over.

    Raises:
        InvalidInputError: it is none.
    """
    try:
        return VerifierKey.parse(text.strip())
    except KeyFormatError as error:
        raise InvalidInputError("key", text, f"{error} `acta audit key` prints it on the server") from None


def own_key(settings: Settings) -> VerifierKey:
    """The verifier key of this installation.

    Raises:
        UnavailableError: there is no key here.
    """
    from registry.installation import load_signer

    return load_signer(settings).verifier_key


def verify_log(
    source: str, key: VerifierKey, outside: str | None, token: str | None, progress: Callable[[int, int], None]
) -> Verification:
    """Verify a whole log: a database file or URL, an exported folder, or the http(s) address of a server.

    Raises:
        InvalidInputError: `source` names a file that is not there.
        UnavailableError: it could not be read, or `outside` is no checkpoint of this log: nothing is known.
    """
    try:
        with _opened(source, token) as opened:
            return verify(opened, key, outside, progress)
    except SourceError as error:
        raise UnavailableError(f"The log could not be checked: {error}") from error
    except AuditError as error:
        raise UnavailableError(f"The checkpoint kept outside cannot be compared with this log: {error}") from error


@contextmanager
def _opened(source: str, token: str | None) -> Iterator[Source]:
    if source.startswith(("http://", "https://")):
        with closing(HttpSource(source, token)) as served:
            yield served
        return
    if Path(source).is_dir():
        yield FolderSource(Path(source))
        return
    url = normalise_database_url(source)
    if url.startswith("sqlite:///") and not Path(url[len("sqlite:///") :]).is_file():
        raise InvalidInputError(
            "SOURCE", source, "there is no such file; name a file, a folder, a database URL or an address"
        )
    database = Database(url)
    try:
        with database.transaction(Mode.READ) as session:
            yield DatabaseSource(session.connection())
    except UnavailableError as error:
        raise UnavailableError(error.sentence, "Check the name and the address of the log to be verified.") from error
    finally:
        database.dispose()
