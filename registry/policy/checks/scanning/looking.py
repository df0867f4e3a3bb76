"""Tells what a file of an artifact is, by its bytes and never by its name alone, and looks into it."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import yaml

from registry.policy.checks.scanning.archives import member_stream, strict_archive
from registry.policy.checks.scanning.onnx_graph import read_onnx
from registry.policy.checks.scanning.opcodes import Reader
from registry.policy.checks.scanning.pickles import acts_as_pickle, follow_pickles
from registry.policy.checks.scanning.report import Seen, UnreadableFormatError
from registry.policy.checks.scanning.skops_file import is_skops, read_skops
from registry.policy.checks.scanning.tensors import (
    is_lightgbm,
    read_json,
    read_numpy,
    read_safetensors,
    read_xgboost_ubjson,
)
from registry.policy.checks.scanning.torch_file import is_torch, read_torch

MOST_UNPACKED = 2 * 2**30
CHUNK_BYTES = 1 << 20
MOST_ONNX_BYTES = 2**31
"""Protobuf's own limit."""
MOST_TEXT_BYTES = 512 * 2**20
PICKLE_SUFFIXES = frozenset({".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle"})
TEXT_SUFFIXES = frozenset({".txt", ".md", ".rst", ".csv", ".tsv", ".lgb", ".lock", ".toml", ".cfg", ".ini", ""})
"""Of text that no loader runs."""
MLMODEL = "MLmodel"
NEVER_UNPICKLED = frozenset({MLMODEL, "conda.yaml", "python_env.yaml", "requirements.txt"})
"""Files that MLmodel names and MLflow reads as text, whatever the flavour."""
YAML_SUFFIXES = frozenset({".yaml", ".yml"})
JSON_SUFFIXES = frozenset({".json"})
PROGRAM_SUFFIXES = frozenset({".py", ".pyc", ".so", ".pyd", ".dll", ".dylib", ".sh", ".exe", ".ipynb", ".whl", ".jar"})
INERT_MAGIC: Mapping[bytes, str] = {b"PAR1": "Parquet", b"\x89PNG": "PNG", b"%PDF-": "PDF", b"\xff\xd8\xff": "JPEG"}

# joblib's compressions. Its bytes would be a pickle, so that nothing else is looked for in them.
COMPRESSIONS: Mapping[bytes, str] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x5d\x00\x00": "lzma",
    b"\x78\x01": "zlib",
    b"\x78\x5e": "zlib",
    b"\x78\x9c": "zlib",
    b"\x78\xda": "zlib",
}


@dataclass(frozen=True)
class Place:
    """A file of an artifact: the artifact's folder, the path below it, and the paths of all files.

    `loaded`: the texts in the artifact's MLmodel, among which are the paths of the files that MLflow loads.
    """

    folder: Path
    path: str
    files: frozenset[str]
    loaded: frozenset[str] = frozenset()

    @property
    def file(self) -> Path:
        """The file itself."""
        return self.folder / self.path

    @property
    def suffix(self) -> str:
        """How its name ends, in lower case."""
        return self.file.suffix.lower()

    @property
    def reader(self) -> Reader:
        """Who would load it as a pickle: joblib what is called so, unless MLflow, which uses pickle, names it."""
        return Reader.JOBLIB if self.suffix == ".joblib" and not self.is_loaded else Reader.EITHER

    @property
    def is_loaded(self) -> bool:
        """Whether MLmodel may name it: by its path, or by its name below some folder."""
        return any(PurePosixPath(text).name == self.file.name for text in self.loaded)


def look_into(place: Place) -> Seen:
    """Everything that loading the file would look up or do.

    Raises:
        UnreadableFormatError: it is of no kind that is known, or not what it seems.
    """
    seen = Seen()
    try:
        _look_into(place, seen)
    except UnreadableFormatError as error:
        raise UnreadableFormatError(str(error), seen) from error
    return seen


def _look_into(place: Place, seen: Seen) -> None:
    with place.file.open("rb") as file:
        head = file.read(64)
        file.seek(0)
        if place.suffix in PROGRAM_SUFFIXES or head.startswith((b"\x7fELF", b"MZ", b"#!")):
            seen.add_danger("a program, which loading the model would run")
            seen.kinds.append("program")
        elif not head:
            seen.kinds.append("empty")
        elif head.startswith(b"PK"):
            _look_into_archive(place, seen)
        elif head[:1] == b"\x80" and head[1:2] <= b"\x05":
            follow_pickles(file, seen, reader=place.reader)
            seen.kinds.append("pickle")
        elif not _look_into_compressed(place, file, head, seen) and not _look_into_binary(place, file, head, seen):
            _look_into_text(place, file, head, seen)


def _look_into_archive(place: Place, seen: Seen) -> None:
    with strict_archive(place.file) as archive:
        if is_skops(archive):
            read_skops(archive, seen)
        elif is_torch(archive):
            read_torch(archive, seen)
        elif all(name.endswith(".npy") for name in archive.namelist()):
            for name in archive.namelist():
                with member_stream(archive, name) as stream:
                    read_numpy(stream, seen)
            seen.kinds.append("NumPy")
        else:
            raise UnreadableFormatError("it is a ZIP archive of a kind that is not known")


def _look_into_compressed(place: Place, file: BinaryIO, head: bytes, seen: Seen) -> bool:
    for magic, name in COMPRESSIONS.items():
        if head.startswith(magic):
            whole = bytearray()
            try:
                for chunk in _unpacked(file, name):
                    whole += chunk
                    if len(whole) > MOST_UNPACKED:
                        raise UnreadableFormatError(f"it unpacks to more than {MOST_UNPACKED:,} bytes")
            except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
                raise UnreadableFormatError(f"it is no well-formed {name} ({error})") from error
            follow_pickles(io.BytesIO(whole), seen, reader=place.reader)
            seen.kinds.append(f"pickle in {name}")
            return True
    return False


def _unpacked(file: BinaryIO, compression: str) -> Iterator[bytes]:
    if compression == "zlib":
        unpacker = zlib.decompressobj()
        while not unpacker.eof:
            packed = unpacker.unconsumed_tail or file.read(CHUNK_BYTES)
            if not packed:
                raise EOFError("it ends too early")
            yield unpacker.decompress(packed, CHUNK_BYTES)
        if unpacker.unused_data or file.read(1):
            raise EOFError("there are bytes behind its end")
        return
    with _opened(file, compression) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def _opened(file: BinaryIO, compression: str) -> gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile:
    match compression:
        case "gzip":
            return gzip.GzipFile(fileobj=file)
        case "bzip2":
            return bz2.BZ2File(file)
        case _:
            return lzma.LZMAFile(file)


def _look_into_binary(place: Place, file: BinaryIO, head: bytes, seen: Seen) -> bool:
    """Whether it is one of the known binary formats, and was looked into."""
    for magic, kind in INERT_MAGIC.items():
        if head.startswith(magic):
            seen.kinds.append(kind)
            return True
    if head.startswith(b"\x93NUMPY"):
        read_numpy(file, seen)
        seen.kinds.append("NumPy")
    elif head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= place.file.stat().st_size:
        read_safetensors(place.file, seen)
    elif head.startswith((b"{L", b"{l", b"{i", b"{U")) and b"learner" in head:
        read_xgboost_ubjson(place.file, seen)
    elif place.suffix == ".onnx":
        if place.file.stat().st_size > MOST_ONNX_BYTES:
            raise UnreadableFormatError(f"an ONNX model has at most {MOST_ONNX_BYTES:,} bytes")
        read_onnx(file.read(), place.files, place.path.rpartition("/")[0], seen)
    else:
        return False
    return True


def _look_into_text(place: Place, file: BinaryIO, head: bytes, seen: Seen) -> None:
    if place.suffix in PICKLE_SUFFIXES:
        follow_pickles(file, seen, reader=place.reader)
        seen.kinds.append("pickle")
        return
    acting = acts_as_pickle(file)
    if acting is not None:
        seen.globals_named |= acting.globals_named
        seen.dangers += [*acting.dangers, f"a pickle that is called {place.file.name}"]
        seen.kinds.append("pickle")
        return
    if place.file.stat().st_size > MOST_TEXT_BYTES:
        raise UnreadableFormatError(f"it is text of more than {MOST_TEXT_BYTES:,} bytes")
    if place.suffix in JSON_SUFFIXES:
        read_json(place.file, seen)
        return
    text = _text(file)
    if is_lightgbm(head):
        seen.kinds.append("LightGBM")
    elif place.is_loaded and place.file.name not in NEVER_UNPICKLED:
        # A loader that unpickles would be told by MLmodel to take it.
        raise UnreadableFormatError(f"{MLMODEL} names it, and it is text of no format of models that is known")
    elif place.suffix in YAML_SUFFIXES or place.file.name == MLMODEL:
        _read_yaml(text)
        seen.kinds.append("YAML")
    elif place.suffix in TEXT_SUFFIXES:
        seen.kinds.append("text")
    else:
        raise UnreadableFormatError("it is of a kind that is not known")


def _text(file: BinaryIO) -> str:
    try:
        text = file.read().decode()
    except UnicodeDecodeError as error:
        raise UnreadableFormatError("it is of a kind that is not known") from error
    if "\0" in text:
        raise UnreadableFormatError("it is of a kind that is not known")
    return text


def _read_yaml(text: str) -> None:
    """See that it is YAML without tags, with which a careless loader would build objects."""
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            tag = getattr(event, "tag", None)
            if tag is not None and "python" in tag:
                raise UnreadableFormatError(f"it asks for the object {tag!r}")
    except yaml.YAMLError as error:
        raise UnreadableFormatError(f"it is no YAML ({error})") from error


def texts_of(described: str) -> frozenset[str]:
    """Every text in an MLmodel file: keys, values and elements of lists; none where it is no YAML."""
    try:
        events = list(yaml.parse(described, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return frozenset()
    return frozenset(event.value for event in events if isinstance(event, yaml.ScalarEvent))
