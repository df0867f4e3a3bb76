"""All tables, so that migrations and tests see the whole schema."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from audit.tables import METADATA as LOG_METADATA
from registry.access import tables as access
from registry.assessments import tables as assessments
from registry.cards import tables as cards
from registry.catalog import tables as catalog
from registry.documents import tables as documents
from registry.findings import tables as findings
from registry.jobs import tables as jobs
from registry.lapses import tables as lapses
from registry.monitoring import tables as monitoring
from registry.notifications import tables as notifications
from registry.policy import tables as policy
from registry.promotion import tables as promotion
from registry.vulnerabilities import tables as vulnerabilities

ROOMS = (
    access,
    assessments,
    cards,
    catalog,
    documents,
    findings,
    jobs,
    lapses,
    monitoring,
    notifications,
    policy,
    promotion,
    vulnerabilities,
)

METADATA: tuple[MetaData, ...] = (SQLModel.metadata, LOG_METADATA)
"""The registry's tables and the log's."""
