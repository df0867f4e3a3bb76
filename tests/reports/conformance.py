"""What can be checked of PDF/A-3a over the objects of a file, clause by clause (ISO 19005-3).

Not a validator: veraPDF is one, and its verdict is not in these tests.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise

import pikepdf

FORBIDDEN_ACTIONS = {"/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/JavaScript", "/Hide", "/SetOCGState"}
FORBIDDEN_ANNOTATIONS = {"/Sound", "/Movie", "/Screen", "/3D", "/FileAttachment"}


def violations(pdf: bytes) -> list[str]:
    """Each rule that the file breaks, in words; none when all that is checked here holds."""
    with pikepdf.open(BytesIO(pdf)) as file:
        return [*_file(pdf, file), *_metadata(file), *_attachments(file), *_objects(file), *_structure(file)]


def _file(pdf: bytes, file: pikepdf.Pdf) -> Iterator[str]:
    if not re.match(rb"%PDF-1\.[4-7]\n%[\x80-\xff]{4}", pdf):
        yield "6.1.2: header is not %PDF-1.n and a line of four high bytes"
    if file.is_encrypted:
        yield "6.1.3: encrypted"
    if "/ID" not in file.trailer:
        yield "6.1.3: no file identifier"
    if file.Root.get("/Version", pikepdf.Name("/1.7")) != "/1.7" or "/Extensions" in file.Root:
        yield "catalogue: declares a version above 1.7 or an extension"
    if not str(file.Root.get("/Lang", "")):
        yield "6.7.4: no language"
    if file.Root.get("/ViewerPreferences", {}).get("/DisplayDocTitle") is not True:
        yield "title is not displayed"
    for key in ("/OpenAction", "/AA", "/Perms"):
        if key in file.Root and not (key == "/Perms" and list(file.Root.Perms.keys()) == ["/DocMDP"]):
            yield f"6.5.2: catalogue has {key}"
    names = file.Root.get("/Names", {})
    if "/JavaScript" in names:
        yield "6.5.1: JavaScript"


def _metadata(file: pikepdf.Pdf) -> Iterator[str]:
    xmp = file.Root.Metadata.read_bytes().decode()
    if not re.search(r'pdfaid:part="3"', xmp) or not re.search(r'pdfaid:conformance="A"', xmp):
        yield "6.6.4: XMP does not say PDF/A-3 A"
    if xmp.count("<?xpacket begin") != 1:
        yield "6.6.2: not one XMP packet"
    title = str(file.docinfo.get("/Title", ""))
    if not title or title not in xmp.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"):
        yield "6.6.3: title differs between Info and XMP"
    producer = re.search(r'pdf:Producer="([^"]*)"', xmp)
    if not producer or producer[1] != str(file.docinfo.Producer):
        yield "6.6.3: producer differs between Info and XMP"
    intents = file.Root.get("/OutputIntents", [])
    if len(intents) != 1 or intents[0].S != "/GTS_PDFA1" or intents[0].DestOutputProfile.N != 3:
        yield "6.2.3: not one PDF/A output intent with an RGB profile"


def _attachments(file: pikepdf.Pdf) -> Iterator[str]:
    associated = [item.objgen for item in file.Root.get("/AF", [])]
    embedded = [file.attachments.get(name) for name in file.attachments]
    if sorted(set(associated)) != sorted(associated) or len(associated) != len(embedded):
        yield "6.8: /AF does not list each attachment once"
    for item in file.Root.get("/AF", []):
        if not {"/AFRelationship", "/F", "/UF", "/EF"} <= set(item.keys()):
            yield f"6.8: {item.get('/UF')} lacks a relationship or a name"
        if "/Subtype" not in item.EF.F or "/ModDate" not in item.EF.F.Params:
            yield f"6.8: {item.UF} lacks its media type or date"


def _objects(file: pikepdf.Pdf) -> Iterator[str]:
    for item in file.objects:
        if not isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
            continue
        if item.get("/S") in FORBIDDEN_ACTIONS:
            yield f"6.5.1: action {item.S}"
        if item.get("/Type") == "/Annot":
            yield from _annotation(item)
        if item.get("/Type") == "/Font" and item.get("/Subtype") != "/Type0":
            yield from _font(item)
        if item.get("/Type") == "/Font" and item.get("/Subtype") == "/Type0" and "/ToUnicode" not in item:
            yield f"6.2.11.7: {item.BaseFont} has no Unicode map"
        if item.get("/Subtype") == "/PS" or "/LZWDecode" in str(item.get("/Filter", "")):
            yield "6.1.7: PostScript or LZW"


def _annotation(item: pikepdf.Object) -> Iterator[str]:
    if item.Subtype in FORBIDDEN_ANNOTATIONS:
        yield f"6.3.1: annotation {item.Subtype}"
    flags = int(item.get("/F", 0))
    if not flags & 4 or flags & (1 | 2 | 32):
        yield f"6.3.2: {item.Subtype} is hidden or not printed"
    if item.Subtype != "/Link" and "/AP" not in item:
        yield f"6.3.3: {item.Subtype} has no appearance"
    if "/StructParent" not in item:
        yield f"{item.Subtype} is not in the structure tree"
    if item.Subtype == "/Link" and not str(item.get("/Contents", "")):
        yield "link has no description"


def _font(item: pikepdf.Object) -> Iterator[str]:
    descriptor = item.get("/FontDescriptor", {})
    if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor.keys()):
        yield f"6.2.11.4: {item.get('/BaseFont')} is not embedded"


def _structure(file: pikepdf.Pdf) -> Iterator[str]:
    if file.Root.get("/MarkInfo", {}).get("/Marked") is not True:
        yield "6.7.2.2: not marked"
    if "/StructTreeRoot" not in file.Root:
        yield "6.7.3: no structure tree"
        return
    for page in file.pages:
        if page.obj.get("/Tabs") != "/S":
            yield "tab order does not follow the structure"
    figures = [item for item in file.objects if isinstance(item, pikepdf.Dictionary) and item.get("/S") == "/Figure"]
    if [item for item in figures if not str(item.get("/Alt", ""))]:
        yield "6.7.3.4: a figure has no text"
    levels = [int(str(tag)[2]) for tag in _tags(file.Root.StructTreeRoot) if re.fullmatch(r"/H[1-6]", str(tag))]
    if not levels or levels[0] != 1 or any(later > earlier + 1 for earlier, later in pairwise(levels)):
        yield f"headings jump: {levels}"


def _tags(node: pikepdf.Object) -> Iterator[str]:
    if isinstance(node, pikepdf.Dictionary) and "/S" in node:
        yield str(node.S)
    kids = node.get("/K", []) if isinstance(node, pikepdf.Dictionary) else []
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary):
            yield from _tags(kid)
