"""URIs that clients state."""

import re
from pathlib import Path

import msgspec
import pytest

from registry.catalog.facts import EdgeKind, LineageEdge, VersionFacts, check_version_facts
from registry.catalog.uris import ARTIFACT_SCHEMES, LINEAGE_SCHEMES
from registry.errors import InvalidInputError
from tests.registry.conftest import FACTS

OPERATE = Path(__file__).resolve().parents[3] / "docs" / "operate.md"

HOSTILE = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "javascript://host/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "blob:https://acta.example/1",
    "zip://model.zip::file:///etc",
    "nosuch://bucket/model",
    "C:\\models\\credit",
]
ALLOWED = [
    "file:///models/credit",
    "S3://bucket/credit",
    "abfss://models/credit",
    "dbfs:/mnt/models/credit",
    "runs:/5b0f22/model",
    "models:/credit@champion",
    "mlflow-artifacts:/1/models/m-1/artifacts",
]


def facts_from(uri: str) -> VersionFacts:
    """A version whose files lie at `uri`."""
    return msgspec.structs.replace(FACTS, source_uri=uri)


def facts_with(kind: EdgeKind, uri: str) -> VersionFacts:
    """A version that came from something at `uri`."""
    edge = next(edge for edge in FACTS.lineage if edge.kind is kind)
    return msgspec.structs.replace(FACTS, lineage=[msgspec.structs.replace(edge, uri=uri)])


@pytest.mark.parametrize("uri", HOSTILE)
def test_files_of_a_version_lie_in_an_artifact_store(uri):
    with pytest.raises(InvalidInputError, match=r"source_uri is .* among those allowed: .*s3"):
        check_version_facts(facts_from(uri))


@pytest.mark.parametrize("uri", ["models/credit", "credit", "."])
def test_files_of_a_version_have_a_place_of_their_own(uri):
    with pytest.raises(InvalidInputError, match="source_uri"):
        check_version_facts(facts_from(uri))


@pytest.mark.parametrize("uri", [*ALLOWED, "/models/credit"])
def test_artifact_stores_of_mlflow_are_allowed(uri):
    check_version_facts(facts_from(uri))


@pytest.mark.parametrize("kind", [EdgeKind.DATASET, EdgeKind.CODE, EdgeKind.RUN, EdgeKind.ENVIRONMENT])
@pytest.mark.parametrize("uri", HOSTILE)
def test_every_kind_of_lineage_refuses_a_scheme_that_is_not_listed(kind, uri):
    with pytest.raises(InvalidInputError, match=r"lineage\[0\]\.uri is .* among those allowed"):
        check_version_facts(facts_with(kind, uri))


def test_a_parent_refuses_a_scheme_that_is_not_listed():
    parent = LineageEdge(EdgeKind.PARENT, "version 1", uri="javascript:alert(1)", identifier="1")
    with pytest.raises(InvalidInputError, match=r"lineage\[0\]\.uri"):
        check_version_facts(msgspec.structs.replace(FACTS, lineage=[parent]))


@pytest.mark.parametrize(
    "uri",
    [
        *ALLOWED,
        "git@git.example:risk/credit.git",
        "git+https://git.example/risk/credit",
        "sqlite:///mlruns.db",
        "postgresql+psycopg://db.example/mlflow",
        "databricks",
        "train.py",
    ],
)
def test_lineage_may_lie_in_repositories_and_databases_too(uri):
    check_version_facts(facts_with(EdgeKind.RUN, uri))


def test_a_database_is_no_artifact_store():
    with pytest.raises(InvalidInputError, match="'postgresql\\+psycopg' is not among"):
        check_version_facts(facts_from("postgresql+psycopg://db.example/mlflow"))


def test_the_documented_schemes_are_those_allowed():
    section = OPERATE.read_text().split("## URIs that clients state")[1].split("\n## ")[0]
    words = set(re.findall(r"`([a-z0-9+-]+)`", section)) - {"uri", "postgresql+psycopg"}
    assert words == set(LINEAGE_SCHEMES)
    before = section.split("A `uri` of its lineage")[0]
    assert set(re.findall(r"`([a-z0-9+-]+)`", before)) == set(ARTIFACT_SCHEMES)


def test_the_api_answers_400_and_names_the_field(client, people, registered):
    body = msgspec.to_builtins(facts_from("javascript:alert(1)"))
    answer = client.http.post("/api/v1/models/credit-default/versions", json=body, headers=client.as_(people.developer))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "source_uri"
    assert "mlflow-artifacts" in answer.json()["detail"]
