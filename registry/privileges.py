"""On PostgreSQL the service's role owns no table: what it may do, and no more, is granted here by the owner."""

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import Connection

from registry.database import translated_errors
from registry.tables import METADATA

APPEND_ONLY = ("acta_log_entry", "acta_log_tile", "acta_log_checkpoint")
ERASABLE = ("acta_log_text",)


def grant_to_service(owner_url: str, service_url: str) -> None:
    """Grant the service's role reading and writing on state tables, and only reading and appending on the log.

    Raises:
        UnavailableError: the database does not answer.
    """
    role = make_url(service_url).username
    if role is None:
        return
    engine = create_engine(owner_url)
    with translated_errors(), engine.begin() as connection:
        _grant(connection, connection.dialect.identifier_preparer.quote(role))
    engine.dispose()


def _grant(connection: Connection, role: str) -> None:
    names = sorted(table.name for metadata in METADATA for table in metadata.tables.values())
    for name in names:
        if name in APPEND_ONLY:
            rights = "SELECT, INSERT"
        elif name in ERASABLE:
            rights = "SELECT, INSERT, DELETE"
        else:
            rights = "SELECT, INSERT, UPDATE, DELETE"
        connection.execute(text(f"REVOKE ALL ON {name} FROM {role}"))
        connection.execute(text(f"GRANT {rights} ON {name} TO {role}"))
    connection.execute(text(f"GRANT SELECT ON acta_alembic_version TO {role}"))
