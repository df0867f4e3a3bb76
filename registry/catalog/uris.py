"""URIs that clients state: of a version's files, and of what it came from. Checked as text; nothing is opened here."""

import re
from collections.abc import Set

from registry.errors import InvalidInputError

LONGEST_URI = 2000

ARTIFACT_SCHEMES = frozenset(
    "file local s3 s3a r2 b2 gs gcs abfs abfss az adl wasb wasbs hdfs viewfs webhdfs dbfs ftp sftp http https "
    "models runs mlflow-artifacts".split()
)
"""Where MLflow's artifact stores and fsspec's remote file systems keep a model's files."""

LINEAGE_SCHEMES = ARTIFACT_SCHEMES | frozenset(
    "git ssh git+ssh git+https sqlite postgresql mysql mssql databricks databricks-uc hf".split()
)
"""Those, repositories of code, and the databases and services that MLflow tracks runs and data sets in."""

# RFC 3986, section 3.1. A database's scheme may name its driver after a plus sign: `postgresql+psycopg`.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# RFC 3986, section 3.2.1, and the spellings without slashes that some parsers take for one.
_USER = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*@|(?:https?|ftp|sftp):[^/?#]*@", re.IGNORECASE)
_DATABASES = frozenset({"sqlite", "postgresql", "mysql", "mssql"})


def checked_artifact_uri(field: str, value: str) -> str:
    """The URI or the absolute path of a model's files: returned unchanged, or refused.

    Raises:
        InvalidInputError: no URI, one that carries a user name or a password, or a scheme that is no artifact store's.
    """
    scheme = _checked_scheme(field, value, ARTIFACT_SCHEMES)
    if scheme is None and not value.startswith("/"):
        raise InvalidInputError(field, value, f"write an absolute path, or a URI: {_listed(ARTIFACT_SCHEMES)}")
    return value


def checked_lineage_uri(field: str, value: str) -> str:
    """The URI, or a reference without scheme, of something that a version came from: returned unchanged, or refused.

    Raises:
        InvalidInputError: no URI, one that carries a user name or a password, or a scheme that is not listed.
    """
    _checked_scheme(field, value, LINEAGE_SCHEMES)
    return value


def _checked_scheme(field: str, value: str, allowed: Set[str]) -> str | None:
    if not value or len(value) > LONGEST_URI or not value.isprintable() or value != value.strip():
        raise InvalidInputError(field, value, "a URI has 1 to 2000 printable characters and no spaces around it")
    if _USER.match(value):
        raise InvalidInputError(field, "(hidden)", "a URI must not carry a user name or password")
    found = _SCHEME.match(value)
    if found is None:
        return None
    scheme = found[1].lower()
    dialect = scheme.partition("+")[0]
    if scheme not in allowed and not (dialect in _DATABASES and dialect in allowed):
        raise InvalidInputError(
            field, value, f"the scheme {scheme[:40]!r} is not among those allowed: {_listed(allowed)}"
        )
    return scheme


def _listed(schemes: Set[str]) -> str:
    return ", ".join(sorted(schemes))
