"""What may be read, and that nothing else is."""

import hashlib

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from fairness.errors import MissingColumnError, SourceChangedError, SourceError
from fairness.source import open_file, scan_file

HOSTILE_NAMES = [
    "'; COPY (SELECT 1) TO '/tmp/stolen.csv'; --",
    "a\" FROM read_csv('/etc/passwd') --",
    "read_text('/etc/passwd')",
    "count(*)",
    "select",
    "ключ 😀",
]


@pytest.fixture
def small():
    return pd.DataFrame({"y": [0, 1, 0, 1], "p": [0, 1, 1, 0], "g": ["a", "a", "b", "b"]})


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_column_name_is_never_sql(small, name, assess_frame, tmp_path):
    small.rename(columns={"g": name}).to_parquet(tmp_path / "data.parquet")
    result = assess_frame(tmp_path / "data.parquet", sensitive=[name])
    assert [group.name for group in result.feature_sets[0].groups] == [("a",), ("b",)]
    with pytest.raises(MissingColumnError, match="no such column"):
        assess_frame(small, sensitive=[name])


@pytest.mark.parametrize(
    "path",
    [
        "read_csv('/etc/passwd')",
        "'; COPY (SELECT 1) TO '/tmp/stolen.csv'; --",
        "https://example.org/data.parquet",
        "s3://bucket/data.parquet",
        "file://elsewhere/etc/passwd",
        "/etc/passwd",
        "/etc",
        "/dev/null",
        "*.parquet",
        "\0",
        "",
    ],
)
def test_a_path_names_one_local_data_file_or_is_refused(path, assess_frame):
    with pytest.raises(SourceError):
        assess_frame(path)


def test_a_file_named_like_a_pattern_is_refused_and_reads_no_neighbour(small, assess_frame, tmp_path):
    small.to_parquet(tmp_path / "a.parquet")
    small.to_parquet(tmp_path / "*.parquet")
    with pytest.raises(SourceError, match="many files"):
        assess_frame(tmp_path / "*.parquet")


def test_a_quote_in_the_path_is_part_of_the_path(small, assess_frame, tmp_path):
    path = tmp_path / "it's; DROP.parquet"
    small.to_parquet(path)
    assert assess_frame(path).source.name == path.name


def test_the_database_reads_the_one_file_and_nothing_else(credit_file, tmp_path):
    neighbour = tmp_path / "other.csv"
    neighbour.write_text("a\n1\n")
    # Every statement that reaches past the file, and one that does not.
    with scan_file(open_file(credit_file)) as scan:
        assert scan.connection.execute("SELECT count(*) FROM read_parquet(?)", scan.parameters).fetchone() == (30_000,)
        for statement in (
            "SELECT * FROM read_csv('/etc/passwd')",
            f"SELECT * FROM read_csv('{neighbour}')",
            "SELECT content FROM read_text('/etc/passwd')",
            "SELECT * FROM glob('/etc/*')",
            f"SELECT * FROM read_parquet('{credit_file.parent}/*.parquet')",
            f"SELECT * FROM read_parquet('{credit_file.parent}/../other.parquet')",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/out.db'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SELECT * FROM read_parquet('https://example.org/x.parquet')",
            "SET enable_external_access = true",
            "SET allowed_directories = ['/']",
            "SELECT * FROM neighbour",
        ):
            with pytest.raises(duckdb.Error):
                scan.connection.execute(statement).fetchall()
    assert [path.name for path in tmp_path.iterdir()] == ["other.csv"]


def test_folders_do_not_invent_columns(small, assess_frame, tmp_path):
    folder = tmp_path / "race=white"
    folder.mkdir()
    small.to_parquet(folder / "data.parquet")
    with pytest.raises(MissingColumnError) as caught:
        assess_frame(folder / "data.parquet", sensitive=["race"])
    assert caught.value.existing == ("y", "p", "g")


def test_the_digest_is_that_of_the_bytes(credit_file, credit_assessment):
    source = credit_assessment.source
    assert source.sha256_hex == hashlib.sha256(credit_file.read_bytes()).hexdigest()
    assert source.size_bytes == credit_file.stat().st_size


def test_a_file_that_is_written_meanwhile_gives_no_numbers(small, tmp_path):
    path = tmp_path / "data.parquet"
    small.to_parquet(path)
    file = open_file(path)
    file.check_unchanged()
    pd.concat([small, small]).to_parquet(path)
    with pytest.raises(SourceChangedError):
        file.check_unchanged()


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + b"\0" * 100])
def test_broken_parquet_is_an_error_of_the_source(content, assess_frame, tmp_path):
    (tmp_path / "data.parquet").write_bytes(content)
    with pytest.raises(SourceError, match="cannot be read"):
        assess_frame(tmp_path / "data.parquet")


def test_arrow_tables_and_pandas_frames_are_equal(small, assess_frame):
    other = assess_frame(pa.Table.from_pandas(small))
    assert other.feature_sets == assess_frame(small.assign(unused=object())).feature_sets
