"""Makes a PDF anew with what its pages need to be seen, read aloud and led on from, and nothing else.

Every kind of object has its list of keys (`_SHAPES`), and what stands on no list goes: scripts and other actions,
forms, comments, embedded files, layers, the names of people and programs. Links to the web, to mail and to phones stay,
as do tags, bookmarks and places inside of the document.

A program of its own (`portal.confined`): it imports nothing of the site.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from pikepdf.settings import set_qpdf_limits

from portal.confined.inside import RefusedError

MOST_BYTES: Final = 5 * 1024 * 1024
MOST_PAGES: Final = 200
MOST_UNPACKED: Final = 300 * 1024 * 1024
"""Of all that is packed in it together."""
MOST_UNPACKED_AT_ONCE: Final = 100 * 1024 * 1024
MOST_PIXELS: Final = 100_000_000
MOST_MEMORY: Final = 512 * 1024 * 1024
MOST_SECONDS: Final = 20

_WHERE_TO: Final = re.compile(rb"(https?://|mailto:|tel:)[!-~]+", re.IGNORECASE)
_IMAGES: Final = {"/DCTDecode", "/DCT", "/JPXDecode", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode"}
_JPEG: Final = {"/DCTDecode", "/DCT"}
_WORDS_OF_JPEG: Final = {*range(0xE1, 0xEE), 0xEF, 0xFE}
"""Segments with the place, the device, comments; all but those that say how the pixels are to be read."""


def _all(keys: str, shape: str, **others: str) -> dict[str, str]:
    return {f"/{key}": shape for key in keys.split()} | {f"/{key}": other for key, other in others.items()}


_SHAPES: Final[dict[str, dict[str, str]]] = {
    "catalog": _all(
        "Type Lang",
        "plain",
        Pages="page",
        MarkInfo="mark",
        StructTreeRoot="tag",
        Names="names",
        Dests="places by name",
        Outlines="bookmark",
        PageLabels="label",
        ViewerPreferences="view",
    ),
    "mark": _all("Marked Suspects", "plain"),
    "view": _all("Direction", "plain"),
    "names": _all("Dests", "place"),
    "label": _all("Type S P St Limits", "plain", Kids="label", Nums="label"),
    "page": _all(
        "Type Count MediaBox CropBox BleedBox TrimBox ArtBox Rotate StructParents Tabs UserUnit",
        "plain",
        Parent="page",
        Kids="page",
        Resources="resources",
        Contents="material",
        Group="material",
        Annots="link",
    ),
    "link": _all(
        "Type Subtype Rect QuadPoints Border C F H StructParent Contents",
        "plain",
        BS="border",
        P="page of ours",
        A="action",
        Dest="place",
    ),
    "border": _all("Type W S D", "plain"),
    "action": _all("Type S URI", "plain", D="place"),
    "place": _all("Limits", "plain", D="place", Kids="place", Names="place"),
    "places by name": {"*": "place"},
    "bookmark": _all(
        "Type Title Count C F",
        "plain",
        Parent="bookmark",
        First="bookmark",
        Last="bookmark",
        Next="bookmark",
        Prev="bookmark",
        A="action",
        Dest="place",
    ),
    # What a screen reader goes by.
    "tag": _all(
        "Type S ID C R T Lang Alt E ActualText MCID Limits ParentTreeNextKey Phoneme PhoneticAlphabet",
        "plain",
        P="tag",
        K="tag",
        Kids="tag",
        Nums="tag",
        Names="tag",
        ParentTree="tag",
        IDTree="tag",
        NS="tag",
        Namespaces="tag",
        RoleMapNS="roles",
        RoleMap="roles",
        ClassMap="classes",
        A="attributes",
        Pg="page of ours",
        Obj="shown",
        Stm="material",
    ),
    "roles": {"*": "tag"},
    "classes": {"*": "attributes"},
    "attributes": {"*": "plain"},
    # What a page is drawn with.
    "resources": _all(
        "ProcSet",
        "plain",
        ExtGState="materials",
        ColorSpace="materials",
        Pattern="materials",
        Shading="materials",
        XObject="materials",
        Font="materials",
        Properties="lists",
    ),
    "lists": {"*": "list"},
    "list": _all("MCID Lang Alt ActualText E Subtype BBox Attached", "plain"),
    "materials": {"*": "material"},
    "material": _all(
        # fonts
        "Type Subtype Name BaseFont FirstChar LastChar Widths FontDescriptor Encoding ToUnicode DescendantFonts "
        "CIDSystemInfo Registry Ordering Supplement DW W DW2 W2 CIDToGIDMap FontBBox FontMatrix FontName FontFamily "
        "FontStretch FontWeight Flags ItalicAngle Ascent Descent Leading CapHeight XHeight StemV StemH AvgWidth "
        "MaxWidth MissingWidth FontFile FontFile2 FontFile3 CharSet CIDSet Style Panose Lang Length1 Length2 Length3 "
        "BaseEncoding Differences CMapName WMode UseCMap "
        # drawings and images
        "FormType BBox Matrix Group StructParent StructParents Width Height ColorSpace BitsPerComponent Intent "
        "ImageMask Mask Decode Interpolate SMask SMaskInData Matte S CS I K "
        # patterns, shadings, functions
        "PatternType PaintType TilingType XStep YStep Shading ExtGState ShadingType Background AntiAlias Coords "
        "Domain Function Extend BitsPerCoordinate BitsPerFlag VerticesPerRow FunctionType Range Size BitsPerSample "
        "Order Encode C0 C1 N Functions Bounds "
        # colors and how they are laid on
        "Alternate WhitePoint BlackPoint Gamma Process Components LW LC LJ ML D RI OP op OPM Font FL SM SA BM CA ca "
        "AIS TK G BC TR "
        # how it is packed
        "DecodeParms Predictor Colors Columns EarlyChange EndOfLine EncodedByteAlign Rows EndOfBlock BlackIs1 "
        "DamagedRowsBeforeError ColorTransform JBIG2Globals",
        "material",
        Resources="resources",
        CharProcs="materials",
        Colorants="materials",
    ),
}


@dataclass(frozen=True, slots=True)
class Rewritten:
    content: bytes
    pages: int
    is_for_screen_readers: bool
    """It is tagged, and says in which language it is."""


def rewrite(content: bytes) -> Rewritten:
    """The same for the same bytes."""
    set_qpdf_limits(
        parser_max_nesting=100,
        max_stream_filters=5,
        flate_max_memory=MOST_UNPACKED_AT_ONCE,
        run_length_max_memory=MOST_UNPACKED_AT_ONCE,
        png_max_memory=MOST_UNPACKED_AT_ONCE,
        tiff_max_memory=MOST_UNPACKED_AT_ONCE,
    )
    try:
        # Mended it might be another document than the one that somebody has looked at.
        with Pdf.open(io.BytesIO(content), attempt_recovery=False) as pdf:
            return _rewritten(pdf)
    except RefusedError:
        raise
    except pikepdf.PasswordError:
        raise RefusedError("password") from None
    except Exception as error:  # noqa: BLE001 - a file that was made to break a reader may do so in any way
        is_too_large = isinstance(error, MemoryError) or "memory limit exceeded" in str(error)
        raise RefusedError("too_large_unpacked" if is_too_large else "damaged") from None


def answer(content: bytes) -> tuple[dict[str, object], bytes]:
    made = rewrite(content)
    return {"pages": made.pages, "is_for_screen_readers": made.is_for_screen_readers}, made.content


def _rewritten(pdf: Pdf) -> Rewritten:
    if pdf.is_encrypted:
        raise RefusedError("password")
    pages = len(pdf.pages)
    if not pages:
        raise RefusedError("damaged")
    if pages > MOST_PAGES:
        raise RefusedError("too_many_pages")
    _Walk(pdf).go()
    for key in set(pdf.trailer.keys()) - {"/Root", "/Size"}:
        del pdf.trailer[key]
    made = io.BytesIO()
    pdf.save(
        made,
        fix_metadata_version=False,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
        recompress_flate=True,  # nothing hangs on behind what is packed
        deterministic_id=True,
    )
    kept = made.getvalue()
    if len(kept) > MOST_BYTES:
        raise RefusedError("too_large")
    return Rewritten(kept, pages, _is_for_screen_readers(pdf.Root))


def _is_for_screen_readers(root: Any) -> bool:
    is_tagged = root.get("/MarkInfo", {}).get("/Marked") is True and "/K" in root.get("/StructTreeRoot", {})
    return is_tagged and bool(str(root.get("/Lang", "")).strip())


class _Walk:
    """Through all that can be come to, each object once for each shape in which it is met."""

    def __init__(self, pdf: Pdf) -> None:
        self.pdf = pdf
        self.pages = {page.obj.objgen for page in pdf.pages}
        self.links = {link.objgen for page in pdf.pages for link in _links(page.obj, pdf)}
        self.unpacked = 0

    def go(self) -> None:
        work: list[tuple[Any, str]] = [(self.pdf.Root, "catalog")]
        seen: set[tuple[tuple[int, int], str]] = set()
        while work:
            thing, shape = work.pop()
            if thing.is_indirect:
                if (thing.objgen, shape) in seen:
                    continue
                seen.add((thing.objgen, shape))
            work += list(self._parts(thing, shape))
            if isinstance(thing, Stream):
                self._look_into(thing)

    def _parts(self, thing: Any, shape: str) -> Iterator[tuple[Any, str]]:
        """What is in it and may stay there, each with its shape; the rest is taken out."""
        if isinstance(thing, Array):
            for place, part in enumerate(thing):
                found = self._shape(part, shape)
                if found is None:
                    thing[place] = None
                elif found:
                    yield part, found
            return
        known = _SHAPES[shape]
        for key in set(thing.keys()) - (_OF_STREAMS if isinstance(thing, Stream) else set()):
            part, wanted = thing[key], known.get(key) or known.get("*")
            found = self._shape(part, wanted) if wanted else None
            if found is None:
                del thing[key]
            elif found:
                yield part, found

    def _shape(self, part: Any, shape: str) -> str | None:
        """As what it is to be gone through; nothing when it may stay as it is, None when it may not stay."""
        if not isinstance(part, Array | Dictionary | Stream):
            return ""
        if isinstance(part, Array):
            return shape
        if isinstance(part, Stream):
            # Anywhere else it would be a file that nobody sees.
            return "material" if shape in {"material", "shown"} and part.get("/Subtype") != "/PS" else None
        return self._shape_of_dictionary(part, shape)

    def _shape_of_dictionary(self, part: Any, shape: str) -> str | None:
        if part.objgen in self.pages:
            return {"page": "page"}.get(shape, "" if shape in {"page of ours", "place"} else None)
        if shape == "shown":
            return "" if part.objgen in self.links else None
        if shape == "action":
            return shape if _leads_somewhere(part) else None
        return shape if shape in _SHAPES else None

    def _look_into(self, stream: Any) -> None:
        """Whether it can be unpacked at all, and to how much; pictures lose what is hidden in them."""
        filters = _listed(stream.get("/Filter"))
        if stream.get("/Width", 0) * stream.get("/Height", 0) > MOST_PIXELS:
            raise RefusedError("too_large_unpacked")
        if filters and filters[-1] in _IMAGES:
            self._look_into_image(stream, filters)
        else:
            self._count(stream)

    def _look_into_image(self, stream: Any, filters: list[str]) -> None:
        *before, last = filters
        *parms_before, parms = [*_listed(stream.get("/DecodeParms")), *[None] * len(filters)][: len(filters)]
        content = stream.read_raw_bytes()
        if before:
            packed = Stream(self.pdf, content)
            packed.Filter = Array([Name(each) for each in before])
            packed.DecodeParms = Array(parms_before)
            content = self._count(packed)
        if last in _JPEG:
            content = _bare(content)
        stream.write(content, filter=Name(last), decode_parms=parms)

    def _count(self, stream: Any) -> bytes:
        content: bytes = stream.read_bytes()
        self.unpacked += len(content)
        if len(content) > MOST_UNPACKED_AT_ONCE or self.unpacked > MOST_UNPACKED:
            raise RefusedError("too_large_unpacked")
        return content


_OF_STREAMS: Final = {"/Length", "/Filter"}
"""What qpdf writes anew."""


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Array) else [value]


def _links(page: Any, pdf: Pdf) -> list[Any]:
    """Of all that is laid on a page only these stay on it."""
    found = [each for each in page.get("/Annots", ()) if _is_link(each)]
    kept = [each if each.is_indirect else pdf.make_indirect(each) for each in found]
    if "/Annots" in page:
        page.Annots = Array(kept)
    return kept


def _is_link(thing: Any) -> bool:
    if not isinstance(thing, Dictionary) or thing.get("/Subtype") != "/Link":
        return False
    action = thing.get("/A")
    return "/Dest" in thing if action is None else isinstance(action, Dictionary) and _leads_somewhere(action)


def _leads_somewhere(action: Any) -> bool:
    """To a place in this document, or out to the web, to mail or to a phone."""
    if action.get("/S") == "/GoTo":
        return "/D" in action
    where_to = action.get("/URI")
    is_text = isinstance(where_to, pikepdf.String)
    return action.get("/S") == "/URI" and is_text and bool(_WHERE_TO.fullmatch(bytes(where_to)))


def _bare(jpeg: bytes) -> bytes:
    """Without what it tells beside its pixels."""
    pieces, begin, place = [], 0, 2
    while (place := jpeg.find(b"\xff", place)) >= 0 and place + 4 <= len(jpeg):
        marker = jpeg[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker == 0 or 0xD0 <= marker <= 0xD7:
            place += 2
        elif marker == 0xD9:
            break
        else:
            end = place + 2 + int.from_bytes(jpeg[place + 2 : place + 4])
            if marker in _WORDS_OF_JPEG:
                pieces.append(jpeg[begin:place])
                begin = end
            place = end
    return b"".join([*pieces, jpeg[begin : place + 2] if place >= 0 else jpeg[begin:]])
