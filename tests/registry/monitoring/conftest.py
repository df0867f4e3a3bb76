"""A receiver of webhooks."""

from collections.abc import Iterator

import pytest

from tests.registry.receiving import Receiver, listening


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as made:
        yield made[0]
