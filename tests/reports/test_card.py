"""The rendered card: standard, content, look at its extremes, and what hostile text does to it."""

import os
import re
import subprocess
from datetime import UTC, datetime
from io import BytesIO

import msgspec
import pikepdf
import pytest

from reports.card import TITLES, CardStatus, render_html
from reports.charts import checked_svg
from reports.errors import CardContentError, RenderingError
from reports.facts import CardFacts, Checklist, DigestState, Identity, ItemState, Origin, Use, facts_json
from reports.pdf import write_pdf
from tests.reports import sample
from tests.reports.conformance import violations
from tests.system_tools import require_tool

EMPTY = CardFacts(
    organisation="Example Bank",
    issued_at=sample.NOW,
    identity=Identity(
        name="m", version="1", content_digest_hex="00" * 32, digest_state=DigestState.STATED, stage="none"
    ),
    use=Use(),
    origin=Origin(),
)
HOSTILE = (
    '<script>alert(1)</script><link rel=attachment href=file:///etc/passwd><img src="file:///etc/passwd">'
    '<a href="javascript:alert(1)">x</a>{{ 7*7 }} \u202e 信用 \U0001f600'
)


def page_texts(pdf, tmp_path):
    """Text of each page, as poppler reads it."""
    path = tmp_path / "card.pdf"
    path.write_bytes(pdf)
    text = subprocess.run(
        [require_tool("pdftotext"), "-layout", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    return text.split("\f")[:-1]


def squeezed(pages):
    return re.sub(r"\s+", " ", " ".join(pages))


def test_card_keeps_the_rules_of_its_standard_before_and_after_sealing(rendered, sealed):
    assert violations(rendered) == []
    assert violations(sealed) == []


def test_qpdf_finds_no_fault_in_a_sealed_card(sealed, tmp_path):
    path = tmp_path / "card.pdf"
    path.write_bytes(sealed)
    checked = subprocess.run([require_tool("qpdf"), "--check", str(path)], capture_output=True, text=True, check=False)
    assert (checked.returncode, "No syntax or stream encoding errors" in checked.stdout) == (0, True)


def test_same_facts_give_the_same_bytes(render, rendered, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    assert render(sample.FACTS, sample.CHARTS, record=sample.RECORD) == rendered


@pytest.mark.parametrize("before", [None, "/etc/fonts/fonts.conf"])
def test_rendering_leaves_the_fonts_of_later_programs_alone(render, monkeypatch, before):
    if before is None:
        monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    else:
        monkeypatch.setenv("FONTCONFIG_FILE", before)
    render(EMPTY)
    assert os.environ.get("FONTCONFIG_FILE") == before


def test_card_carries_its_facts_and_proof(rendered):
    with pikepdf.open(BytesIO(rendered)) as file:
        carried = {name: file.attachments[name].get_file().read_bytes() for name in file.attachments}
    assert carried == {"facts.json": facts_json(sample.FACTS), "facts.tlog-proof": sample.RECORD.proof.encode()}


def test_card_says_what_it_knows_and_what_not(rendered, tmp_path):
    pages = page_texts(rendered, tmp_path)
    for expected in ("29 of 30 facts; 1 not provided", "it helps the eye and proves nothing."):
        assert expected in squeezed(pages[:1])
    text = squeezed(pages)
    for title in TITLES.values():
        assert title in text
    for expected in ("Contact not provided", "Not provided on this card: contact.", "Approved, on two waivers"):
        assert expected in text
    for checklist in sample.FACTS.checklists:
        for item in checklist.items:
            assert f"№ {item.entry:,}".replace(",", " ") in text
    assert f"Page {len(pages)} of {len(pages)}" in squeezed(pages[-1:])


def test_bookmarks_lead_to_every_section(rendered):
    with pikepdf.open(BytesIO(rendered)) as file, file.open_outline() as outline:
        titles = [item.title.split("\u2002")[-1] for item in outline.root]
    assert titles == ["credit-default 7", *TITLES.values()]


def test_draft_is_marked_on_every_page_and_has_no_place_for_a_seal(render, tmp_path):
    draft = render(sample.FACTS, sample.CHARTS, status=CardStatus.DRAFT)
    assert all("Draft" in page for page in page_texts(draft, tmp_path))
    with pikepdf.open(BytesIO(draft)) as file:
        assert "/AcroForm" not in file.Root
    assert violations(draft) == []


def test_almost_empty_card_is_whole(render, tmp_path):
    card = render(EMPTY)
    assert violations(card) == []
    pages = page_texts(card, tmp_path)
    assert "3 of 30 facts; 27 not provided" in squeezed(pages[:1])
    assert "Not in the log" in squeezed(pages)


@pytest.mark.parametrize(
    "gate, expected",
    [
        (None, "nothing yet"),
        (msgspec.structs.replace(sample.FACTS.gate, scope=None), "no narrower"),
    ],
)
def test_the_cover_says_for_what_the_decision_is(render, tmp_path, gate, expected):
    cover = squeezed(page_texts(render(msgspec.structs.replace(sample.FACTS, gate=gate)), tmp_path)[:1])
    assert expected in cover


def huge_facts():
    name = "x" * 120 + " " + "long name " * 13
    item = msgspec.structs.replace(sample.CHECKLISTS[0].items[0], title=name, reason=name, state=ItemState.FAILED)
    waivers = tuple(
        msgspec.structs.replace(
            sample.FACTS.waivers[0],
            item=name,
            compensating_measure=name,
            approver=name,
            until=datetime(2027, 1, day, tzinfo=UTC),
        )
        for day in range(1, 9)
    )
    return msgspec.structs.replace(
        sample.FACTS,
        organisation=name,
        identity=msgspec.structs.replace(sample.FACTS.identity, name=name, signature="y" * 400),
        use=msgspec.structs.replace(sample.FACTS.use, purpose=name * 4, owner=name),
        gate=msgspec.structs.replace(sample.FACTS.gate, headline=name, sentence=name * 4, scope=name, policy=name),
        checklists=(Checklist(title=name, items=(item,) * 60), *sample.CHECKLISTS[1:]),
        waivers=waivers,
        approvals=tuple(msgspec.structs.replace(sample.FACTS.approvals[0], role=name, actor=name) for _ in range(6)),
        parameters={f"parameter_{number}_{name}": name for number in range(3)},
    )


def test_huge_card_keeps_its_seal_free_and_its_text_inside_the_paper(render, tmp_path):
    groups = [f"group {number} {'g' * 60}" for number in range(40)]
    card = render(huge_facts(), [sample.chart({"A" * 200: groups})], record=sample.RECORD)
    assert violations(card) == []
    pages = page_texts(card, tmp_path)
    assert "Sealed by Acta for" in squeezed(pages[:1])
    assert "4 more, ending later, in section 5" in squeezed(pages[:2])
    assert "Intended users" in squeezed(pages[1:3])
    path = tmp_path / "card.pdf"
    boxes = subprocess.run(
        [require_tool("pdftotext"), "-bbox", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    # A4 is 595.28 points wide, the margin 18 mm; a digest or a name that runs out is cut on paper.
    edges = [float(edge) for edge in re.findall(r'xMax="([0-9.]+)"', boxes)]
    assert max(edges) < 560
    # Nothing of the cover reaches the seal, which stands above the running foot.
    first = boxes.split("</page>")[0]
    words = re.findall(r'yMin="([0-9.]+)" xMax="[0-9.]+" yMax="([0-9.]+)">([^<]*)<', first)
    seal_top = next(float(top) for top, _, word in words if word == "Sealed")
    assert not [word for top, bottom, word in words if float(top) < seal_top < float(bottom) and word != "Sealed"]


def test_hostile_text_is_printed_and_does_nothing(render, tmp_path):
    facts = msgspec.structs.replace(
        sample.FACTS,
        organisation=HOSTILE,
        identity=msgspec.structs.replace(sample.FACTS.identity, name=HOSTILE, source_uri="javascript:alert(1)"),
        use=msgspec.structs.replace(sample.FACTS.use, purpose=HOSTILE, owner=HOSTILE),
        limits=HOSTILE,
        monitoring_plan=HOSTILE,
        metrics={HOSTILE: HOSTILE},
        parameters={HOSTILE: HOSTILE},
        verification_url="javascript:alert(1)//" + HOSTILE[:40],
    )
    charts = [msgspec.structs.replace(sample.CHARTS[0], caption=HOSTILE)]
    card = render(facts, charts, record=sample.RECORD)
    assert violations(card) == []
    with pikepdf.open(BytesIO(card)) as file:
        assert sorted(file.attachments) == ["facts.json", "facts.tlog-proof"]
        assert not [item for item in file.objects if isinstance(item, pikepdf.Dictionary) and "/URI" in item]
    text = "".join("".join(page_texts(card, tmp_path)).split())
    assert "root:x:0" not in text
    assert "<script>alert(1)</script>" in text
    assert "[U+202E][U+4FE1][U+7528][U+1F600]" in text


@pytest.mark.parametrize(
    "svg",
    [
        "<svg><script>alert(1)</script></svg>",
        "<svg><style>@import url(file:///etc/passwd)</style></svg>",
        '<svg><image href="file:///etc/passwd"/></svg>',
        '<svg onload="alert(1)"/>',
        '<svg style="fill:url(x)"/>',
        '<svg fill="url(https://example.org/x)"/>',
        '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>',
        "<svg></svg><link rel='attachment' href='file:///etc/passwd'/>",
        "<p/>",
        "<svg",
    ],
)
def test_chart_that_does_more_than_draw_is_refused(svg):
    with pytest.raises(CardContentError, match="chart"):
        checked_svg(svg, "title")


def test_chart_says_in_words_what_it_draws():
    assert checked_svg('<svg width="1"><line x1="1"/></svg>', "a < b") == (
        '<svg width="1"><title>a &lt; b</title><line x1="1"/></svg>'
    )


@pytest.mark.parametrize(
    "markup",
    [
        "<link rel=attachment href=file:///etc/passwd>",
        "<img src=file:///etc/passwd>",
        "<img src=http://169.254.169.254/latest>",
        "<style>@import url(https://example.org/a.css)</style>",
        "<img src=static/fonts/../../secret.svg>",
        "<object data=data:text/plain,x></object>",
    ],
)
def test_page_gets_nothing_but_the_assets_of_the_card(markup):
    page = f"<html lang=en><title>t</title><link rel=stylesheet href=static/card.css><h1>t</h1>{markup}"
    with pytest.raises(RenderingError, match="none of its assets"):
        write_pdf(
            page,
            static=sample.TEMPLATES / "static",
            fonts=sample.FONTS,
            attached=[],
            at=sample.NOW,
            seal_field=None,
        )


def test_html_states_the_verdict_before_the_evidence():
    html = render_html(sample.FACTS, sample.CHARTS, templates=sample.TEMPLATES, fonts=sample.FONTS)
    assert html.index("Approved, on two waivers") < html.index('id="use"') < html.index('id="gate"')
