"""Markdown documents as HTML that is safe to put into a page: no raw HTML, no script, no link that runs anything."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

TAGS = frozenset(
    """a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul""".split()
)
LARGEST_TEXT = 1_000_000
"""Characters of a document that a page shows; longer ones are to be downloaded."""


def markdown_to_html(text: str) -> str:
    """CommonMark with tables, as HTML without anything that acts or loads: the page may print it unescaped.

    HTML in the text shows as text, an image as a link to it. Links lead to http, https and mailto only.
    """
    import nh3

    return nh3.clean(
        _parser().render(text[:LARGEST_TEXT]),
        tags=set(TAGS),
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # Images would be loaded from elsewhere; nesting is bounded, since its depth costs stack.
    return (
        MarkdownIt("commonmark", {"html": False, "maxNesting": 50}).enable(["table", "strikethrough"]).disable("image")
    )
