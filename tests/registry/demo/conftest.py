"""One small training for all tests of this folder, whichever worker process runs them."""

import fcntl
import os
import pickle

import pytest

from registry.demo.training import tracking_uri_in, train


@pytest.fixture(scope="session")
def run_directory(tmp_path_factory):
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def directory(run_directory):
    directory = run_directory / "demo folder"  # with a space: URIs must survive it
    directory.mkdir(exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def training(run_directory, directory):
    """The outcome and the sentences reported; the first process trains, the others wait for it."""
    kept = run_directory / "training.pickle"
    with (run_directory / "training.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            steps = []
            outcome = train(directory, tracking_uri_in(directory), "credit default", steps.append, rows=3000)
            kept.write_bytes(pickle.dumps((outcome, steps)))
    return pickle.loads(kept.read_bytes())


@pytest.fixture(scope="session")
def outcome(training):
    return training[0]


@pytest.fixture(scope="session")
def steps(training):
    return training[1]
