"""The charts of an assessment, drawn elsewhere, as a card prints them: one SVG a table row.

The SVG comes ready, so it is judged before it enters the page: well-formed, of drawing elements
only, with no link, script, style or external reference.
"""

from __future__ import annotations

import re
from enum import StrEnum
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import msgspec

from reports.errors import CardContentError


class GroupState(StrEnum):
    """What one row says. *Too few* is never a pass; *not judged* has no limit."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    TOO_FEW = "too-few"
    NOT_JUDGED = "not-judged"


class ChartRow(msgspec.Struct, frozen=True, kw_only=True):
    """One group. Numbers come as they are to be read: `rate` "8.5 %", `interval` "7.3 to 9.8"."""

    label: str
    base: str
    rate: str
    interval: str
    state: GroupState
    svg: str


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """The groups of one sensitive feature. `limit_text`: where its limit lies, if it has one of its own."""

    title: str
    rows: tuple[ChartRow, ...]
    limit_text: str | None = None


class ChartTable(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over all groups. `head_svg` labels reference and limit, `axis_svg` the scale."""

    caption: str
    base_label: str
    rate_label: str
    bands: tuple[Band, ...]
    head_svg: str | None = None
    axis_svg: str | None = None


_SVG = "{http://www.w3.org/2000/svg}"
_ELEMENTS = frozenset(
    ["svg", "g", "title", "desc", "line", "circle", "ellipse", "rect", "path", "polyline", "polygon", "text", "tspan"]
)
_ATTRIBUTES = frozenset(
    """viewBox width height x y x1 x2 y1 y2 cx cy r rx ry d points transform fill fill-rule stroke
    stroke-width stroke-dasharray stroke-linecap stroke-linejoin opacity text-anchor
    dominant-baseline dx dy font-family font-size font-weight font-style class role aria-hidden
    aria-label preserveAspectRatio""".split()
)
_MAX_BYTES = 64 * 1024


def checked_svg(svg: str, title: str) -> str:
    """`svg`, harmless, and with `title` as its text for those who cannot see it.

    Raises:
        CardContentError: too long, not XML, or holding an element or attribute that does not draw.
    """
    if len(svg) > _MAX_BYTES:
        raise CardContentError("chart", f"{len(svg)} characters", f"draw it in at most {_MAX_BYTES}")
    if "<!" in svg or "<?" in svg:
        raise CardContentError("chart", svg, "leave out declarations, comments and processing instructions")
    try:
        root = ElementTree.fromstring(svg)  # noqa: S314 -- no declaration passed the line above, so no entity
    except ElementTree.ParseError as error:
        raise CardContentError("chart", svg, f"write well-formed SVG ({error})") from error
    if root.tag.removeprefix(_SVG) != "svg":
        raise CardContentError("chart", root.tag, "the outermost element has to be svg")
    for element in root.iter():
        name = element.tag.removeprefix(_SVG)
        if name not in _ELEMENTS:
            raise CardContentError("chart element", name, "use drawing elements only")
        for attribute, value in element.attrib.items():
            if attribute not in _ATTRIBUTES or "url(" in value.lower():
                raise CardContentError("chart attribute", f"{attribute}={value}", "use drawing attributes only")
    if root.find("title") is not None or root.find(f"{_SVG}title") is not None:
        return svg
    return re.sub(r"^(\s*<svg[^>]*[^/>])>", lambda match: f"{match[1]}><title>{escape(title)}</title>", svg, count=1)
