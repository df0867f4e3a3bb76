"""ZIP archives, taken strictly: two readers must not see two different archives in the same bytes.

Known ways past scanners are archives that one library refuses and the model's loader reads: a wrong checksum, another
name or flag in a member's own header than in the directory, bytes before the first member (CVE-2025-1944,
CVE-2025-1945, CVE-2025-10156). Each of these is an error here. Format: PKWARE's APPNOTE.TXT, sections 4.3.7 and 4.3.12.
"""

import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from registry.policy.checks.scanning.report import UnreadableFormatError

MOST_MEMBERS = 100_000
MOST_BYTES = 8 * 2**30
"""Of all members together, unpacked."""
MOST_RATIO = 2000
"""Unpacked bytes for each packed one."""
LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
ENCRYPTED, UTF8 = 1, 0x800
# Bit 3: sizes follow the member; 1 and 2 say how hard it was compressed; 11: names are UTF-8.
UNDERSTOOD_FLAGS = UTF8 | 0b1110


@contextmanager
def strict_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive whose every member was read once, and found as it is described.

    Raises:
        UnreadableFormatError: anything in it could be read in two ways, or it unpacks to too much.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
            _check_outline(archive, raw, path.stat().st_size)
            for member in archive.infolist():
                _check_member(archive, member, raw)
            yield archive
    # NotImplementedError: a compression that zipfile does not know; RuntimeError: an encrypted member.
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnreadableFormatError(f"it is no well-formed ZIP archive ({error})") from error
    except (ValueError, struct.error, UnicodeError) as error:
        raise UnreadableFormatError(f"it is no well-formed ZIP archive ({error})") from error


def _check_outline(archive: zipfile.ZipFile, raw: BinaryIO, size: int) -> None:
    members = archive.infolist()
    if not 0 < len(members) <= MOST_MEMBERS:
        raise UnreadableFormatError(f"it has {len(members):,} members")
    names = [member.filename for member in members]
    if len({name.casefold() for name in names}) != len(names):
        raise UnreadableFormatError("two of its members have the same name")
    if min(member.header_offset for member in members) != 0 or archive.comment:
        raise UnreadableFormatError("there are bytes before its first member or behind its directory")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MOST_BYTES or unpacked > MOST_RATIO * max(size, 1):
        raise UnreadableFormatError(f"it unpacks to {unpacked:,} bytes")
    raw.seek(max(size - 22, 0))
    if raw.read(4) != b"PK\5\6":
        raise UnreadableFormatError("there are bytes behind its directory")


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, raw: BinaryIO) -> None:
    raw.seek(member.header_offset)
    signature, _, flags, method, _, _, checksum, packed, unpacked, name_length, _ = LOCAL_HEADER.unpack(
        raw.read(LOCAL_HEADER.size)
    )
    name = raw.read(name_length)
    shown = member.filename
    if signature != b"PK\3\4" or flags != member.flag_bits or method != member.compress_type:
        raise UnreadableFormatError(f"its member {shown!r} is described in two ways")
    if flags & ~UNDERSTOOD_FLAGS or method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableFormatError(f"its member {shown!r} is encrypted or packed in a way that is not understood")
    if name != member.orig_filename.encode("utf-8" if flags & UTF8 else "cp437"):
        raise UnreadableFormatError(f"its member {shown!r} has another name in its own header")
    stated = (checksum, packed, unpacked)
    if not flags & 8 and 0xFFFFFFFF not in stated and stated != (member.CRC, member.compress_size, member.file_size):
        raise UnreadableFormatError(f"its member {shown!r} is described in two ways")
    if shown.startswith(("/", "\\")) or "\\" in shown or ".." in shown.split("/") or ":" in shown:
        raise UnreadableFormatError(f"its member {shown!r} would lie outside of it")
    read = 0
    with archive.open(member) as stream:
        # At the end of the member zipfile compares its checksum.
        while chunk := stream.read(1 << 20):
            read += len(chunk)
    if read != member.file_size:
        raise UnreadableFormatError(f"its member {shown!r} has other bytes than described")


@contextmanager
def member_stream(archive: zipfile.ZipFile, name: str) -> Iterator[BinaryIO]:
    """A member, open for reading and seeking."""
    with archive.open(name) as stream:
        yield cast(BinaryIO, stream)
