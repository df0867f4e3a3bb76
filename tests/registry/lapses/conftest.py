"""The people and the version at a gate, as the tests of promotion have them."""

import pytest
import yaml

from registry.policy.activation import activate
from registry.resources import default_policy_path
from tests.registry.promotion.conftest import governance

__all__ = ["governance", "in_production", "slowly_ageing"]

SOON_TOO_OLD = "vulnerabilities-checked"
"""An item that a version meets for two weeks only: its data are then too old."""


@pytest.fixture
def slowly_ageing(governance):
    """The default policy without what lapses first, so that what a test lets lapse is all that does."""
    raw = yaml.safe_load(default_policy_path().read_text(encoding="utf-8"))
    raw["version"] = "999.1"
    for gate in raw["gates"]:
        gate["items"] = [item for item in gate["items"] if item != SOON_TOO_OLD]
    for checklist in raw["checklists"]:
        for item in checklist["items"]:
            if item["shown"]["by"] == "check":
                item["shown"].pop("max_age_days", None)
            if item["id"] == "digest-verified":
                item["shown"]["parameters"] = {"max_age_days": 3650}
    with governance.units.writing() as unit:
        activate(unit, governance.people.administrator, yaml.safe_dump(raw))


@pytest.fixture
def in_production(governance, slowly_ageing, registered):
    """The version, in production."""
    governance.promote(registered)
    return registered
