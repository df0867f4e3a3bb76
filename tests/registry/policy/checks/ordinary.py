"""Ordinary models as five libraries write them, and the files that MLflow puts beside them."""

import io
import json
import pickle
import warnings
from collections.abc import Callable, Mapping
from functools import cache

import joblib
import numpy

from tests.registry.policy.checks.malicious import torch

ROWS = numpy.random.default_rng(7).normal(size=(80, 4))
LABELS = (ROWS[:, 0] + ROWS[:, 1] > 0).astype(int)


@cache
def forest():
    """A pipeline with a forest, whose random states and trees go into the file."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=7)).fit(ROWS, LABELS)


@cache
def boosting():
    """What the tour trains."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=5, random_state=7).fit(ROWS, LABELS)


def dumped(model: object, **options: object) -> bytes:
    """As joblib writes it."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer, **options)
    return buffer.getvalue()


def skops() -> bytes:
    """As MLflow writes scikit-learn by default."""
    import skops.io

    return skops.io.dumps(boosting())


def xgboost_model(suffix: str) -> Callable[[], bytes]:
    """XGBoost's own formats."""

    def write() -> bytes:
        import xgboost

        data = xgboost.DMatrix(ROWS, label=LABELS)
        booster = xgboost.train({"max_depth": 2, "objective": "binary:logistic", "nthread": 1}, data, 3)
        return bytes(booster.save_raw(suffix))

    return write


def lightgbm_text() -> bytes:
    """LightGBM's own format."""
    import lightgbm

    options = {"objective": "binary", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        booster = lightgbm.train(options, lightgbm.Dataset(ROWS, label=LABELS), 3)
    return booster.model_to_string().encode()


def lightgbm_classifier() -> bytes:
    """LightGBM's estimator as a pickle, as MLflow writes it."""
    import lightgbm

    return pickle.dumps(lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=1).fit(ROWS, LABELS))


def onnx_model() -> bytes:
    """A linear model."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(numpy.ones((4, 1), dtype="float32"), "weights")
    node = helper.make_node("MatMul", ["x", "weights"], ["y"])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])
    model = helper.make_model(helper.make_graph([node], "linear", [x], [y], [weights]))
    onnx.checker.check_model(model)
    return model.SerializeToString()


def safetensors_file() -> bytes:
    """Two tensors."""
    from safetensors.numpy import save

    return save({"weight": numpy.ones((3, 4), dtype="float32"), "bias": numpy.zeros(3, dtype="float16")}, {"by": "me"})


def torch_file() -> bytes:
    """PyTorch's state dictionary of one tensor, written by its format (`torch.serialization._save`)."""
    storage = b"(\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuK\x04tQ"
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + b"K\x00K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"
    )
    program = b"\x80\x02ccollections\nOrderedDict\n)R(\x8c\x06weight" + tensor + b"u."
    return torch(program, **{"archive/byteorder": b"little"})


def numpy_arrays() -> bytes:
    """Several arrays."""
    buffer = io.BytesIO()
    numpy.savez_compressed(buffer, weights=ROWS, labels=LABELS)
    return buffer.getvalue()


ORDINARY: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "scikit-learn, skops": ("model.skops", skops),
    "scikit-learn, pickle": ("model.pkl", lambda: pickle.dumps(forest())),
    "scikit-learn, pickle of protocol 2": ("model.pkl", lambda: pickle.dumps(forest(), protocol=2)),
    "scikit-learn, pickle of protocol 5": ("model.pkl", lambda: pickle.dumps(boosting(), protocol=5)),
    "scikit-learn, joblib": ("model.joblib", lambda: dumped(forest())),
    "scikit-learn, joblib in zlib": ("model.joblib", lambda: dumped(boosting(), compress=3)),
    "scikit-learn, joblib in lzma": ("model.joblib", lambda: dumped(forest(), compress=("xz", 1))),
    "XGBoost, JSON": ("model.json", xgboost_model("json")),
    "XGBoost, UBJSON": ("model.xgb", xgboost_model("ubj")),
    "LightGBM, text": ("model.lgb", lightgbm_text),
    "LightGBM, pickle": ("model.pkl", lightgbm_classifier),
    "ONNX": ("model.onnx", onnx_model),
    "safetensors": ("model.safetensors", safetensors_file),
    "PyTorch": ("model.pt", torch_file),
    "NumPy": ("weights.npz", numpy_arrays),
    "plain values": ("model.pkl", lambda: pickle.dumps({"a": [1, 2.5, None, True], "b": {"c", "d"}, "e": b"f"})),
    "conda.yaml": (
        "conda.yaml",
        lambda: b"channels:\n- conda-forge\ndependencies:\n- python=3.11.7\nname: mlflow-env\n",
    ),
    "requirements.txt": ("requirements.txt", lambda: b"scikit-learn==1.9.1\ncloudpickle==3.1.3\n"),
    "a text that begins like a pickle": ("README.md", lambda: b"(see below)\ncredit models\nare scored\n"),
    "input_example.json": ("input_example.json", lambda: json.dumps({"columns": ["a"], "data": [[1]]}).encode()),
}
"""File name, and what writes the bytes, by library and format."""
