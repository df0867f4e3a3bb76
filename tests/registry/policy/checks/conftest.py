"""A second package of checks, installed beside Acta's own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.policy.checks.installed import forget_checks
from tests.registry.policy.checks.package import MODULE, install


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages that this process and those of checks look into."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    forget_checks()
    yield folder
    sys.modules.pop(MODULE, None)
    forget_checks()


@pytest.fixture
def strange_package(site: Path) -> Path:
    """The package, installed."""
    install(site)
    return site
