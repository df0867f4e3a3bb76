import gzip
from hashlib import sha256

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from registry.catalog.facts import DatasetRole, EdgeKind, LineageEdge
from registry.catalog.service import find_version, register_version
from registry.errors import InvalidInputError, RefusedError, UnprocessableError
from registry.jobs.worker import Worker
from registry.monitoring.profile import ColumnProfile, TrainingProfile, check_profile, profile_of_file
from registry.monitoring.service import profiles_of, state_profile
from tests.registry.conftest import FACTS
from tests.registry.monitoring.plans import PROFILE

CSV = "age,income,name,note\n" + "\n".join(
    f"{20 + n % 50},{'' if n % 4 == 0 else 1000 + n},Person {n}," for n in range(1000)
)


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "artifacts" / "training.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CSV)
    return path


def digest_of(path):
    return sha256(path.read_bytes()).digest()


def test_a_profile_says_rows_types_missing_shares_and_quantiles(data):
    found = profile_of_file(data, digest_of(data))
    assert found.rows == 1000
    columns = {column.name: column for column in found.columns}
    assert list(columns) == ["age", "income", "name", "note"]
    assert columns["age"].type == "BIGINT"
    assert (columns["age"].minimum, columns["age"].maximum) == ("20", "69")
    assert 42 <= float(columns["age"].median) <= 47
    assert 30 <= float(columns["age"].quantile_25) <= 35
    assert columns["income"].missing_share == "0.250000"
    assert columns["note"].missing_share == "1.000000"


def test_a_profile_repeats_no_text_of_persons(data):
    found = profile_of_file(data, digest_of(data))
    name = next(column for column in found.columns if column.name == "name")
    assert (name.minimum, name.median, name.maximum) == (None, None, None)
    assert "Person" not in str(found)


def test_a_profile_that_was_computed_can_be_stated(data):
    check_profile(profile_of_file(data, digest_of(data)))


def test_a_compressed_file_is_read_too(tmp_path):
    path = tmp_path / "training.csv.gz"
    path.write_bytes(gzip.compress(CSV.encode()))
    assert profile_of_file(path, digest_of(path)).rows == 1000


def test_another_files_profile_is_refused(data):
    with pytest.raises(UnprocessableError, match="SHA-256"):
        profile_of_file(data, bytes(32))


@pytest.mark.parametrize("name, content", [("x.parquet", b"PAR1 nothing"), ("x.pickle", b"cos\nsystem\n.")])
def test_what_is_no_table_has_no_profile(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnprocessableError):
        profile_of_file(path, digest_of(path))


@pytest.mark.parametrize(
    "profile, field",
    [
        (replace(PROFILE, rows=-1), "rows"),
        (replace(PROFILE, columns=[]), "columns"),
        (replace(PROFILE, columns=[*PROFILE.columns, PROFILE.columns[0]]), "columns[2].name"),
        (TrainingProfile(1, [ColumnProfile("age", "BIGINT", "1.5", 1)]), "columns[0].missing_share"),
        (TrainingProfile(1, [ColumnProfile("age", "BIGINT", "NaN", 1)]), "columns[0].missing_share"),
        (TrainingProfile(1, [ColumnProfile("age", "BIGINT", "half", 1)]), "columns[0].missing_share"),
        (TrainingProfile(1, [ColumnProfile("age", "BIGINT", "0", -1)]), "columns[0].distinct"),
        (TrainingProfile(1, [ColumnProfile("age", "", "0", 1)]), "columns[0].type"),
        (TrainingProfile(1, [ColumnProfile("", "BIGINT", "0", 1)]), "columns[0].name"),
    ],
)
def test_a_stated_profile_that_no_data_have_is_refused_by_field(profile, field):
    with pytest.raises(InvalidInputError) as refused:
        check_profile(profile)
    assert refused.value.field == field


def registered_on(units, people, registered, uri, digest):
    training = LineageEdge(EdgeKind.DATASET, "training.csv", DatasetRole.TRAINING, uri, digest.hex())
    others = [edge for edge in FACTS.lineage if edge.role is not DatasetRole.TRAINING]
    with units.writing() as unit:
        number = register_version(
            unit, people.developer, registered.model.name, replace(FACTS, lineage=[training, *others])
        ).number
        return find_version(unit, people.developer, registered.model.name, number)


def profiled(units, found):
    with units.reading() as unit:
        return [(one.row.origin, one.profile.rows) for one in profiles_of(unit, found.version.id)]


def test_after_registration_acta_reads_training_data_that_it_reaches(units, people, settings, registered, data):
    found = registered_on(units, people, registered, data.as_uri(), digest_of(data))
    Worker(units, settings).run_until_idle()
    assert profiled(units, found) == [("read by Acta", 1000)]


@pytest.mark.parametrize("place", ["outside", "link", "missing", "changed", "no uri"])
def test_what_acta_does_not_reach_has_no_profile_and_the_job_says_why(
    units, people, settings, registered, data, tmp_path, place
):
    uri, digest = data.as_uri(), digest_of(data)
    if place == "outside":
        elsewhere = tmp_path / "training.csv"
        elsewhere.write_text(CSV)
        uri = elsewhere.as_uri()
    elif place == "link":
        link = data.with_name("link.csv")
        secret = tmp_path / "secret.csv"
        secret.write_text(CSV)
        link.symlink_to(secret)
        uri = link.as_uri()
    elif place == "missing":
        data.unlink()
    elif place == "changed":
        data.write_text(CSV + "\n1,2,3,4")
    else:
        uri = None
    found = registered_on(units, people, registered, uri, digest)
    Worker(units, settings).run_until_idle()
    assert profiled(units, found) == []
    with units.reading() as unit:
        results = unit.session.execute(
            text("SELECT state, result FROM acta_job WHERE kind = 'profile-training-data'")
        ).all()
    if place != "no uri":
        ((state, result),) = results
        assert state == "succeeded"
        assert "not read" in str(result)


def test_a_client_states_a_profile_until_acta_reads_the_data_itself(units, people, settings, registered, data):
    found = registered_on(units, people, registered, data.as_uri(), digest_of(data))
    with units.writing() as unit:
        state_profile(unit, people.developer, found, digest_of(data), PROFILE)
    assert profiled(units, found) == [("stated by the client", 1000)]
    Worker(units, settings).run_until_idle()
    assert profiled(units, found) == [("read by Acta", 1000)]
    with units.writing() as unit:
        kept = state_profile(unit, people.developer, found, digest_of(data), replace(PROFILE, rows=5))
    assert kept.profile.rows == 1000
    assert profiled(units, found) == [("read by Acta", 1000)]


def test_a_profile_belongs_to_training_data_of_the_lineage(units, people, registered):
    with pytest.raises(InvalidInputError, match="no training data"), units.writing() as unit:
        state_profile(unit, people.developer, registered, bytes(32), PROFILE)


def test_a_reviewer_states_no_profile(units, people, registered):
    with pytest.raises(RefusedError), units.writing() as unit:
        state_profile(unit, people.operations, registered, bytes.fromhex("4e" * 32), PROFILE)


def test_profiles_over_http(client, people, registered):
    import msgspec

    url = "/api/v1/models/credit-default/versions/1/training-profiles"
    headers = client.as_(people.developer)
    body = {"dataset_digest": "4e" * 32, "profile": msgspec.to_builtins(PROFILE)}
    stated = client.http.put(url, headers=headers, json=body)
    assert stated.status_code == 200
    assert client.http.get(url, headers=headers).json() == [stated.json()]
    assert client.http.put(url, headers=headers, json=body | {"dataset_digest": "xyz"}).status_code == 400
