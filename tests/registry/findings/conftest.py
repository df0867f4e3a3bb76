"""The people and the version at a gate, as the tests of promotion have them."""

from tests.registry.promotion.conftest import governance

__all__ = ["governance"]
