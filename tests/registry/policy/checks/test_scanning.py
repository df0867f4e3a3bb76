"""Ordinary models of five libraries pass; what runs something when it is loaded does not."""

import io
import pickle
import pickletools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.catalog.digest import content_digest, manifest_of_folder
from registry.policy.checks import ArtifactFiles, Files, bind
from registry.policy.checks.artifact import ArtifactSafeToLoad
from registry.policy.checks.scanning.allowed import allowed_globals
from registry.policy.checks.scanning.looking import Place, look_into
from registry.policy.checks.scanning.pickle_machine import PickleMachine
from registry.policy.checks.scanning.pickles import follow_pickles
from registry.policy.checks.scanning.report import Seen, UnreadableFormatError
from registry.policy.checks.scanning.ubjson import read_ubjson
from registry.policy.outcomes import Outcome
from tests.registry.policy.checks.malicious import MALICIOUS, archive, called, field
from tests.registry.policy.checks.ordinary import ORDINARY
from tests.registry.policy.checks.samples import GOOD, NOW

ERRORS = frozenset(
    {
        "PyTorch, wrong checksum",
        "PyTorch, flag of encryption",
        "PyTorch, other name",
        "PyTorch, second pickle",
        "archive of something else",
        "dtype of another size",
        "HDF5, whose Lambda layers hold code",
        "safetensors with a hole",
        "YAML that builds objects",
    }
)
"""Of these it cannot be told what loading them would do; of the others, that it would do what is not allowed."""


def examined(folder: Path, path: str, data: bytes, check=None):
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)
    digest = content_digest(manifest_of_folder(folder))
    files = Files(artifact=ArtifactFiles(folder, digest))
    return (check or ArtifactSafeToLoad()).examine(replace(GOOD, content_digest=digest), NOW, files)


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_model_is_safe_to_load(name, tmp_path):
    path, write = ORDINARY[name]
    finding = examined(tmp_path, path, write())
    assert (finding.outcome, finding.evidence.get("not allowed")) == (Outcome.PASSED, None)


@pytest.mark.parametrize("name", MALICIOUS)
def test_malicious_file_is_not_safe_to_load(name, tmp_path):
    finding = examined(tmp_path, *MALICIOUS[name])
    assert finding.outcome is (Outcome.ERROR if name in ERRORS else Outcome.FAILED), finding.reason
    assert MALICIOUS[name][0] in finding.reason


@pytest.mark.parametrize("name", [name for name, (path, _) in MALICIOUS.items() if path == "model.pkl"])
def test_renaming_a_malicious_pickle_does_not_help_it(name, tmp_path):
    for number, path in enumerate(("weights.bin", "weights.json", "README.md", "chart.png", "MLmodel", "model.skops")):
        (tmp_path / str(number)).mkdir()
        assert examined(tmp_path / str(number), path, MALICIOUS[name][1]).outcome is not Outcome.PASSED


def test_one_bad_file_among_good_ones_is_found_and_named(tmp_path):
    for path, write in list(ORDINARY.values())[:2]:
        (tmp_path / path).write_bytes(write())
    finding = examined(tmp_path, "nested/deep/extra.bin", called("os", "system", "true"))
    assert finding.outcome is Outcome.FAILED
    assert "nested/deep/extra.bin: os.system" in finding.reason


def test_policy_may_allow_a_class_and_nothing_else_with_it(tmp_path):
    check = bind("artifact-safe-to-load", {"also_allowed": ["kestrel.models.Scorer"]})
    assert examined(tmp_path, "model.pkl", called("kestrel.models", "Scorer", "a"), check).outcome is Outcome.PASSED
    assert examined(tmp_path, "model.pkl", called("kestrel.models", "Other", "a"), check).outcome is Outcome.FAILED


def test_joblib_file_that_mlflow_would_unpickle_is_read_as_a_plain_pickle_too(tmp_path):
    _, data = MALICIOUS["pickle in a joblib array, for pickle.load"]
    assert examined(tmp_path, "model.joblib", data).outcome is Outcome.PASSED
    (tmp_path / "MLmodel").write_text("flavors:\n  sklearn: {pickled_model: model.joblib}\n")
    assert examined(tmp_path, "model.joblib", data).outcome is not Outcome.PASSED


def test_artifact_whose_bytes_are_not_the_registered_ones_is_an_error(tmp_path):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(1))
    files = Files(artifact=ArtifactFiles(tmp_path, bytes(32)))
    with pytest.raises(Exception, match="not the registered ones"):
        ArtifactSafeToLoad().examine(GOOD, NOW, files)


def test_list_allows_no_way_to_compute_names_or_calls():
    known = (
        "builtins.str builtins.getattr builtins.eval builtins.exec builtins.__import__ builtins.map functools.partial "
        "operator.attrgetter operator.methodcaller numpy.load joblib.load torch.load os.system posix.system "
        "subprocess.Popen importlib.import_module types.FunctionType sys.modules webbrowser.open"
    )
    assert not allowed_globals() & set(known.split())


def test_every_name_of_the_list_in_scikit_learn_and_numpy_is_a_class_or_computes():
    import importlib

    functions = {"_reconstruct", "scalar", "_frombuffer", "_mareconstruct", "mean", "newObj", "_kmeans_single_lloyd"}
    functions |= {"f_classif", "f_regression", "chi2", "log", "log1p", "exp", "expm1", "sqrt"}
    for name in allowed_globals():
        module, _, kind = name.rpartition(".")
        if not module.startswith(("sklearn", "numpy", "scipy.sparse")) or kind.startswith("__"):
            continue
        try:
            found = getattr(importlib.import_module(module.replace("numpy.core.", "numpy._core.")), kind)
        except (ImportError, AttributeError):
            continue  # of another version of the library
        assert isinstance(found, type) or kind in functions, name


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | st.frozensets(st.integers(), max_size=3)
        | st.sets(st.text(max_size=3), max_size=3)
    ),
    max_leaves=20,
)


@given(VALUES, st.integers(0, 5))
def test_whatever_plain_values_python_pickles_are_followed_to_their_end(value, protocol):
    seen = Seen()
    follow_pickles(io.BytesIO(pickle.dumps(value, protocol)), seen)
    assert not seen.dangers
    assert not seen.beyond(allowed_globals())


@given(st.binary(max_size=200))
def test_no_bytes_break_the_machine(data):
    try:
        PickleMachine(io.BytesIO(data), Seen()).run()
    except UnreadableFormatError:
        return
    pickletools.dis(data, out=io.StringIO())


@given(VALUES, st.integers(0, 5), st.data())
def test_call_hidden_anywhere_in_a_pickle_is_seen(value, protocol, data):
    """A call of os.system put between any two opcodes: either it is named, or the bytes are no pickle any more."""
    plain = pickle.dumps(value, protocol)
    places = [position for _, _, position in pickletools.genops(plain)]
    place = data.draw(st.sampled_from(places))
    # Its result is dropped again, so that what follows finds the stack as it was.
    hidden = plain[:place] + b"cos\nsystem\n(S'true'\ntR0" + plain[place:]
    seen = Seen()
    try:
        follow_pickles(io.BytesIO(hidden), seen)
    except UnreadableFormatError:
        return
    assert "os.system" in seen.globals_named


def test_archive_that_unpacks_to_too_much_is_an_error(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "model.npz", "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("a.npy", bytes(64 * 2**20))
    with pytest.raises(UnreadableFormatError):
        look_into(Place(tmp_path, "model.npz", frozenset()))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[", b"[#", b"{#L", b"[$d#l\xff\xff\xff\xff", b"[" * 300, b"ZZ", b"[$Z#l\x7f\xff\xff\xff"]
)
def test_bytes_that_are_no_ubjson_are_refused(data):
    with pytest.raises(UnreadableFormatError):
        read_ubjson(data)


def test_onnx_model_that_asks_for_operators_of_its_own_is_not_safe(tmp_path):
    node = field(4, b"Run") + field(7, b"evil.ops")
    finding = examined(tmp_path, "model.onnx", b"\x08\x0a" + field(7, field(1, node)))
    assert finding.outcome is Outcome.FAILED
    assert "evil.ops" in finding.reason


def test_archive_with_two_members_of_one_name_is_an_error(tmp_path):
    data = archive({"archive/data.pkl": pickle.dumps({}), "archive/data/0": b"", "archive/data/1": b""})
    finding = examined(tmp_path, "model.pt", data.replace(b"archive/data/1", b"archive/data/0"))
    assert finding.outcome is Outcome.ERROR
    assert "same name" in finding.reason


def test_text_that_mlflow_would_load_as_a_model_is_an_error(tmp_path):
    (tmp_path / "MLmodel").write_text("flavors:\n  sklearn: {pickled_model: weights, code: null}\n")
    (tmp_path / "requirements.txt").write_text("cloudpickle==3.1.2\nnumpy==2.1.0\n")
    assert examined(tmp_path, "notes", b"Read it first.\n").outcome is Outcome.PASSED
    finding = examined(tmp_path, "weights", b"Read it first.\n")
    assert finding.outcome is Outcome.ERROR
    assert "weights: MLmodel names it" in finding.reason
