"""Environment variables with the prefix `ACTA_` -> `Settings`."""

import os
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from registry.errors import UnavailableError


def default_home() -> Path:
    """Where a registry on a laptop lives: the XDG data directory of its user."""
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "acta"


class SmtpSecurity(StrEnum):
    """How the connection to the mail server is secured."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"
    """In clear: for a mail server on this machine."""


class Settings(BaseSettings):
    """What an installation may set. `acta settings` prints it with secrets masked."""

    model_config = SettingsConfigDict(env_prefix="ACTA_", extra="forbid", frozen=True)

    home: Path = Field(default_factory=default_home)
    """Directory of the embedded database, of stored files, keys and logs."""
    database_url: SecretStr | None = None
    """SQLAlchemy URL; without one, SQLite below `home`. The service's own role, which owns no table on PostgreSQL."""
    database_owner_url: SecretStr | None = None
    """The role that migrates and owns the tables; without one, `database_url` does both."""
    storage_url: str | None = None
    """fsspec URL of the folder for documents, assessments and cards; without one, `home`/storage."""
    artifact_roots: Annotated[tuple[str, ...], NoDecode] = ()
    """URLs or directories, separated by commas, below which model artifacts and data sets may be read."""
    organisation: str = "Acta self-hosted"
    """Named on seals, cards and pages."""
    log_origin: str = "acta.local/log"
    """The log's name in its checkpoints (C2SP tlog-checkpoint origin). Fixed once the log exists."""
    log_key: SecretStr | None = None
    """The log's signing key itself, from a vault for example; without one, `log_key_command` or the file."""
    log_key_command: str | None = None
    """A command that prints the log's signing key; run without a shell at each start of a process."""
    public_url: str = "http://127.0.0.1:8700"
    """Where people reach this installation; printed on cards."""
    host: str = "127.0.0.1"
    port: int = Field(default=8700, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    """Server processes."""
    token_days: int = Field(default=90, ge=1, le=3650)
    """How long an API token lives unless its creator says otherwise, in days."""
    session_hours: int = Field(default=8, ge=1, le=168)
    """How long a browser stays signed in, in hours."""
    document_limit_bytes: int = Field(default=25 * 2**20, ge=1)
    """Largest uploaded document."""
    dataset_limit_bytes: int = Field(default=200 * 2**20, ge=1)
    """Largest data set uploaded for an assessment."""
    osv_export: Path | None = None
    """Export of known vulnerabilities in the OSV format, a ZIP file or a folder of JSON records, kept up to date by the
    operator; without one, checks for them find an error."""
    check_limit_bytes: int = Field(default=10 * 2**30, ge=1)
    """Largest artifact that is copied for the checks that look into it."""
    check_seconds: float = Field(default=120.0, gt=0)
    """How long one of those checks may take."""
    log_public: bool = False
    """Whether `/log/` is readable without signing in."""
    metrics_public: bool = False
    """Whether `/metrics` is readable without signing in."""
    job_lease_seconds: float = Field(default=30.0, gt=0)
    """A worker silent for this long has lost its job to the next."""
    job_poll_seconds: float = Field(default=0.5, gt=0)
    """How often an idle worker looks for jobs."""

    webhook_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts, separated by commas, that webhooks may reach although their addresses are not public, each as `host` or
    `host:port`."""
    smtp_host: str | None = None
    """The mail server; without one, no e-mail is sent."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: SmtpSecurity = SmtpSecurity.STARTTLS
    """`starttls`, `tls` (mostly port 465), or `none`."""
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = None
    """The sender; without one, acta@ and the host of `public_url`."""

    @field_validator("artifact_roots", "webhook_allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @cached_property
    def database(self) -> str:
        """The service's SQLAlchemy URL, with the driver named."""
        if self.database_url is None:
            return f"sqlite:///{self.home.resolve() / 'acta.db'}"
        return normalise_database_url(self.database_url.get_secret_value())

    @cached_property
    def owner_database(self) -> str:
        """The URL that migrates."""
        if self.database_owner_url is None:
            return self.database
        return normalise_database_url(self.database_owner_url.get_secret_value())

    @cached_property
    def storage(self) -> str:
        """fsspec URL of the folder that holds stored bytes."""
        return self.storage_url or str(self.home.resolve() / "storage")

    @property
    def keys_directory(self) -> Path:
        """Directory (mode 0700) of the log's signing key and of the seal."""
        return self.home.resolve() / "keys"

    @property
    def logs_directory(self) -> Path:
        """Directory of the rotating access log."""
        return self.home.resolve() / "logs"


def normalise_database_url(url: str) -> str:
    """A SQLAlchemy URL with its driver from what people write: a path, `sqlite:///…`, `postgresql://…`.

    Raises:
        UnavailableError: the URL names a database that Acta does not run on.
    """
    if url.startswith(("postgres://", "postgresql://")):
        return "postgresql+psycopg://" + url.split("://", 1)[1]
    if url.startswith(("sqlite:///", "postgresql+psycopg://")):
        return url
    if "://" not in url:
        return f"sqlite:///{Path(url).resolve()}"
    scheme = url.split("://", 1)[0]
    raise UnavailableError(
        f"Acta does not run on databases of the kind {scheme!r}.",
        "Set ACTA_DATABASE_URL to sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME.",
    )
