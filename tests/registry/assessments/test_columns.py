import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.assessments.columns import columns_of
from registry.errors import UnprocessableError

NESTED = pa.table(
    {
        "list": [[1, 2], [3]],
        "struct": [{"x": 1, "y": {"z": True}}, None],
        "'; DROP TABLE x; --": ["a", "b"],
        "map": pa.array([[("k", 1)], []], type=pa.map_(pa.string(), pa.int64())),
        "truth": [True, None],
    }
)


def parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def columns(data: bytes, name: str = "data.parquet") -> tuple[str, ...]:
    return columns_of(io.BytesIO(data), name)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30), min_size=1, unique=True))
def test_parquet_columns_are_those_that_pyarrow_reads(names):
    table = pa.table({name: [1, 2] for name in names})
    assert columns(parquet(table)) == tuple(names)


def test_nested_columns_count_once():
    assert columns(parquet(NESTED)) == tuple(NESTED.column_names)


def test_wide_data_are_read_too():
    names = [f"column_{number}" for number in range(3000)]
    assert columns(parquet(pa.table({name: [1.5] for name in names}))) == tuple(names)


@given(st.data())
def test_a_damaged_footer_is_refused_in_one_sentence_or_read(data):
    whole = bytearray(parquet(NESTED))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        names = columns(bytes(whole), "data.parquet")
    except UnprocessableError:
        return
    assert all(isinstance(name, str) for name in names)


@pytest.mark.parametrize(
    "data,name",
    [
        (b"a,b,c\n1,2,3\n", "data.csv"),
        (b"\xef\xbb\xbfa;b;c\n1;2;3\n", "DATA.CSV"),
        (b"a\tb\tc\n", "data.tsv"),
        (b'a,"b",c', "data.csv"),
        (gzip.compress(b"a,b,c\n1,2,3\n", mtime=0), "data.csv.gz"),
    ],
)
def test_csv_columns_stand_in_the_first_line(data, name):
    assert columns(data, name) == ("a", "b", "c")


def test_a_first_line_longer_than_what_is_read_is_cut_and_not_an_error():
    assert len(columns(b",".join(b"column_%d" % number for number in range(20_000)), "data.csv")) > 1000


@pytest.mark.parametrize(
    "data,name,words",
    [
        (b"", "data.csv", "no first line"),
        (b"a,b", "data.bin", "neither Parquet nor named as CSV"),
        (b"PAR1", "data.parquet", "damaged"),
        (b"PAR1" + b"x" * 100 + b"\xff\xff\xff\x7fPAR1", "data.parquet", "damaged"),
        (b"not gzip", "data.csv.gz", "damaged"),
        (b"\xff\xfe\x00", "data.csv", "damaged"),
        (gzip.compress(b"a,b", mtime=0)[:10], "data.csv.gz", "damaged"),
    ],
)
def test_what_has_no_columns_is_refused(data, name, words):
    with pytest.raises(UnprocessableError, match=words) as refusal:
        columns(data, name)
    assert refusal.value.field == "file"
