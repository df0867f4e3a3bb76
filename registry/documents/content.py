"""What may be uploaded as a document: media types and names, as rules. No I/O."""

import codecs

from registry.errors import InvalidInputError
from registry.names import checked_path_part

TEXT_TYPES = frozenset({"text/markdown", "text/plain", "text/csv", "application/json"})
SIGNATURES = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n\x1a\n"}
"""How files of a type begin. PDF: ISO 32000-1, 7.5.2; PNG: RFC 2083, 3.1."""

MEDIA_TYPES = tuple(sorted(TEXT_TYPES | set(SIGNATURES)))


def checked_media_type(stated: str, head: bytes) -> str:
    """The media type, without parameters, where it is allowed and the content is of it.

    `head`: the first bytes of the content; a character that its end cuts in two is fine.

    Raises:
        InvalidInputError: another type, or content that is not what the type says.
    """
    media_type = stated.partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise InvalidInputError("file", stated, f"its media type must be one of {', '.join(MEDIA_TYPES)}")
    signature = SIGNATURES.get(media_type)
    if signature is not None:
        if not head.startswith(signature):
            raise InvalidInputError("file", stated, f"its content does not begin like {media_type}")
        return media_type
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        raise InvalidInputError("file", stated, "its content is not UTF-8 text") from None
    if "\0" in text:
        raise InvalidInputError("file", stated, "its content holds NUL, so it is not text")
    if media_type == "application/json" and not text.lstrip().startswith(("{", "[", '"', "-", *"0123456789tfn")):
        raise InvalidInputError("file", stated, "its content is not JSON")
    return media_type


def checked_file_name(value: str) -> str:
    """A file name that is safe to show and to offer for a download.

    Raises:
        InvalidInputError: path parts, control characters, direction overrides, over 250 characters.
    """
    return checked_path_part("file name", value)
