"""Facts to page: the model card as HTML, and as PDF/A-3a with its facts attached.

The same arguments give the same bytes, on any machine with the same native libraries: every date
comes from the facts, every font from the given directory, and nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reports import wording
from reports.charts import ChartTable, checked_svg
from reports.completeness import completeness
from reports.crossreference import CROSS_REFERENCE
from reports.facts import CardFacts, Checklist, GateVerdict, ItemState, LogRecord, facts_digest, facts_json
from reports.figures import guilloche, qr_code
from reports.glyphs import coverage, drawable
from reports.proof import read_proof


class CardStatus(StrEnum):
    """A draft carries a watermark, has no place for a seal, and is never logged."""

    FINAL = "final"
    DRAFT = "draft"


TITLES = {
    "use": "Intended use",
    "performance": "Performance",
    "bias": "Bias assessment",
    "gate": "Gate checklist",
    "approvals": "Approvals and waivers",
    "documents": "Documents",
    "data": "Data and lineage",
    "identity": "Identity",
    "monitoring": "Monitoring plan",
    "limits": "Limits",
    "crossreference": "Cross-reference",
    "record": "Record and verification",
}
"""Sections in their order, which follows the Model Cards paper (Mitchell et al. 2019)."""

_WORDS = {
    "passed": "Passed",
    "failed": "Failed",
    "inconclusive": "Inconclusive",
    "waived": "Waived",
    "error": "Error",
    "open": "Not yet answered",
    "not-applicable": "Not applicable",
    "too-few": "Too few",
    "not-judged": "Not judged",
}
LONGEST_EVIDENCE = 240
"""Characters of an item's evidence that are printed: a row that is taller than a page cannot be laid out well."""
_VERDICT_SHAPES = {GateVerdict.APPROVED: "passed", GateVerdict.REFUSED: "failed", GateVerdict.PENDING: "open"}
_NOT_PROVIDED = Markup('<span class="missing">not provided</span>')


def render_html(
    facts: CardFacts,
    charts: Sequence[ChartTable],
    *,
    templates: Path,
    fonts: Path,
    record: LogRecord | None = None,
    status: CardStatus = CardStatus.FINAL,
) -> str:
    """The card as one HTML page, whose stylesheet is `static/card.css` of `templates`.

    `charts`: those of the facts' assessment, drawn for print. `record`: the log entry of the
    facts' digest, None before there is one.

    Raises:
        CardContentError: a fact, a chart or the proof cannot be shown; it says which.
    """
    digest = facts_digest(facts)
    ids = list(TITLES)
    half = (len(ids) + 1) // 2
    return (
        _environment(templates, fonts)
        .get_template("card.html")
        .render(
            facts=facts,
            charts=charts,
            record=record,
            proof=read_proof(record.proof) if record else None,
            draft=status is CardStatus.DRAFT,
            model=f"{facts.identity.name} {facts.identity.version}",
            digest_hex=digest.hex(),
            complete=completeness(facts),
            verdict_shape=_VERDICT_SHAPES[facts.gate.verdict] if facts.gate else "open",
            gate_aside=_gate_aside(facts),
            longest_evidence=LONGEST_EVIDENCE,
            numbers={section: number for number, section in enumerate(ids, start=1)},
            titles=TITLES,
            contents=[(ids[row], ids[row + half] if row + half < len(ids) else None) for row in range(half)],
            pattern=Markup(guilloche(digest)),  # noqa: S704 -- drawn from bytes
            code=Markup(qr_code(facts.verification_url)) if facts.verification_url else None,  # noqa: S704 -- escaped there
            crossreference=CROSS_REFERENCE,
        )
    )


def render_pdf(
    facts: CardFacts,
    charts: Sequence[ChartTable],
    *,
    templates: Path,
    fonts: Path,
    record: LogRecord | None = None,
    status: CardStatus = CardStatus.FINAL,
) -> bytes:
    """The card as PDF/A-3a: tagged, `facts.json` and `facts.tlog-proof` attached, unsigned.

    A final card has an empty signature field over its seal block, for `seal_pdf`.

    Raises:
        CardContentError: as `render_html`.
        RenderingError: the page could not be laid out, or asked for something outside the card.
    """
    from reports.pdf import SEAL_FIELD, Attached, write_pdf

    attached = [Attached("facts.json", facts_json(facts), "The facts of this card", "Data")]
    if record:
        attached.append(Attached("facts.tlog-proof", record.proof.encode(), "Proof of the log entry", "Supplement"))
    html = render_html(facts, charts, templates=templates, fonts=fonts, record=record, status=status)
    return write_pdf(
        html,
        static=templates / "static",
        fonts=fonts,
        attached=attached,
        at=facts.issued_at.astimezone(UTC),
        seal_field=SEAL_FIELD if status is CardStatus.FINAL else None,
    )


@cache
def _environment(templates: Path, fonts: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates / "card"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=partial(_printed, coverage(fonts)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        not_provided=_NOT_PROVIDED, words=_WORDS, shapes=partial(_shape, templates / "static" / "shapes"), svg=_svg
    )
    environment.filters.update(
        cite=wording.cite,
        counted=wording.counted,
        iso=_iso,
        long_date=wording.long_date,
        measured=wording.measured,
        moment=wording.moment,
        paragraphs=_paragraphs,
        short_date=wording.short_date,
        short_digest=wording.short_digest,
        shortened=_shortened,
        size_class=_size_class,
        tally=_tally,
        verbatim=_verbatim,
        whole=wording.whole,
    )
    return environment


def _printed(drawn: frozenset[int], value: object) -> object:
    """What `{{ value }}` prints: a fact that is None is *not provided*; no character is lost in silence."""
    if value is None:
        return _NOT_PROVIDED
    if isinstance(value, str) and not isinstance(value, Markup):
        return drawable(value, drawn)
    return value


def _verbatim(text: str) -> Markup:
    """For the file's metadata, which no font draws."""
    return escape(re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", " ", text))


def _shortened(text: str | None, limit: int) -> str | None:
    return None if text is None else wording.shortened(text, limit)


def _size_class(text: str, medium: int, small: int) -> str:
    if len(text) > small:
        return "small"
    return "medium" if len(text) > medium else "large"


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _svg(svg: str, title: str) -> Markup:
    return Markup(checked_svg(svg, title))  # noqa: S704 -- judged element by element


@cache
def _shape_source(shapes: Path, state: str) -> str:
    return (shapes / f"{state}.svg").read_text().strip()


def _shape(shapes: Path, state: str, title: str) -> Markup:
    source = _shape_source(shapes, state)
    # A shape beside its own word says nothing more; the structure tree still wants a text for it.
    return Markup(checked_svg(source, title or _WORDS[state]))  # noqa: S704 -- our own asset


def _tally(checklist: Checklist) -> str:
    """7 of 8 met, 1 waived."""
    states = [item.state for item in checklist.items]
    met = sum(state in {ItemState.PASSED, ItemState.NOT_APPLICABLE} for state in states)
    waived = states.count(ItemState.WAIVED)
    return f"{met} of {len(states)} met" + (f", {waived} waived" if waived else "")


def _gate_aside(facts: CardFacts) -> str:
    if not facts.gate:
        return "No gate was asked."
    states = [item.state for checklist in facts.checklists for item in checklist.items]
    parts = [f"{states.count(state)} {_WORDS[state].lower()}" for state in ItemState if state in states]
    policy = f"{wording.shortened(facts.gate.policy, 40)} {facts.gate.policy_version}"
    items = [item for checklist in facts.checklists for item in checklist.items]
    is_cut = any(len(item.evidence or "") > LONGEST_EVIDENCE for item in items)
    rest = " Long evidence is cut here, and stands whole in the attached facts." if is_cut else ""
    return f"{', '.join(parts).capitalize()}. Policy {policy}.{rest}"
