"""The people and the version at a gate, as the tests of promotion have them."""

import pytest

from tests.registry.promotion.conftest import governance

__all__ = ["governance", "in_production"]


@pytest.fixture
def in_production(governance, registered):
    """The version, in production."""
    governance.promote(registered)
    return registered
