"""One rendered and sealed card for all tests of a process: rendering takes seconds."""

from datetime import UTC, datetime

import pytest

from reports.card import render_pdf
from reports.seal import create_seal, seal_pdf
from tests.reports import sample
from tests.system_tools import require_pango


@pytest.fixture(scope="session")
def rendered():
    require_pango()
    return render_pdf(sample.FACTS, sample.CHARTS, templates=sample.TEMPLATES, fonts=sample.FONTS, record=sample.RECORD)


@pytest.fixture(scope="session")
def seal(tmp_path_factory):
    return create_seal(tmp_path_factory.mktemp("keys") / "seal", "Example Bank", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="session")
def sealed(rendered, seal):
    return seal_pdf(rendered, seal, sample.NOW)


@pytest.fixture
def render():
    require_pango()

    def rendering(facts, charts=(), **options):
        return render_pdf(facts, charts, templates=sample.TEMPLATES, fonts=sample.FONTS, **options)

    return rendering
