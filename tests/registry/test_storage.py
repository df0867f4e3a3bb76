import errno
import hashlib
import uuid
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import TooLargeError, UnavailableError
from registry.storage import Storage, StorageCorruptedError


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "storage"))


def files_below(storage: Storage) -> list[Path]:
    return [path for path in Path(storage.url).rglob("*") if path.is_file()]


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_bytes_come_back_under_their_sha_256_in_any_file_system(chunks):
    storage = Storage(f"memory://{uuid.uuid4().hex}")
    stored = storage.put_stream(chunks, 1000)
    data = b"".join(chunks)
    assert stored.digest == hashlib.sha256(data).digest()
    assert stored.size_bytes == len(data)
    assert storage.get(stored.digest) == data
    with storage.local_path(stored.digest) as path:
        assert path.read_bytes() == data


def test_the_path_follows_from_the_digest_alone(storage):
    digest = storage.put(b"facts").hex()
    assert [path.relative_to(storage.url).as_posix() for path in files_below(storage)] == [
        f"{digest[:2]}/{digest[2:4]}/{digest}"
    ]


def test_more_than_the_limit_stops_the_stream_and_leaves_nothing(storage):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield b"x" * 100

    with pytest.raises(TooLargeError, match="250 bytes"):
        storage.put_stream(endless(), 250)
    assert len(taken) == 3
    assert files_below(storage) == []


def test_a_stream_that_breaks_off_leaves_nothing(storage):
    def broken():
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(UnavailableError):
        storage.put_stream(broken(), 100)
    assert files_below(storage) == []


def test_changed_bytes_are_never_handed_out(storage):
    digest = storage.put(b"the true result")
    [file] = files_below(storage)
    file.write_bytes(b"the false result")
    with pytest.raises(StorageCorruptedError, match=digest.hex()):
        storage.get(digest)
    with pytest.raises(StorageCorruptedError), storage.open(digest):
        pytest.fail("it was opened")
    with pytest.raises(StorageCorruptedError), storage.local_path(digest, ".csv"):
        pytest.fail("it was opened")


def test_storing_the_same_bytes_again_heals_them(storage):
    digest = storage.put(b"the true result")
    [file] = files_below(storage)
    file.write_bytes(b"the false result")
    assert storage.put(b"the true result") == digest
    assert storage.get(digest) == b"the true result"


def test_missing_bytes_are_named_with_the_remedy(storage):
    with pytest.raises(StorageCorruptedError, match=r"are missing\. Restore them"):
        storage.get(bytes(32))


def test_a_full_disk_says_what_to_do_and_leaves_nothing(storage, monkeypatch):
    def full(self, path, mode="rb", **_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalFileSystem, "_open", full)
    with pytest.raises(UnavailableError, match="disk of the storage is full") as failure:
        storage.put(b"facts")
    assert failure.value.remedy == "Free some space and try again."
    assert files_below(storage) == []


def test_a_storage_that_cannot_be_written_is_named_before_anything_is_lost(tmp_path):
    (tmp_path / "storage").write_text("a file, where a folder is wanted")
    storage = Storage(str(tmp_path / "storage"))
    with pytest.raises(UnavailableError, match="ACTA_STORAGE_URL"):
        storage.check()


def test_an_unknown_kind_of_storage_is_refused():
    with pytest.raises(UnavailableError, match="ACTA_STORAGE_URL"):
        Storage("nowhere://bucket").put(b"facts")


def test_a_local_path_may_end_as_its_reader_wants(storage):
    digest = storage.put(b"a,b\n1,2\n")
    with storage.local_path(digest, ".csv") as path:
        assert path.suffix == ".csv"
        assert path.read_bytes() == b"a,b\n1,2\n"
    assert not path.exists()
