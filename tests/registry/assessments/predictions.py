"""Small tables of outcomes and predictions for the tests."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROLES = {
    "outcome": "defaulted",
    "prediction": "predicted",
    "sensitive": ["sex", "age"],
    "bands": {"age": [30, 50]},
    "preset": "credit",
}


def table(rows: int = 4000, *, refused_women: float = 0.0) -> pa.Table:
    """Predictions that are wrong in one row of ten; `refused_women`: share of women refused besides."""
    random = np.random.default_rng(7)
    sex = random.choice(["female", "male"], rows)
    defaulted = random.random(rows) < 0.22
    predicted = defaulted ^ (random.random(rows) < 0.1)
    predicted |= (sex == "female") & (random.random(rows) < refused_women)
    return pa.table(
        {
            "defaulted": defaulted.astype(int),
            "predicted": predicted.astype(int),
            "sex": sex,
            "age": random.integers(21, 70, rows),
        }
    )


def parquet(data: pa.Table) -> bytes:
    """The table as a Parquet file."""
    file = io.BytesIO()
    pq.write_table(data, file)
    return file.getvalue()
