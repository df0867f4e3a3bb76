import hashlib

import pytest
from sqlalchemy import update

from registry.access.actor import Place
from registry.catalog.risk import assess_risk
from registry.errors import UnavailableError
from registry.policy.errors import NoPolicyError
from registry.policy.service import activate_default, active_policy, list_policies, policy_of
from registry.policy.tables import PolicyRow
from registry.resources import default_policy_path
from tests.registry.conftest import PROFILE


def test_default_is_activated_once_and_governs(units):
    with units.reading() as unit, pytest.raises(NoPolicyError):
        active_policy(unit)
    for _ in range(2):
        with units.writing() as unit:
            activate_default(unit)
            recorded = unit
        if recorded.entries:
            (entry,) = recorded.entries
    with units.reading() as unit:
        (row,) = list_policies(unit)
        active = active_policy(unit)
        assert policy_of(unit, row.id) == active
        assert assess_risk(unit, Place("credit-default", "retail-risk"), PROFILE).tier == "high"
    text = default_policy_path().read_text(encoding="utf-8")
    assert row.text == text
    assert row.digest == active.digest == hashlib.sha256(text.encode()).digest()
    assert entry.action == "policy.activated"
    assert entry.changes["sha256"] == row.digest.hex()
    assert recorded.entries == ()


def test_policy_whose_text_was_edited_in_the_table_governs_nothing(units):
    with units.writing() as unit:
        activate_default(unit)
        unit.session.flush()
        # A digest that this process has not read before, so that the text is read again.
        unit.session.execute(update(PolicyRow).values(digest=bytes(32)))
    with units.reading() as unit, pytest.raises(UnavailableError, match="SHA-256"):
        active_policy(unit)
