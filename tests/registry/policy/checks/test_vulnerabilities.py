"""Versions against OSV records by the schema's own algorithm, lock files, and what an export must be."""

import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from registry.catalog.digest import content_digest, manifest_of_folder
from registry.catalog.facts import EdgeKind
from registry.policy.checks import ArtifactFiles, DocumentFile, Edge, Files, VulnerabilityExport, inputs_digest
from registry.policy.checks.locks import LockError, lock_files, read_locks
from registry.policy.checks.osv import ExportError, IncomparableError, Record, affects, read_export
from registry.policy.checks.vulnerabilities import VulnerabilitiesAbsent
from registry.policy.outcomes import Outcome
from tests.registry.policy.checks.samples import GOOD, NOW, RECORD, REQUIREMENTS, Bench, document


def record(events=(), versions=(), kind="ECOSYSTEM", **others):
    """A record about the package `kestrel`."""
    affected = {"package": {"ecosystem": "PyPI", "name": "Kestrel"}, "versions": list(versions)}
    if events:
        affected["ranges"] = [{"type": kind, "events": list(events)}]
    fields = {"id": "TEST-1", "modified": "2026-11-01T00:00:00Z", "affected": [affected], **others}
    return msgspec.convert(fields, Record, strict=False)


def is_affected(one, version, name="kestrel"):
    return affects(one, name, Version(version))


@pytest.mark.parametrize(
    "events, hit, missed",
    [
        ([{"introduced": "0"}], ["0", "0.1.dev1", "99"], []),
        ([{"introduced": "0"}, {"fixed": "1.2"}], ["1.1.9", "1.2rc1", "1.2.dev3"], ["1.2", "1.2.0", "1.2.post1"]),
        ([{"introduced": "1.0"}, {"last_affected": "1.2"}], ["1.0", "1.2.0"], ["0.9", "1.2.1", "1.2.post1", "1.0rc1"]),
        (
            [{"introduced": "1.0"}, {"fixed": "1.1"}, {"introduced": "2.0"}, {"fixed": "2.1"}],
            ["1.0.5", "2.0"],
            ["1.1", "1.9", "2.1"],
        ),
        (
            [{"fixed": "2.1"}, {"introduced": "2.0"}, {"fixed": "1.1"}, {"introduced": "1.0"}],
            ["1.0.5", "2.0"],
            ["1.1", "1.9", "2.1"],
        ),
        ([{"introduced": "0"}, {"limit": "2.0"}], ["1.9"], ["2.0", "3"]),
        ([{"introduced": "0"}, {"limit": "*"}], ["3"], []),
        ([{"introduced": "1.9"}, {"fixed": "1.10"}], ["1.9.9"], ["1.10", "1.8"]),
    ],
)
def test_versions_in_ranges_are_affected_in_any_order_of_events(events, hit, missed):
    assert [version for version in hit if not is_affected(record(events), version)] == []
    assert [version for version in missed if is_affected(record(events), version)] == []


def test_enumerated_versions_are_affected_however_they_are_spelled():
    one = record(versions=["1.0.0", "2.0-beta1", "not a version"])
    assert is_affected(one, "1.0")
    assert is_affected(one, "2.0b1")
    assert not is_affected(one, "1.0.1")


@pytest.mark.parametrize(
    "changes",
    [
        {"withdrawn": "2026-11-02T00:00:00Z"},
        {"affected": [{"package": {"ecosystem": "npm", "name": "kestrel"}, "versions": ["1.0"]}]},
        {"affected": [{"package": {"ecosystem": "PyPI", "name": "kestrel-tools"}, "versions": ["1.0"]}]},
        {"affected": [{"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}]},
    ],
)
def test_record_about_something_else_or_withdrawn_affects_nothing(changes):
    assert not is_affected(record(**changes), "1.0")
    assert not is_affected(record([{"introduced": "0"}], kind="GIT"), "1.0")


def test_record_with_a_version_that_cannot_be_ordered_is_not_guessed_about():
    with pytest.raises(IncomparableError):
        is_affected(record([{"introduced": "0"}, {"fixed": "next week"}]), "1.0")


@given(
    st.lists(
        st.sampled_from(["0.9", "1.0", "1.1", "1.2rc1", "1.2", "2.0", "10.0"]), min_size=2, max_size=6, unique=True
    ),
    st.sampled_from(["0.1", "0.9", "1.0.5", "1.2rc1", "1.2", "1.9", "2.0", "9", "10.0", "11"]),
)
def test_alternating_events_affect_exactly_what_lies_between_them(bounds, version):
    """The oracle counts how many bounds lie at or below the version: an odd number means affected."""
    ordered = sorted(bounds, key=Version)
    events = [{("introduced", "fixed")[place % 2]: bound} for place, bound in enumerate(ordered)]
    below = sum(Version(bound) <= Version(version) for bound in bounds)
    assert is_affected(record(events), version) is (below % 2 == 1)


LOCKS = {
    "requirements.txt": (
        "# comment\nKestrel_Core==1.0 \\\n    --hash=sha256:00\nother==2.0 ; python_version > '3'  # why\n"
        "--index-url https://packages.example\nloose>=1\n-r requirements.txt\nlocal @ file:///x\n",
        {"kestrel-core": "1.0", "other": "2.0"},
        2,
    ),
    "uv.lock": (
        'version = 1\n[[package]]\nname = "kestrel"\nversion = "1.0"\n[package.source]\nregistry = "https://x"\n'
        '[[package]]\nname = "own"\nversion = "0.1"\n[package.source]\neditable = "."\n',
        {"kestrel": "1.0"},
        0,
    ),
    "conda.yaml": (
        "channels: [conda-forge]\ndependencies:\n- python=3.11.7\n- pip<=26\n- conda-forge::numpy=2.4.6=py311_0\n"
        "- pip:\n  - kestrel==1.0\n  - free\n",
        {"numpy": "2.4.6", "kestrel": "1.0"},
        1,
    ),
    "python_env.yaml": (
        "python: 3.11.7\nbuild_dependencies:\n- pip==24.0\n- setuptools\ndependencies:\n- -r requirements.txt\n",
        {"pip": "24.0"},
        0,
    ),
}


@pytest.mark.parametrize("name", LOCKS)
def test_environment_file_gives_its_exact_versions_and_names_the_loose_ones(name, tmp_path):
    text, versions, loose = LOCKS[name]
    (tmp_path / name).write_text(text)
    pinned = read_locks(lock_files(tmp_path))
    assert pinned.versions == {package: {Version(version)} for package, version in versions.items()}
    assert len(pinned.loose) == loose
    assert pinned.files == [name]


@pytest.mark.parametrize("name, text", [("uv.lock", "= ="), ("conda.yaml", "dependencies: 3"), ("conda.yaml", "[")])
def test_environment_file_that_cannot_be_read_is_an_error(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(LockError, match=name):
        read_locks(lock_files(tmp_path))


def test_export_is_read_from_an_archive_as_from_a_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "one.json").write_text(json.dumps(RECORD))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as written:
        written.writestr("one.json", json.dumps(RECORD))
    for place in ("folder", "all.zip"):
        export = read_export(tmp_path / place, ["scikit-learn"])
        assert [one.id for one in export.records] == ["TEST-2026-0001"]
        assert (export.count, export.exported_at) == (1, datetime(2026, 11, 23, 12, tzinfo=UTC))
        assert read_export(tmp_path / place, ["numpy"]).records == ()


@pytest.mark.parametrize("content", [None, b"", b"{}", b"no zip", b'{"id": "x", "modified": "2026-11-23T12:00:00"}'])
def test_what_is_no_export_is_refused(content, tmp_path):
    place = tmp_path / "all.zip"
    if content is not None:
        place.mkdir() if content != b"no zip" else place.write_bytes(content)
        if place.is_dir() and content:
            (place / "one.json").write_bytes(content)
    with pytest.raises(ExportError):
        read_export(place)


@pytest.mark.parametrize(
    "age, outcome",
    [
        (timedelta(days=14), Outcome.PASSED),
        (timedelta(days=14, seconds=1), Outcome.ERROR),
        (timedelta(days=-2), Outcome.ERROR),
    ],
)
def test_export_counts_to_its_last_day_and_not_beyond(age, outcome, tmp_path):
    case = Bench(tmp_path).case()
    facts = replace(case.facts, vulnerability_export=VulnerabilityExport(bytes(32), NOW - age, 1))
    assert VulnerabilitiesAbsent().examine(facts, NOW, case.files).outcome is outcome


def test_without_an_export_the_outcome_is_error(tmp_path):
    case = Bench(tmp_path).case()
    for facts, files in (
        (replace(case.facts, vulnerability_export=None), case.files),
        (case.facts, replace(case.files, vulnerability_export=None)),
    ):
        finding = VulnerabilitiesAbsent().examine(facts, NOW, files)
        assert finding.outcome is Outcome.ERROR
        assert "ACTA_OSV_EXPORT" in finding.reason


def test_loose_versions_and_no_environment_leave_it_open(tmp_path):
    bench = Bench(tmp_path)
    for files in ({"requirements.txt": b"numpy>=2\n"}, {"requirements.txt": None}, {"requirements.txt": b""}):
        case = bench.case(files)
        assert VulnerabilitiesAbsent().examine(case.facts, NOW, case.files).outcome is Outcome.INCONCLUSIVE


def test_accepted_vulnerability_passes_and_is_named(tmp_path):
    case = Bench(tmp_path).case({"requirements.txt": b"scikit-learn==1.9.0\n"})
    finding = VulnerabilitiesAbsent(accepted=("TEST-2026-0001",)).examine(case.facts, NOW, case.files)
    assert finding.outcome is Outcome.PASSED
    assert finding.evidence["accepted"] == "TEST-2026-0001 scikit-learn 1.9.0"


def test_result_goes_stale_with_the_export_its_age_and_the_artifact():
    check = VulnerabilitiesAbsent()
    export = GOOD.vulnerability_export
    base = inputs_digest(check, GOOD, NOW)
    assert inputs_digest(check, GOOD, NOW + timedelta(days=1)) == base
    others = {
        inputs_digest(check, GOOD, NOW + timedelta(days=14)),
        inputs_digest(check, replace(GOOD, vulnerability_export=replace(export, digest=bytes(32))), NOW),
        inputs_digest(check, replace(GOOD, vulnerability_export=None), NOW),
        inputs_digest(check, replace(GOOD, content_digest=bytes(32)), NOW),
        inputs_digest(VulnerabilitiesAbsent(accepted=("TEST-2",)), GOOD, NOW),
    }
    assert base not in others
    assert len(others) == 5


def test_nothing_is_read_where_nothing_was_copied():
    assert VulnerabilitiesAbsent().examine(GOOD, NOW, Files()).outcome is Outcome.ERROR


LOCK = b"version = 1\n[[package]]\nname = 'scikit-learn'\nversion = '1.8'\n"


def examined_with_lock(folder, *, inside=None, uploaded=None, lock=LOCK):
    """The check on an artifact without a fault, whose lineage names another lock file."""
    artifact, export = folder / "artifact", folder / "export"
    for made in (artifact, export):
        made.mkdir()
    (artifact / "requirements.txt").write_bytes(REQUIREMENTS)
    (export / "one.json").write_text(json.dumps(RECORD))
    if inside is not None:
        (artifact / inside).parent.mkdir(exist_ok=True)
        (artifact / inside).write_bytes(lock)
    documents = ()
    facts = replace(
        GOOD,
        content_digest=content_digest(manifest_of_folder(artifact)),
        edges=(*GOOD.edges[:-1], Edge(EdgeKind.ENVIRONMENT, None, "uv.lock", sha256(LOCK).digest(), None)),
    )
    if uploaded is not None:
        (folder / "uploaded").write_bytes(uploaded)
        facts = replace(facts, documents=(*GOOD.documents, document("environment-lock", uploaded)))
        documents = (DocumentFile("environment-lock", "uv.lock", folder / "uploaded"),)
    files = Files(ArtifactFiles(artifact, facts.content_digest), documents, vulnerability_export=export)
    return VulnerabilitiesAbsent().examine(facts, NOW, files)


@pytest.mark.parametrize(
    "where", [{"uploaded": LOCK}, {"inside": "uv.lock"}, {"inside": "code/uv.lock"}, {"inside": "frozen"}]
)
def test_lock_file_of_the_lineage_is_read_wherever_its_bytes_are(where, tmp_path):
    finding = examined_with_lock(tmp_path, **where)
    assert finding.outcome is Outcome.FAILED
    assert "scikit-learn 1.8: TEST-2026-0001" in finding.reason


@pytest.mark.parametrize("where", [{}, {"uploaded": LOCK + b"# another"}])
def test_lock_file_whose_bytes_are_nowhere_leaves_it_open(where, tmp_path):
    finding = examined_with_lock(tmp_path, **where)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "uv.lock, SHA-256" in finding.reason


def test_lock_file_that_comes_as_a_document_makes_the_result_stale():
    lock = Edge(EdgeKind.ENVIRONMENT, None, "uv.lock", sha256(LOCK).digest(), None)
    before = replace(GOOD, edges=(*GOOD.edges[:-1], lock))
    after = replace(before, documents=(*GOOD.documents, document("environment-lock", LOCK)))
    check = VulnerabilitiesAbsent()
    assert inputs_digest(check, before, NOW) != inputs_digest(check, after, NOW)


def test_requirements_anywhere_in_the_artifact_are_read(tmp_path):
    finding = examined_with_lock(tmp_path, inside="code/requirements.txt", uploaded=LOCK, lock=b"scikit-learn==1.7\n")
    assert "scikit-learn 1.7: TEST-2026-0001" in finding.reason
