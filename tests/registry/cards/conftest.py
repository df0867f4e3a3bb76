"""Versions with evidence, decided or not, and an installation that can seal."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from registry.assessments import service as assessments
from registry.assessments.request import parse_roles
from registry.assessments.service import Predictions
from registry.catalog.service import version_by_id
from registry.installation import seal_directory
from registry.jobs.worker import Worker
from registry.promotion.waivers import grant_waiver
from registry.storage import Storage
from reports.seal import create_seal
from tests.registry.assessments.predictions import ROLES, parquet, table
from tests.registry.conftest import TEST_DATA_DIGEST
from tests.registry.promotion.conftest import Governance
from tests.system_tools import require_pango


@pytest.fixture
def seal(settings, units):
    """The installation's seal, as its first start makes it."""
    require_pango()
    return create_seal(seal_directory(settings), "Example Bank", datetime.now(UTC) - timedelta(days=1))


@pytest.fixture
def governance(units, people, settings) -> Governance:
    """People at work."""
    return Governance(units, people, settings)


@pytest.fixture
def assessed(governance, settings, units, people, registered):
    """The version has all evidence but a good assessment: the real one fails for women."""
    governance.complete(registered)
    data = parquet(table(2000, refused_women=0.3))
    digest = Storage(settings.storage).put(data)
    predictions = Predictions("holdout.parquet", digest, len(data), ("defaulted", "predicted", "sex", "age"))
    roles = parse_roles(msgspec.json.encode(ROLES | {"declared_digest": TEST_DATA_DIGEST}).decode())
    with units.writing() as unit:
        assessments.request(unit, people.developer, "credit-default", 1, predictions, roles)
    Worker(units, settings).run_until_idle()
    return registered


@pytest.fixture
def waived(assessed, units, people):
    """A risk officer has excused the failed assessment for a month."""
    with units.writing() as unit:
        grant_waiver(
            unit,
            people.risk,
            version_by_id(unit, people.risk, assessed.version.id),
            "bias-assessed",
            reason="The disparity is understood.",
            compensating_measure="A person reviews every refusal of a woman.",
            expires_at=unit.now + timedelta(days=30),
        )
    return assessed
