"""Lineage drawn from left to right: what a version came from, its run, itself, and the stage it stands in.

The shape is fixed, so the layout is arithmetic: boxes on a grid of rows, edges that bend once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from registry.catalog.facts import DatasetRole, EdgeKind, LineageEdge
from registry.web.presentation import short_digest

_ROW, _HEIGHT = 66, 54
_LEFT_WIDTH, _RUN_X, _RUN_WIDTH = 186, 262, 156
_SELF_X, _SELF_WIDTH, _STAGE_X, _STAGE_WIDTH = 470, 142, 650, 110
_MOST_SOURCES, _MOST_TESTS = 7, 3
_KINDS = {EdgeKind.CODE: "Code", EdgeKind.ENVIRONMENT: "Environment", EdgeKind.PARENT: "Parent", EdgeKind.RUN: "Run"}


@dataclass(frozen=True)
class Box:
    """A node: three lines of text in a frame."""

    x: int
    y: int
    width: int
    kind: str
    text: str
    mark: str
    title: str
    """The text in full."""
    is_self: bool = False


@dataclass(frozen=True)
class Drawing:
    """A picture in units of its own; `width` by `height`."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    edges: tuple[str, ...]
    """Paths."""
    heads: tuple[str, ...]
    """Arrowheads."""
    label_y: int | None
    """Where "assessed on" stands."""


def kind_of(edge: LineageEdge) -> str:
    """What an edge leads to, as people call it."""
    if edge.kind is EdgeKind.DATASET:
        return f"{(edge.role or DatasetRole.TRAINING).value.capitalize()} data"
    return _KINDS[edge.kind]


def mark_of(edge: LineageEdge) -> str:
    """What tells it from others: the two ends of its digest, or its identifier."""
    if edge.digest is not None:
        return short_digest(edge.digest)
    prefix = {EdgeKind.CODE: "commit ", EdgeKind.RUN: "run ", EdgeKind.PARENT: "version "}.get(edge.kind, "")
    return prefix + (edge.identifier or "")


def draw(edges: Sequence[LineageEdge], title: str, mark: str, stage: str) -> Drawing:
    """The lineage of a version called `title` that stands in `stage`."""
    runs = [edge for edge in edges if edge.kind is EdgeKind.RUN][:1]
    tests = [edge for edge in edges if edge.role is DatasetRole.TEST]
    sources = [edge for edge in edges if edge not in runs and edge not in tests]
    shown, shown_tests = sources[:_MOST_SOURCES], tests[:_MOST_TESTS]
    rows = max(len(shown) + (len(sources) > len(shown)), 2 * len(shown_tests) + 1 if shown_tests else 1)
    height = rows * _ROW - (_ROW - _HEIGHT)
    middle = height // 2
    boxes = [_box(0, row * _ROW, _LEFT_WIDTH, edge) for row, edge in enumerate(shown)]
    if len(sources) > len(shown):
        more = f"{len(sources) - len(shown)} more"
        boxes.append(Box(0, len(shown) * _ROW, _LEFT_WIDTH, "And", more, "in the table", more))
    paths: list[str] = []
    heads: list[str] = []
    target = _RUN_X if runs else _SELF_X
    paths.extend(f"M{_LEFT_WIDTH} {box.y + _HEIGHT // 2}H224V{middle}H{target - 5}" for box in boxes)
    if boxes:
        heads.append(_head(target, middle))
    if runs:
        boxes.append(_box(_RUN_X, middle - _HEIGHT // 2, _RUN_WIDTH, runs[0]))
        paths.append(f"M{_RUN_X + _RUN_WIDTH} {middle}H{_SELF_X - 5}")
        heads.append(_head(_SELF_X, middle))
    label_y = None
    for position, edge in enumerate(shown_tests):
        y = (rows - len(shown_tests) + position) * _ROW
        boxes.append(_box(_RUN_X, y, _RUN_WIDTH, edge))
        up = _SELF_X + _SELF_WIDTH // 2
        paths.append(f"M{_RUN_X + _RUN_WIDTH} {y + _HEIGHT // 2}H{up}V{middle + 32}")
        label_y = label_y or y + 21
    if shown_tests:
        up = _SELF_X + _SELF_WIDTH // 2
        heads.append(f"M{up} {middle + 27}l-3.5 6h7z")
    boxes.append(_fitted(_SELF_X, middle - 27, _SELF_WIDTH, "Version", title, mark, is_self=True))
    if stage != "none":
        paths.append(f"M{_SELF_X + _SELF_WIDTH} {middle}H{_STAGE_X - 5}")
        heads.append(_head(_STAGE_X, middle))
        boxes.append(_fitted(_STAGE_X, middle - 27, _STAGE_WIDTH, "Stands in", stage, "", is_self=False))
    return Drawing(_STAGE_X + _STAGE_WIDTH, height, tuple(boxes), tuple(paths), tuple(heads), label_y)


def _head(x: int, y: int) -> str:
    return f"M{x} {y}l-6-3.5v7z"


def _box(x: int, y: int, width: int, edge: LineageEdge) -> Box:
    return _fitted(x, y, width, kind_of(edge), edge.name, mark_of(edge), is_self=False)


def _fitted(x: int, y: int, width: int, kind: str, text: str, mark: str, *, is_self: bool) -> Box:
    # 12.5 px Plex Sans runs at about 6.8 px a character, 11 px Plex Mono at 6.6.
    room = (width - 24) // 7
    return Box(x, y, width, kind, _cut(text, room), _cut(mark, room), text, is_self)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
