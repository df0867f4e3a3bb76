"""SVG of chart cells. Places are fractions from 0 to 1 across the cell; only `head_svg` holds words."""

from collections.abc import Sequence
from enum import StrEnum
from html import escape
from typing import NamedTuple


class Theme(StrEnum):
    """Where a chart is seen."""

    WEB = "web"
    """Percentages and classes; the page's stylesheet colours it, by `currentColor` of the cell."""
    PRINT = "print"
    """A cell of 48 x 5.2 mm in a PDF: units of 1/4 mm, colours written out."""


class Marks(NamedTuple):
    """What is drawn for one group. `state`: passed, failed, unsure, open, or empty."""

    reference: float
    limits: tuple[float, ...]
    low: float | None
    high: float | None
    point: float | None
    few: bool
    state: str


class Label(NamedTuple):
    """Words above a line. `anchor`: the end of the words that lies at `place`."""

    place: float
    anchor: str
    words: str
    limit: bool


class _Inks(NamedTuple):
    point: str
    interval: str


_INK, _SOFT, _MARK = "#17212b", "#4e5a66", "#7d8894"

_PRINT_INKS = {
    "passed": _Inks("#0a5c8f", "#a9c6d9"),
    "failed": _Inks("#a8123f", "#dfa9b9"),
    "unsure": _Inks("#8a5a00", "#d8c49b"),
    "open": _Inks("#5f6a75", "#5f6a75"),
    "": _Inks(_INK, "#b4bac0"),
}

_WIDTH, _HEIGHT = 192.0, 20.8
_PRINT_OPEN = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
)


def row_svg(marks: Marks, theme: Theme) -> str:
    """The drawing of one group."""
    return _web_row(marks) if theme is Theme.WEB else _print_row(marks)


def head_svg(labels: Sequence[Label], theme: Theme) -> str:
    """The words above the lines."""
    drawn = []
    for label in labels:
        words = f'text-anchor="{label.anchor}">{escape(label.words)}</text>'
        aside = -1 if label.anchor == "end" else 1
        if theme is Theme.WEB:
            kind = ' class="limit-label"' if label.limit else ""
            drawn.append(f'<text{kind} x="{_share(label.place)}" dx="{4 * aside}" y="12" {words}')
        else:
            ink = f'fill="{_INK}" font-weight="500" ' if label.limit else ""
            drawn.append(f'<text x="{_units(label.place) + 3 * aside:.1f}" y="17" {ink}{words}')
    return _axis(drawn, theme)


def axis_svg(ticks: Sequence[tuple[float, str]], theme: Theme) -> str:
    """The scale below the rows: (place, number), the last with a percent sign."""
    drawn = []
    for index, (place, number) in enumerate(ticks):
        last = index == len(ticks) - 1
        anchor = "start" if index == 0 else "end" if last else "middle"
        words = number + ("\u202f%" if last else "")
        if theme is Theme.WEB:
            x = _share(place)
            drawn.append(
                f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="5"/>'
                f'<text x="{x}" y="17" text-anchor="{anchor}">{words}</text>'
            )
        else:
            x = f"{_units(place):.1f}"
            drawn.append(
                f'<line x1="{x}" x2="{x}" y1="0" y2="4" stroke="{_MARK}" stroke-width=".8"/>'
                f'<text x="{x}" y="14" text-anchor="{anchor}">{words}</text>'
            )
    return _axis(drawn, theme)


def _axis(drawn: Sequence[str], theme: Theme) -> str:
    if theme is Theme.WEB:
        return f'<svg class="axis" aria-hidden="true">{"".join(drawn)}</svg>'
    return f'{_PRINT_OPEN} font-family="IBM Plex Sans" font-size="9.3" fill="{_SOFT}">{"".join(drawn)}</svg>'


def _share(place: float) -> str:
    return f"{place * 100:.2f}%"


def _units(place: float) -> float:
    return place * _WIDTH


def _web_row(marks: Marks) -> str:
    reference = _share(marks.reference)
    drawn = [f'<line class="ref" x1="{reference}" x2="{reference}" y1="0" y2="100%"/>']
    drawn += [
        f'<line class="limit" x1="{_share(limit)}" x2="{_share(limit)}" y1="0" y2="100%"/>' for limit in marks.limits
    ]
    if marks.low is not None and marks.high is not None:
        kind = "interval few" if marks.few else "interval"
        drawn.append(f'<line class="{kind}" x1="{_share(marks.low)}" x2="{_share(marks.high)}" y1="50%" y2="50%"/>')
    if marks.point is not None:
        drawn.append(f'<circle class="point" cx="{_share(marks.point)}" cy="50%" r="{3 if marks.few else 5}"/>')
    return f'<svg aria-hidden="true">{"".join(drawn)}</svg>'


def _print_row(marks: Marks) -> str:
    inks = _PRINT_INKS[marks.state]
    middle = _HEIGHT / 2
    drawn = [_rule(marks.reference, f'stroke="{_MARK}" stroke-width=".8" stroke-dasharray="1.5 2.5"')]
    drawn += [_rule(limit, f'stroke="{_INK}" stroke-width="1.2"') for limit in marks.limits]
    if marks.low is not None and marks.high is not None:
        line = 'stroke-width="1.6" stroke-dasharray="3 3"' if marks.few else 'stroke-width="4.5"'
        drawn.append(
            f'<line x1="{_units(marks.low):.1f}" x2="{_units(marks.high):.1f}" y1="{middle}" y2="{middle}" '
            f'stroke="{inks.interval}" {line}/>'
        )
    if marks.point is not None:
        radius = 2.4 if marks.few else 3.6
        drawn.append(f'<circle cx="{_units(marks.point):.1f}" cy="{middle}" r="{radius}" fill="{inks.point}"/>')
    return f"{_PRINT_OPEN}>{''.join(drawn)}</svg>"


def _rule(place: float, stroke: str) -> str:
    x = f"{_units(place):.1f}"
    return f'<line x1="{x}" x2="{x}" y1="0" y2="{_HEIGHT}" {stroke}/>'
