"""A version that passes every check, and for each check one that differs from it in the defect alone."""

import hashlib
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from registry.assessments.verdicts import Verdict
from registry.catalog.digest import content_digest, manifest_of_folder
from registry.catalog.facts import DatasetRole, DigestState, EdgeKind
from registry.policy.checks import (
    ArtifactFiles,
    Assessed,
    Check,
    CheckFacts,
    DocumentFacts,
    DocumentFile,
    Edge,
    Files,
    InProduction,
    ModelFacts,
    VulnerabilityExport,
    bind,
)
from registry.policy.checks.facts import AcknowledgedAlert, Monitored
from registry.policy.checks.vulnerabilities import VulnerabilitiesAbsent

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MAKER, VALIDATOR, READER = UUID(int=11), UUID(int=12), UUID(int=13)
TEST_SET = bytes([7]) * 32
REQUIREMENTS = b"scikit-learn==1.9.1\nnumpy==2.4.6\n"
EDGES = (
    Edge(EdgeKind.DATASET, DatasetRole.TRAINING, "training", bytes([1]) * 32, None),
    Edge(EdgeKind.DATASET, DatasetRole.TEST, "holdout", TEST_SET, None),
    Edge(EdgeKind.CODE, None, "risk/credit", None, "6f2c1e9d" * 5),
    Edge(EdgeKind.RUN, None, "run", None, "5b0f22"),
    Edge(EdgeKind.ENVIRONMENT, None, "requirements.txt", hashlib.sha256(REQUIREMENTS).digest(), None),
)
ASSESSED = Assessed(
    id=UUID(int=1),
    verdict=Verdict.PASS,
    rows=6000,
    declared_digest=TEST_SET,
    result_digest=bytes([9]) * 32,
    origin="uploaded",
    summary=None,
    finished_at=NOW - timedelta(days=3),
    features=(("age",), ("sex",), ("age", "sex")),
    accuracy="0.8213",
)
SIGNATURE = json.dumps(
    {
        "inputs": json.dumps([{"type": "double", "name": "limit", "required": True}]),
        "outputs": json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]),
        "params": None,
    }
)


def document(kind: str, text: bytes = b"It was looked at.") -> DocumentFacts:
    """A document that one person wrote and another signed off, neither of them who made the version."""
    return DocumentFacts(kind, kind, content(text), VALIDATOR, READER, f"{kind}.md", "text/markdown")


def content(text: bytes) -> bytes:
    """Its SHA-256."""
    return hashlib.sha256(text).digest()


MONITORED = Monitored(
    plan_digest=bytes([6]) * 32,
    revision=3,
    missing=(),
    drift_features=("limit",),
    owner_is_here=True,
    route_exists=True,
    profiled_columns=frozenset({"limit", "age"}),
    profile_digests=(bytes([8]) * 32,),
    alert=AcknowledgedAlert(UUID(int=2), NOW - timedelta(days=2), NOW - timedelta(days=1), READER),
)
GOOD = CheckFacts(
    content_digest=bytes([2]) * 32,
    digest_state=DigestState.VERIFIED,
    digest_checked_at=NOW - timedelta(days=3),
    edges=EDGES,
    assessed=ASSESSED,
    framework="sklearn",
    metrics={"accuracy": "0.8213", "roc_auc": "0.779"},
    parameters={"seed": "7", "sensitive_features": "sex,age"},
    signature=SIGNATURE,
    makers=frozenset({MAKER}),
    model=ModelFacts(
        purpose="Estimates whether a card client will default next month.",
        intended_users="Credit officers of the retail bank.",
        out_of_scope="Refusing a client without a person.",
        limitations="Trained on clients of one bank, 2005.",
        personal_data="personal",
        legal_domain="creditworthiness",
    ),
    documents=(
        document("data-protection-impact"),
        document("fundamental-rights-impact"),
        document("validation-report"),
    ),
    in_production=InProduction(1, bytes([3]) * 32, {"roc_auc": "0.771"}),
    vulnerability_export=VulnerabilityExport(bytes([4]) * 32, NOW - timedelta(days=1), 1),
    monitored=MONITORED,
)

MLMODEL = """\
artifact_path: model
flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl, python_version: 3.11.7}
  sklearn: {pickled_model: model.pkl, serialization_format: pickle, sklearn_version: 1.9.1}
"""
HARMLESS: Mapping[str, bytes] = {
    "MLmodel": MLMODEL.encode(),
    "model.pkl": pickle.dumps({"weights": [0.25, -1.5], "classes": ("no", "yes")}),
    "requirements.txt": REQUIREMENTS,
    "notes.md": b"# Weights\nThe token of this model is its name: credit-default.\n",
}
RECORD = {
    "id": "TEST-2026-0001",
    "modified": "2026-11-23T12:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Scikit_Learn"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.9.1"}]}],
        }
    ],
}


NO_FILES = Files()


@dataclass(frozen=True)
class Case:
    """What a check looks at."""

    facts: CheckFacts
    files: Files = NO_FILES


class Bench:
    """Makes cases whose files lie in a directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.count = 0

    def folder(self) -> Path:
        """A new folder."""
        self.count += 1
        folder = self.root / str(self.count)
        folder.mkdir()
        return folder

    def case(self, changed: Mapping[str, bytes | None] | None = None, report: bytes = b"It was looked at.") -> Case:
        """The harmless artifact with some files changed or, where None, left out; with an export of one record."""
        folder, documents, export = self.folder(), self.folder(), self.folder()
        for path, data in {**HARMLESS, **(changed or {})}.items():
            if data is not None:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data)
        (documents / "validation-report").write_bytes(report)
        (export / "TEST-2026-0001.json").write_text(json.dumps(RECORD))
        digest = content_digest(manifest_of_folder(folder))
        files = Files(
            artifact=ArtifactFiles(folder, digest),
            documents=(DocumentFile("validation-report", "report.md", documents / "validation-report"),),
            vulnerability_export=export,
        )
        lock = folder / "requirements.txt"
        named = (replace(EDGES[-1], digest=content(lock.read_bytes())),) if lock.exists() else ()
        return Case(replace(GOOD, content_digest=digest, edges=(*EDGES[:-1], *named)), files)


Make = Callable[[Bench], Case]


def rows(**changes: object) -> Make:
    """A case that differs from the good one in these rows."""
    return lambda bench: Case(replace(GOOD, **changes))


def without_kind(kind: EdgeKind) -> tuple[Edge, ...]:
    """The lineage without edges of a kind."""
    return tuple(edge for edge in EDGES if edge.kind is not kind)


def retested(role: DatasetRole) -> tuple[Edge, ...]:
    """The lineage, tested on the training data."""
    return tuple(replace(edge, digest=EDGES[0].digest) if edge.role is role else edge for edge in EDGES)


BRANCH = tuple(replace(edge, identifier="main") if edge.kind is EdgeKind.CODE else edge for edge in EDGES)
OWN_REPORT = tuple(
    replace(one, uploaded_by=MAKER) if one.kind == "validation-report" else one for one in GOOD.documents
)
UNTYPED = SIGNATURE.replace("double", "any")


@dataclass(frozen=True)
class Pair:
    """A check, a case that passes it, and one with a defect."""

    check: Check
    good: Make
    bad: Make
    defect: str
    """A word of the reason for which the bad one fails."""


PAIRS = (
    Pair(bind("lineage-complete", {}), rows(), rows(edges=without_kind(EdgeKind.RUN)), "run"),
    Pair(bind("digest-verified", {}), rows(), rows(digest_state=DigestState.MISMATCH), "another digest"),
    Pair(bind("facts-for-reproduction", {}), rows(), rows(edges=BRANCH), "'main'"),
    Pair(bind("test-data-apart", {}), rows(), rows(edges=retested(DatasetRole.TEST)), "holdout is training"),
    Pair(bind("assessment-passed", {}), rows(), rows(assessed=replace(ASSESSED, verdict=Verdict.FAIL)), "limit"),
    Pair(
        bind("metric-at-floor", {"metric": "roc_auc", "floor": "0.779"}),
        rows(),
        rows(metrics={"roc_auc": "0.7789"}),
        "below",
    ),
    Pair(
        bind("no-worse-than-production", {"metric": "roc_auc", "margin": "0.01"}),
        rows(),
        rows(metrics={"roc_auc": "0.7609"}),
        "worse",
    ),
    Pair(
        bind("intended-use-stated", {}),
        rows(),
        rows(model=replace(GOOD.model, limitations="n/a")),
        "limits",
    ),
    Pair(bind("signature-typed", {}), rows(), rows(signature=UNTYPED), "limit"),
    Pair(bind("validated-independently", {}), rows(), rows(documents=OWN_REPORT), "made the version"),
    Pair(bind("impact-assessed", {}), rows(), rows(documents=GOOD.documents[1:]), "data-protection-impact"),
    Pair(
        bind("monitoring-plan-complete", {}),
        rows(),
        rows(monitored=replace(MONITORED, drift_features=("income",))),
        "income",
    ),
    Pair(bind("alert-acknowledged", {}), rows(), rows(monitored=replace(MONITORED, alert=None)), "test alert"),
    Pair(
        bind("artifact-intact", {}),
        lambda bench: bench.case(),
        lambda bench: bench.case({"MLmodel": MLMODEL.replace("sklearn:", "xgboost:").encode()}),
        "xgboost",
    ),
    Pair(
        bind("artifact-safe-to-load", {}),
        lambda bench: bench.case(),
        lambda bench: bench.case({"model.pkl": b"\x80\x04cposix\nsystem\n(S'true'\ntR."}),
        "posix.system",
    ),
    Pair(
        bind("secrets-absent", {}),
        lambda bench: bench.case(),
        lambda bench: bench.case({"notes.md": b"# Weights\npassword: h7Kq-29xT_vvB4zL\n"}),
        "notes.md:2",
    ),
    Pair(
        VulnerabilitiesAbsent(),
        lambda bench: bench.case(),
        lambda bench: bench.case({"requirements.txt": b"scikit-learn==1.9.0\nnumpy==2.4.6\n"}),
        "TEST-2026-0001",
    ),
)
