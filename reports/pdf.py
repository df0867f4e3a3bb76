"""HTML to PDF/A-3a with WeasyPrint, closed against the outside.

Assets come from an exact list of virtual addresses; every other address ends the rendering, for
WeasyPrint's own fetcher would embed any file of the server (`<link rel=attachment>`).
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reports.errors import RenderingError

if TYPE_CHECKING:
    import pydyf
    from weasyprint import Document

BASE = "https://card.invalid/"
"""Base address of the page. `.invalid` resolves nowhere (RFC 2606), should it ever leave the process."""

SEAL_FIELD = "Seal"
_SEAL_ANCHOR = "seal"
_SEAL_SIZE_MM = (174.0, 27.0)
"""Width and height of `.seal` in card.css."""

_MEDIA_TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".ttf": "font/ttf"}
_PX_PER_MM = 96 / 25.4
_PT_PER_PX = 0.75
_PRINT_AND_LOCKED = 4 + 128
"""Annotation flags, ISO 32000-1 table 165: Print (bit 3) and Locked (bit 8)."""


@dataclass(frozen=True)
class Attached:
    """A file inside the PDF. `relationship`: an AFRelationship of ISO 32000-2, 7.11.3."""

    name: str
    data: bytes
    description: str
    relationship: str


def write_pdf(
    html: str, *, static: Path, fonts: Path, attached: Sequence[Attached], at: datetime, seal_field: str | None
) -> bytes:
    """Lay out and write. `at` is the date of every attachment; `seal_field` names the empty
    signature field to lay over the seal block, None for a file that is not to be sealed.

    Raises:
        RenderingError: the page asks for something that is not an asset, or nests too deeply.
    """
    with _fonts_of_our_own(fonts), warnings.catch_warnings():
        # On its first import WeasyPrint warns that there is none: ours come with the stylesheet.
        warnings.filterwarnings("ignore", message="No fonts configured in FontConfig")
        from weasyprint import HTML, Attachment
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    assets = _assets(static, fonts)

    class ClosedFetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
        """Serves the card's own assets and nothing else."""

        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
            path = assets.get(url)
            if path is None:
                raise FatalURLFetchingError(f"the card asked for {url[:200]}, which is none of its assets")
            return URLFetcherResponse(url, _asset_bytes(path), {"Content-Type": _MEDIA_TYPES[path.suffix]})

    attachments = [
        Attachment(
            string=item.data,
            name=item.name,
            description=item.description,
            relationship=item.relationship,
            created=at,
            modified=at,
        )
        for item in attached
    ]

    def finish(document: Document, pdf: pydyf.PDF) -> None:
        _list_attachments_once(pdf)
        _describe_links(pdf)
        if seal_field is not None:
            _add_seal_field(document, pdf, seal_field)

    try:
        with _fonts_of_our_own(fonts):
            written: bytes = HTML(string=html, base_url=BASE, url_fetcher=ClosedFetcher()).write_pdf(
                pdf_variant="pdf/a-3a", attachments=attachments, finisher=finish
            )
    except FatalURLFetchingError as error:
        raise RenderingError(f"Nothing was rendered: {error}. Remove the reference.") from error
    except RecursionError as error:
        raise RenderingError("Nothing was rendered: the page nests too deeply. Shorten the nested fact.") from error
    return written


@contextmanager
def _fonts_of_our_own(fonts: Path) -> Iterator[None]:
    """While it lasts, Fontconfig sees no font of the machine. Programs started later see them again."""
    before = os.environ.get("FONTCONFIG_FILE")
    os.environ["FONTCONFIG_FILE"] = str(fonts / "fonts.conf")
    try:
        yield
    finally:
        if before is None:
            del os.environ["FONTCONFIG_FILE"]
        else:
            os.environ["FONTCONFIG_FILE"] = before


def _assets(static: Path, fonts: Path) -> dict[str, Path]:
    assets = {f"{BASE}static/card.css": static / "card.css"}
    assets |= {f"{BASE}static/shapes/{path.name}": path for path in (static / "shapes").glob("*.svg")}
    assets |= {f"{BASE}static/fonts/{path.name}": path for path in fonts.iterdir() if path.suffix in {".woff2", ".ttf"}}
    return assets


@cache
def _asset_bytes(path: Path) -> bytes:
    """The file; of a compressed font, the font: WeasyPrint would unpack it anew for each card."""
    if path.suffix != ".woff2":
        return path.read_bytes()
    from fontTools.ttLib.woff2 import decompress  # type: ignore[import-untyped]  # ships no types

    unpacked = io.BytesIO()
    decompress(path, unpacked)
    return unpacked.getvalue()


def _resolve(pdf: pydyf.PDF, reference: str | bytes) -> pydyf.Dictionary:
    text = reference.decode() if isinstance(reference, bytes) else reference
    found: pydyf.Dictionary = pdf.objects[int(text.split()[0])]
    return found


def _list_attachments_once(pdf: pydyf.PDF) -> None:
    import pydyf

    # WeasyPrint collects them from the name tree and again from the objects.
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))


def _describe_links(pdf: pydyf.PDF) -> None:
    import pydyf

    from reports.card import TITLES

    # WeasyPrint gives a link its anchor's name as description; a reader hears the section's title instead.
    for item in pdf.objects:
        if isinstance(item, dict) and item.get("Subtype") == "/Link" and "Dest" in item:
            anchor = item["Dest"].string
            item["Contents"] = pydyf.String(f"Go to section {TITLES[anchor]}")


def _add_seal_field(document: Document, pdf: pydyf.PDF, name: str) -> None:
    """An empty signature field over the seal block of page one, in the structure tree like any field.

    pyHanko would put an unembedded font into a field of its own, and does not tag it.
    """
    import pydyf

    page = document.pages[0]
    x, y = page.anchors[_SEAL_ANCHOR][:2]
    width, height = (side * _PX_PER_MM for side in _SEAL_SIZE_MM)
    rectangle = [x, page.height - y - height, x + width, page.height - y]
    appearance = pydyf.Stream(
        extra={
            "Type": "/XObject",
            "Subtype": "/Form",
            "BBox": pydyf.Array([0, 0, width * _PT_PER_PX, height * _PT_PER_PX]),
        }
    )
    pdf.add_object(appearance)
    page_reference = pdf.page_references[0]
    field = pydyf.Dictionary(
        {
            "Type": "/Annot",
            "Subtype": "/Widget",
            "FT": "/Sig",
            "T": pydyf.String(name),
            "TU": pydyf.String("Seal of the registry"),
            "F": _PRINT_AND_LOCKED,
            "Rect": pydyf.Array([round(side * _PT_PER_PX, 3) for side in rectangle]),
            "P": page_reference,
            "AP": pydyf.Dictionary({"N": appearance.reference}),
        }
    )
    pdf.add_object(field)
    page_object = _resolve(pdf, page_reference)
    page_object.setdefault("Annots", pydyf.Array()).append(field.reference)
    pdf.catalog["AcroForm"] = pydyf.Dictionary({"Fields": pydyf.Array([field.reference])})
    _tag_field(pdf, field, page_reference)


def _tag_field(pdf: pydyf.PDF, field: pydyf.Dictionary, page_reference: bytes) -> None:
    import pydyf

    root = _resolve(pdf, pdf.catalog["StructTreeRoot"])
    document = _resolve(pdf, root["K"][0])
    link = pydyf.Dictionary({"Type": "/OBJR", "Obj": field.reference, "Pg": page_reference})
    pdf.add_object(link)
    element = pydyf.Dictionary(
        {
            "Type": "/StructElem",
            "S": "/Form",
            "K": pydyf.Array([link.reference]),
            "Pg": page_reference,
            "P": root["K"][0],
        }
    )
    pdf.add_object(element)
    document["K"].append(element.reference)
    numbers = _resolve(pdf, root["ParentTree"])["Nums"]
    # The tree is a flat list of key, value, key, value; keys rise.
    field["StructParent"] = numbers[-2] + 1
    numbers.extend([field["StructParent"], element.reference])
