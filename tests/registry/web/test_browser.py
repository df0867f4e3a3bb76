"""The pages in a real browser: nothing blocked, nothing overflowing, nothing that axe-core finds wrong."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from registry.access.service import create_token
from registry.installation import replace_lost_seal
from tests.acta_server import ActaServer
from tests.registry.conftest import ORIGIN
from tests.system_tools import require_tool

VIEWS = {"wide": (1280, 900, "light"), "phone, dark": (390, 844, "dark")}


@pytest.fixture
def database_kind() -> str:
    """One database is enough to look at pages."""
    return "sqlite"


# Only what the test asks for: no sandbox for root, no shared memory, no talk of the browser's own with anybody.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
def browser(address) -> Iterator[Browser]:
    """Chromium, as the system brings it; started last, when the server is ready."""
    program = require_tool("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def address(full, migrated_url, settings, tmp_path) -> Iterator[str]:
    """Where a server shows the full registry."""
    # Its card was written without the seal that the server would miss.
    replace_lost_seal(settings)
    server = ActaServer(tmp_path, migrated_url, {"ACTA_LOG_ORIGIN": ORIGIN})
    server.start("--no-worker")
    yield server.url
    server.terminate()


def test_people_sign_in_and_read_pages_that_fit_and_that_axe_approves(browser, address, units, people, full):
    with units.writing() as unit:
        token = create_token(unit, people.auditor, people.auditor.id, "browser", 1).secret
    complaints: list[str] = []
    for view, (width, height, scheme) in VIEWS.items():
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}/models")
        assert page.url == f"{address}/sign-in?next=%2Fmodels"
        page.fill("#token", token)
        page.click("main button")
        assert page.url == f"{address}/models"
        # axe-core is a script: a second context lets it in past the policy, the first shows that nothing is blocked.
        opened = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            bypass_csp=True,
            storage_state=context.storage_state(),
        )
        looked_at = opened.new_page()
        for path in ("/", full.version, full.waiting, full.hostile, f"/promotions/{full.request_id}", "/audit/20"):
            page.goto(address + path)
            wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wider <= 0, f"{path} overflows by {wider} px ({view})"
            looked_at.goto(address + path)
            found = Axe().run(looked_at).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], f"{path} ({view})"
        context.close()
        opened.close()
    assert complaints == []
