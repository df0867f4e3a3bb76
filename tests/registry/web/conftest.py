"""A registry in which everything is there that a page can show, and a browser's view of it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from urllib.parse import quote
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import update

from registry.assessments import service as assessments
from registry.assessments.request import parse_roles
from registry.assessments.service import Predictions
from registry.cards.service import request_card
from registry.catalog import service as catalog
from registry.catalog.facts import DatasetRole, EdgeKind, LineageEdge, VersionFacts
from registry.catalog.labels import set_tag
from registry.catalog.service import ModelTexts
from registry.documents.service import NewDocument, upload
from registry.findings.service import NewFinding, open_finding, remediate
from registry.findings.tables import FindingRow
from registry.jobs.worker import Worker
from registry.lapses.jobs import look
from registry.policy.policy import Severity
from registry.promotion.waivers import Excuse, grant_waiver, waive_finding
from registry.storage import Storage
from tests.registry.assessments.predictions import ROLES, parquet, table
from tests.registry.conftest import PROFILE, TEST_DATA_DIGEST, Api
from tests.registry.promotion.conftest import Governance

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }}"
HOSTILE_NAME = 'it\'s "50%" <b>&amp; größer?#{{ 7*7 }}'
HOSTILE_MARKDOWN = (
    f"# Heading\n\n{HOSTILE}\n\n[press](javascript:alert(3)) ![picture](https://elsewhere.example/x.png)\n"
)


@dataclass(frozen=True)
class Full:
    """Addresses of every kind of page, and what some of them show."""

    version: str
    waiting: str
    hostile: str
    document: str
    document_id: UUID
    request_id: UUID
    addresses: tuple[str, ...]


@pytest.fixture
def full(units, people, registered, settings) -> Full:
    """One version in production, one at the gate with a waiver, one with hostile texts; a document, a card, a log."""
    governance = Governance(units, people, settings)
    executed = governance.promote(registered)
    waiting = governance.register()
    request_id = governance.request(waiting)
    storage = Storage(settings.storage)
    data = parquet(table(2000, refused_women=0.3))
    predictions = Predictions("holdout.parquet", storage.put(data), len(data), ("defaulted", "predicted", "sex", "age"))
    roles = parse_roles(msgspec.json.encode(ROLES | {"declared_digest": TEST_DATA_DIGEST}).decode())
    with units.writing() as unit:
        assessments.request(unit, people.developer, "credit-default", 2, predictions, roles)
    Worker(units, settings).run_until_idle()
    document_id = hostile_document(units, people, storage, 2)
    with units.writing() as unit:
        again = catalog.version_by_id(unit, people.risk, waiting.version.id)
        grant_waiver(
            unit,
            people.risk,
            again,
            "bias-assessed",
            reason=HOSTILE,
            compensating_measure=HOSTILE,
            expires_at=unit.now + timedelta(days=20),
        )
        request_card(unit, people.developer, "credit-default", 2)
    finding_id = _hostile_findings(units, people, registered, again)
    hostile = _hostile_version(units, people)
    version, other = "/models/credit-default/versions/1", "/models/credit-default/versions/2"
    document = f"/documents/{document_id}"
    return Full(
        version=version,
        waiting=other,
        hostile=hostile,
        document=document,
        document_id=document_id,
        request_id=request_id,
        addresses=(
            "/",
            "/models",
            "/models?contains=credit",
            "/models/credit-default",
            version,
            f"{version}?target_stage=archived",
            other,
            hostile,
            "/promotions",
            "/promotions?state=open",
            f"/promotions/{request_id}",
            f"/promotions/{executed}",
            f"/findings/{finding_id}",
            document,
            "/audit",
            "/audit?action=waiver.granted",
            "/audit/0",
            "/audit/20",
            "/policies",
            "/api",
        ),
    )


def _hostile_findings(units, people, serving, waiting) -> UUID:
    """An overdue finding on the version in production, which makes its review due; a waived one at the gate."""
    new = NewFinding(Severity.CRITICAL, HOSTILE, HOSTILE)
    with units.writing() as unit:
        finding_id = open_finding(unit, people.validator, serving, new).id
        remediate(unit, people.developer, finding_id, HOSTILE, HOSTILE)
    with units.writing() as unit:
        waived = open_finding(unit, people.validator, waiting, new).id
    with units.writing() as unit:
        waive_finding(unit, people.risk, waived, Excuse(HOSTILE, HOSTILE, unit.now + timedelta(days=20)))
    later = datetime.now(UTC) + timedelta(days=8)
    assert look(units, lambda: later).flagged == 1
    with units.writing() as unit:
        unit.session.execute(update(FindingRow).values(due_at=unit.now - timedelta(days=1)))
    return finding_id


def hostile_document(units, people, storage, number: int) -> UUID:
    """A document whose title and text try to run something."""
    body = HOSTILE_MARKDOWN.encode()
    storage.put(body)
    with units.writing() as unit:
        new = NewDocument("other", HOSTILE, "other.md", "text/markdown", sha256(body).digest(), len(body), body)
        return upload(unit, people.developer, "credit-default", number, new).id


def _hostile_version(units, people) -> str:
    facts = VersionFacts(
        source_uri="file:///models/<script>alert(1)</script>",
        content_digest="cd" * 32,
        framework=HOSTILE,
        metrics={HOSTILE: "NaN"},
        parameters={HOSTILE: HOSTILE},
        description=HOSTILE,
        lineage=[
            LineageEdge(EdgeKind.DATASET, HOSTILE, DatasetRole.TRAINING, digest=f"{number:064x}")
            for number in range(12)
        ],
    )
    with units.writing() as unit:
        catalog.create_model(
            unit,
            people.developer,
            name=HOSTILE_NAME,
            team="retail-risk",
            owner_id=people.developer.id,
            texts=ModelTexts(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
            profile=PROFILE,
        )
        catalog.register_version(unit, people.developer, HOSTILE_NAME, facts)
        set_tag(unit, people.developer, HOSTILE_NAME, 1, "note", HOSTILE)
    return f"/models/{quote(HOSTILE_NAME, safe='')}/versions/1"


class Parsed(HTMLParser):
    """What a rule about all pages looks at."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what was seen."""
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "src" or (name == "href" and tag == "link"):
                self.loaded.append(value or "")
            elif name in {"href", "action"}:
                self.links.append(value or "")


@dataclass(frozen=True)
class Reader:
    """Somebody who reads pages: asks as a browser does, signed in by a token."""

    api: Api
    headers: dict[str, str]

    def open(self, address: str, status: int = 200) -> str:
        """The page at an address."""
        answer = self.api.http.get(address, headers=self.headers, follow_redirects=False)
        assert answer.status_code == status, f"{address} answered {answer.status_code}"
        assert answer.headers["content-type"].startswith("text/html"), address
        text: str = answer.text
        return text


@pytest.fixture
def read_as(client):
    """Makes a reader of an actor."""

    def read_as(actor) -> Reader:
        return Reader(client, client.as_(actor) | {"Accept": "text/html"})

    return read_as


def title_of(html: str) -> str:
    """The page's title."""
    found = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
    assert found is not None
    return found[1].strip()
