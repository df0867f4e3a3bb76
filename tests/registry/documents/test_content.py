from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.documents.content import MEDIA_TYPES, checked_file_name, checked_media_type
from registry.documents.render import TAGS, markdown_to_html
from registry.errors import InvalidInputError


@pytest.mark.parametrize(
    "stated,head",
    [
        ("text/markdown; charset=utf-8", "# Données".encode()),
        ("text/plain", b""),
        ("text/csv", b"\xef\xbb\xbfa,b\n"),
        ("application/json", b' {"a": 1}'),
        ("application/pdf", b"%PDF-1.7\n"),
        ("image/png", b"\x89PNG\r\n\x1a\n"),
    ],
)
def test_content_of_the_stated_type_is_taken(stated, head):
    assert checked_media_type(stated, head) == stated.partition(";")[0]


@pytest.mark.parametrize(
    "stated,head",
    [
        ("text/html", b"<script>"),
        ("application/octet-stream", b"# Notes"),
        ("image/svg+xml", b"<svg onload='x'/>"),
        ("application/pdf", b"<html>"),
        ("image/png", b"MZ"),
        ("text/markdown", b"\x7fELF\x00\x00"),
        ("text/plain", b"\xff\xfe"),
        ("application/json", b"<html>"),
        ("", b"x"),
    ],
)
def test_other_types_and_content_that_is_not_of_its_type_are_refused(stated, head):
    with pytest.raises(InvalidInputError) as refusal:
        checked_media_type(stated, head)
    assert refusal.value.field == "file"


def test_a_character_cut_in_two_by_the_end_of_the_head_is_fine():
    assert checked_media_type("text/plain", "é".encode()[:1]) == "text/plain"


@given(st.binary(max_size=40))
def test_only_bytes_without_nul_pass_as_text(head):
    try:
        checked_media_type("text/plain", head)
    except InvalidInputError:
        return
    assert b"\0" not in head


@pytest.mark.parametrize(
    "name",
    [
        "../etc/passwd",
        "C:\\boot.ini",
        "/etc/passwd",
        "..",
        "invoice\u202efdp.exe",
        "a\r\nSet-Cookie: x",
        "a\0.md",
        " ",
        "x" * 251,
    ],
)
def test_hostile_file_names_are_refused(name):
    with pytest.raises(InvalidInputError) as refusal:
        checked_file_name(name)
    assert refusal.value.field == "file name"


def test_every_type_is_named_in_a_refusal():
    with pytest.raises(InvalidInputError) as refusal:
        checked_media_type("text/html", b"")
    assert all(media_type in refusal.value.rule for media_type in MEDIA_TYPES)


class Seen(HTMLParser):
    """What a browser would make of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.targets += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[here](javascript:alert(1))",
        "[here](file:///etc/passwd)",
        "[here](data:text/html;base64,PHNjcmlwdD4=)",
        "![there](http://tracker.example/pixel.png)",
        "<link rel=attachment href=file:///etc/passwd>",
        '<svg><a xlink:href="javascript:alert(1)">x</a></svg>',
        "<style>@import 'http://x'</style>",
        "> " * 5000,
    ],
)
def test_markdown_becomes_html_without_anything_that_acts_or_loads(hostile):
    seen = Seen()
    seen.feed(markdown_to_html(f"Before\n\n{hostile}\n\nAfter"))
    assert seen.tags <= set(TAGS)
    assert seen.attributes <= {"href", "title", "rel", "start"}
    assert all(target.startswith(("http://", "https://", "mailto:")) for target in seen.targets)
    assert "Before" in seen.text


def test_markdown_keeps_what_a_report_needs():
    html = markdown_to_html("# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n**bold** and [a link](https://example.org)")
    for wanted in ("<h1>", "<table>", "<td>1</td>", "<strong>bold</strong>", 'href="https://example.org"', "noopener"):
        assert wanted in html
