"""PyTorch's archives: one pickle, and the raw numbers of tensors that it refers to by persistent ids.

Format: `torch.serialization._save`. TorchScript archives hold programs and are refused.
"""

import re
import zipfile

from registry.policy.checks.scanning.archives import member_stream
from registry.policy.checks.scanning.opcodes import Reader
from registry.policy.checks.scanning.pickle_values import Named
from registry.policy.checks.scanning.pickles import follow_pickles
from registry.policy.checks.scanning.report import Seen, UnreadableFormatError

_RAW = re.compile(r"(data/[0-9]+|version|byteorder|\.data/serialization_id|\.format_version|\.storage_alignment)")


def is_torch(archive: zipfile.ZipFile) -> bool:
    """Whether an archive has PyTorch's one folder with its pickle."""
    return any(name.count("/") == 1 and name.endswith("/data.pkl") for name in archive.namelist())


def read_torch(archive: zipfile.ZipFile, seen: Seen) -> None:
    """Follow the pickle, and see that there is nothing besides it but numbers.

    Raises:
        UnreadableFormatError: a pickle that is not understood, or a member that tensors do not need.
    """
    folder = archive.namelist()[0].split("/", 1)[0]
    for name in archive.namelist():
        inner = name.removeprefix(f"{folder}/")
        if inner == name or not (inner == "data.pkl" or _RAW.fullmatch(inner)):
            if inner.startswith("code/") or inner == "constants.pkl":
                seen.add_danger("a TorchScript program")
            else:
                raise UnreadableFormatError(f"it has the member {name!r}, which tensors do not need")
    with member_stream(archive, f"{folder}/data.pkl") as stream:
        follow_pickles(stream, seen, _is_storage, Reader.PLAIN)
    seen.kinds.append("PyTorch")


def _is_storage(identity: object) -> bool:
    """Whether a persistent id is ('storage', class of storage, key, device, number of items)."""
    match identity:
        case ("storage", Named(), str(), str(), int()):
            return True
        case _:
            return False
