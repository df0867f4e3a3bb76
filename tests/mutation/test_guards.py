"""The list of guards keeps step with the code."""

import pytest

from tests.mutation.promotion_guards import GUARDS, ROOT


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_guard_stands_in_the_code_once(guard):
    assert (ROOT / guard.file).read_text().count(guard.lines) == 1
    assert guard.lines != guard.without
