"""Which characters the shipped fonts can draw; every other one is printed as its code point.

A missing glyph would be a silent box, and a direction override could make the page read other
than its facts. Both become visible text: `[U+1F600]`.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from reports.errors import RenderingError


@cache
def coverage(fonts: Path) -> frozenset[int]:
    """Code points that at least one font of the directory draws, and the spaces.

    Raises:
        RenderingError: the directory holds no font.
    """
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # ships no types

    drawn: set[int] = set()
    files = sorted(path for path in fonts.iterdir() if path.suffix in {".woff2", ".ttf", ".otf"})
    if not files:
        raise RenderingError(f"No font in {fonts}: reinstall the package, or name the directory that holds them.")
    for path in files:
        with TTFont(path, lazy=True) as font:
            drawn.update(font.getBestCmap())
    spaces = {code for code in range(0x3001) if unicodedata.category(chr(code)) == "Zs"}
    return frozenset((drawn - _controls(drawn)) | spaces | {0x09, 0x0A, 0x0D})


def drawable(text: str, drawn: frozenset[int]) -> str:
    """`text` with each character outside `drawn` written as `[U+XXXX]`."""
    # ASCII is what nearly every fact is made of: answer it without looking at each character.
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if ord(character) in drawn else f"[U+{ord(character):04X}]" for character in text)


def _controls(codes: set[int]) -> set[int]:
    # Control and format characters (direction overrides among them) draw nothing and change the reading.
    return {code for code in codes if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Co", "Cn"}}
