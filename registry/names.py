"""Rules that every name, label and text from outside must keep."""

import re
import unicodedata

from registry.errors import InvalidInputError

LONGEST_NAME = 250
LONGEST_TEXT = 20_000


def checked_name(field: str, value: str) -> str:
    """A name that people give in Acta and that may stand in a URL path: returned unchanged, or refused.

    Raises:
        InvalidInputError: as `checked_path_part`; or not in Unicode normalisation form C.
    """
    checked_path_part(field, value)
    if not unicodedata.is_normalized("NFC", value):
        raise InvalidInputError(field, value, "a name must be in Unicode normalisation form C (NFC): send it composed")
    if len(key := name_key(value)) > LONGEST_NAME:
        rule = f"written out, its characters are {len(key)}; at most {LONGEST_NAME} are allowed"
        raise InvalidInputError(field, value, rule)
    return value


def name_key(name: str) -> str:
    """What names that look alike have in common: equal for names that differ by case or normalisation only.

    Compatibility caseless matching: the Unicode Standard, section 3.13, definition D146; composed at the end.
    """
    folded = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", folded).casefold())


def checked_path_part(field: str, value: str) -> str:
    """A name that may stand in a URL path, as some file system spells it: returned unchanged, or refused.

    Raises:
        InvalidInputError: empty or only spaces, over 250 characters, `/`, control characters, `.` or `..`.
    """
    checked_label(field, value)
    if "/" in value or "\\" in value:
        raise InvalidInputError(field, value, "a name must not contain a slash or backslash")
    if value in {".", ".."}:
        raise InvalidInputError(field, value, "a name must not be a path step")
    return value


def checked_label(field: str, value: str) -> str:
    """One line of text that is shown to people.

    Raises:
        InvalidInputError: empty, over 250 characters, blank at an end, control or invisible characters.
    """
    if not value.strip():
        raise InvalidInputError(field, value, "it must not be empty or only spaces")
    if len(value) > LONGEST_NAME:
        raise InvalidInputError(field, value, f"it has {len(value)} characters; at most {LONGEST_NAME} are allowed")
    if value != value.strip():
        raise InvalidInputError(field, value, "it must not begin or end with a space")
    # Cc control, Cf invisible formatting (direction overrides among them), Cs lone surrogates, Zl and Zp line ends.
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in value):
        raise InvalidInputError(field, value, "it must not contain control or invisible characters")
    return value


def checked_text(field: str, value: str) -> str:
    """Free text of several lines.

    Raises:
        InvalidInputError: empty, over 20,000 characters, NUL or lone surrogates.
    """
    if not value.strip():
        raise InvalidInputError(field, value, "it must not be empty or only spaces")
    if len(value) > LONGEST_TEXT:
        raise InvalidInputError(field, value, f"it has {len(value)} characters; at most {LONGEST_TEXT} are allowed")
    if "\0" in value or any(unicodedata.category(character) == "Cs" for character in value):
        raise InvalidInputError(field, value, "it must not contain NUL or lone surrogates")
    return value


def checked_digest(field: str, value: str) -> bytes:
    """32 bytes from their 64 lower-case hexadecimal digits.

    Raises:
        InvalidInputError: anything else.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise InvalidInputError(field, value, "a SHA-256 is written as 64 lower-case hexadecimal digits")
    return bytes.fromhex(value)
