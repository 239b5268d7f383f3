"""Whatever is sent, what is kept is a PDF that only shows something, and says it to who cannot see."""

import io
import os
import zlib

import pikepdf
import pypdf
import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given
from hypothesis import settings as properties
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Encryption, Name, Pdf, Stream

from events.attachments import leaves
from events.attachments.encoding import encode
from tests.attachments import pdfs
from tests.pictures.images import file_of, is_bare, photograph

PLAIN, TAGGED = pdfs.plain(), pdfs.tagged()
MARK = pdfs.MARK.encode()


def refused(content: bytes) -> str:
    """Why; and people are told in one or two sentences what to do."""
    with pytest.raises(ValidationError) as found:
        encode(content)
    (sentence,) = found.value.messages
    assert len(sentence) > 30
    return found.value.code


def read(content: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(content), strict=True)


# What stays ---------------------------------------------------------------------------------------------------------


def test_what_can_be_read_stays_on_its_page():
    made = encode(pdfs.plain("One", "Two", "Three"))
    assert made.pages == 3
    assert [page.extract_text() for page in read(made.content).pages] == ["One", "Two", "Three"]
    assert pdfs.is_bare(made.content)


def test_tags_and_language_stay_and_it_is_said_that_they_are_there():
    made = encode(TAGGED)
    assert made.is_for_screen_readers
    root = read(made.content).trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("sv", True)
    kinds = {str(thing["/S"]) for thing in pdfs.dictionaries(made.content) if thing.get("/Type") == "/StructElem"}
    assert {"/Document", "/H1", "/P", "/Table", "/TH", "/TD", "/Link"} <= kinds
    assert kinds == {str(thing["/S"]) for thing in pdfs.dictionaries(TAGGED) if thing.get("/Type") == "/StructElem"}
    shown = [thing["/Obj"].get_object() for thing in pdfs.dictionaries(made.content) if thing.get("/Type") == "/OBJR"]
    assert [thing["/Subtype"] for thing in shown] == ["/Link"] * 4


def test_links_and_bookmarks_still_lead_where_they_did():
    assert MARK in pdfs.told(TAGGED)
    content = encode(TAGGED).content
    assert pdfs.actions(content) == {
        ("/URI", "https://example.org/law"),
        ("/URI", "mailto:info@example.org"),
        ("/URI", "tel:+46123456"),
    }
    reader = read(content)
    inside = [each.get_object() for each in reader.pages[0]["/Annots"] if "/Dest" in each.get_object()]
    assert [str(each["/Dest"]) for each in inside] == ["top"]
    assert reader.named_destinations["top"].page.get_object() == reader.pages[0]
    assert [mark.title for mark in reader.outline] == ["Program"]
    assert pdfs.is_bare(content)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: root.__delitem__("/Lang"),
        lambda root: root.__setitem__("/Lang", pikepdf.String(" ")),
        lambda root: root.__delitem__("/MarkInfo"),
        lambda root: root.__setitem__("/MarkInfo", Dictionary(Marked=False)),
        lambda root: root.__delitem__("/StructTreeRoot"),
        lambda root: root.__setitem__("/StructTreeRoot", Dictionary(Type=Name.StructTreeRoot)),
    ],
)
def test_without_tags_or_language_it_is_kept_and_that_is_said(change):
    with Pdf.open(io.BytesIO(TAGGED)) as pdf:
        change(pdf.Root)
        made = encode(pdfs.saved(pdf))
    assert not made.is_for_screen_readers
    assert "Program" in read(made.content).pages[0].extract_text()


def test_drawings_fonts_and_pictures_come_through_unchanged():
    drawn = """<svg width="90" height="90"><defs><linearGradient id="g"><stop stop-color="red"/><stop offset="1"/>
    </linearGradient></defs><rect width="80" height="80" fill="url(#g)" opacity=".4"/></svg><p>ሰላም ጥዕና العربية"""
    before = pdfs.tagged(body=drawn)
    after = encode(before).content
    assert read(after).pages[0].extract_text() == read(before).pages[0].extract_text()

    def drawn_with(content):
        """What a viewer needs, by kind, with all that it says of itself."""
        kinds = {"/PatternType", "/ShadingType", "/FunctionType", "/BaseFont", "/FontName", "/ca", "/ImageMask"}
        found = [thing for thing in pdfs.dictionaries(content) if kinds & thing.keys()]
        return sorted(sorted(set(thing) - {"/Length", "/Filter"}) for thing in found)

    assert len(drawn_with(before)) > 6
    assert drawn_with(after) == drawn_with(before)


def test_a_photograph_keeps_its_pixels_and_loses_where_it_was_taken():
    content = encode(pdfs.hostile(pdfs.HOSTILE["photograph that knows where"])).content
    (picture,) = [thing for thing in pdfs.dictionaries(content) if thing.get("/Subtype") == "/Image"]
    assert picture["/Filter"] == "/DCTDecode"
    assert picture._data == file_of(photograph(), "JPEG")
    assert is_bare(picture._data)


def test_a_picture_that_was_packed_twice_is_packed_once_and_bare():
    from tests.pictures.images import told_jpeg

    with Pdf.open(io.BytesIO(PLAIN)) as pdf:
        picture = Stream(pdf, b"", Type=Name.XObject, Subtype=Name.Image, Width=64, Height=48)
        ascii_ = told_jpeg().hex().encode() + b">"
        picture.write(ascii_, filter=Array([Name.ASCIIHexDecode, Name.DCTDecode]))
        pdf.pages[0].obj.Resources.XObject = Dictionary(X1=picture)
        content = encode(pdfs.saved(pdf)).content
    (picture,) = [thing for thing in pdfs.dictionaries(content) if thing.get("/Subtype") == "/Image"]
    assert picture["/Filter"] == "/DCTDecode"
    assert is_bare(picture._data)
    assert b"HIDDEN" not in picture._data


def test_the_same_file_is_encoded_to_the_same_bytes_and_so_is_what_was_kept():
    once = encode(TAGGED)
    assert encode(TAGGED) == once
    again = encode(once.content)
    assert (again.pages, again.is_for_screen_readers) == (once.pages, True)
    assert pdfs.keys(again.content) == pdfs.keys(once.content)


# What is hidden -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", pdfs.HOSTILE.values(), ids=pdfs.HOSTILE)
def test_nothing_is_kept_that_acts_or_hides(change):
    sent = pdfs.hostile(change)
    assert not pdfs.is_bare(sent), "the file is harmless as it is"
    content = encode(sent).content
    assert not pdfs.keys(content) & pdfs.FORBIDDEN
    assert MARK not in pdfs.told(content)
    assert pdfs.is_bare(content)
    assert read(content).pages[0].extract_text() in {"Hello", "Draft"}


def test_all_of_it_together_goes_from_a_tagged_document_too():
    with Pdf.open(io.BytesIO(TAGGED)) as pdf:
        for change in pdfs.HOSTILE.values():
            change(pdf)
        sent = pdfs.saved(pdf)
    assert pdfs.is_bare(encode(sent).content)


def test_what_was_changed_or_hangs_on_behind_is_gone():
    later = pdfs.hostile(lambda pdf: pdf.Root.__setitem__("/X", pikepdf.String(pdfs.MARK)))
    for sent in (TAGGED + b"PK\x03\x04" + MARK, PLAIN + b"<script>" + MARK, later):
        assert MARK in pdfs.told(sent) if sent is later else MARK in sent
        assert MARK not in pdfs.told(encode(sent).content)


def test_what_hangs_on_behind_what_is_packed_is_gone():
    with Pdf.open(io.BytesIO(PLAIN)) as pdf:
        text = pdf.pages[0].obj.Contents
        text.write(zlib.compress(text.read_bytes()) + MARK, filter=Name.FlateDecode)
        sent = pdfs.saved(pdf)
    assert MARK in sent
    content = encode(sent).content
    assert MARK not in content
    assert read(content).pages[0].extract_text() == "Hello"


# What is no PDF of ours ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF",
        b"<html><script>alert(1)</script>" + PLAIN,
        b"PK\x03\x04" + PLAIN,
        b"\x89PNG\r\n\x1a\n" + PLAIN,
        b"\n" + PLAIN,
        "Program".encode("utf-16"),
    ],
)
def test_what_does_not_begin_as_a_pdf_is_none_wherever_one_is_in_it(content):
    assert refused(content) == "unknown"


@pytest.mark.parametrize("content", [PLAIN, TAGGED], ids=["plain", "tagged"])
def test_a_pdf_that_was_cut_off_is_refused(content):
    for part in (0.1, 0.3, 0.5, 0.7, 0.9, 0.95):
        assert refused(content[: int(len(content) * part)]) == "damaged", part


def test_a_pdf_whose_text_cannot_be_unpacked_is_refused():
    place = TAGGED.index(b"stream\n") + 9
    assert refused(TAGGED[:place] + b"\0" * 40 + TAGGED[place + 40 :]) == "damaged"


@pytest.mark.parametrize("user", ["", "secret"], ids=["of its owner", "of its readers"])
def test_a_pdf_with_a_password_is_refused(user):
    with Pdf.open(io.BytesIO(PLAIN)) as pdf:
        sent = pdfs.saved(pdf, encryption=Encryption(owner="secret", user=user))
    assert refused(sent) == "password"


def test_two_hundred_pages_are_the_most():
    with Pdf.open(io.BytesIO(PLAIN)) as pdf:
        for _ in range(199):
            pdf.pages.append(pdf.pages[0])
        assert encode(pdfs.saved(pdf)).pages == 200
        pdf.pages.append(pdf.pages[0])
        assert refused(pdfs.saved(pdf)) == "too_many_pages"


def test_a_document_without_a_page_is_refused():
    assert refused(pdfs.saved(Pdf.new())) == "damaged"


def test_five_megabytes_are_the_most():
    assert refused(PLAIN.ljust(leaves.MOST_BYTES + 1)) == "too_large"


def test_what_would_be_larger_than_that_when_it_is_made_anew_is_refused():
    with Pdf.open(io.BytesIO(PLAIN)) as pdf:
        # Ascii85, which is longer, is let go; what no packing makes shorter stays as long as it is.
        page = pdf.pages[0].obj
        page.Contents = Stream(pdf, os.urandom(leaves.MOST_BYTES - len(PLAIN) - 1000))
        sent = pdfs.saved(pdf, compress_streams=False)
    assert len(sent) <= leaves.MOST_BYTES
    assert refused(sent) == "too_large"


# What is too much ---------------------------------------------------------------------------------------------------

BOMBS = {
    "on a page": (lambda: pdfs.bomb_on_a_page(3000), "too_large_unpacked"),
    "in many parts": (lambda: pdfs.bomb_on_a_page(90, times=9), "too_large_unpacked"),
    "in a bomb": (pdfs.bomb_in_a_bomb, "too_large_unpacked"),
    "below a picture": (pdfs.bomb_below_a_picture, "too_large_unpacked"),
    "in the table": (pdfs.bomb_in_the_table, "damaged"),
    "picture": (pdfs.vast_picture, "too_large_unpacked"),
}


@pytest.mark.parametrize(("make", "code"), BOMBS.values(), ids=BOMBS)
def test_what_unpacks_to_gigabytes_is_refused(make, code):
    sent = make()
    assert len(sent) <= leaves.MOST_BYTES
    assert refused(sent) == code


def test_what_unpacks_to_a_lot_and_not_too_much_is_kept():
    assert encode(pdfs.bomb_on_a_page(90)).pages == 1


@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b"<</K ", b">>")], ids=["lists", "dictionaries"])
def test_what_is_nested_without_end_is_refused(opens, closes):
    assert pdfs.is_bare(encode(pdfs.with_one_more("Deep", opens * 9 + b"0" + closes * 9)).content)
    assert refused(pdfs.with_one_more("Deep", opens * 99_999 + b"0" + closes * 99_999)) == "damaged"


def test_pages_and_tags_that_lie_deep_are_kept_or_refused():
    made = encode(pdfs.deep_tags(20_000))
    assert b"Deep below" in pdfs.told(made.content)
    assert refused(pdfs.deep_pages(20_000)) == "damaged"


# Anything at all ----------------------------------------------------------------------------------------------------

SEARCH = properties(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def outcome(content: bytes) -> bytes | None:
    """None when it was refused. Nothing else may happen. Here, and not in a program of its own: there are many."""
    try:
        return leaves.rewrite(content).content
    except leaves.RefusedError:
        return None


ALL_OF_IT = pdfs.hostile(lambda pdf: [change(pdf) for change in pdfs.HOSTILE.values()], TAGGED)


@SEARCH
@given(st.data())
def test_a_pdf_with_random_bytes_in_it_is_kept_bare_or_refused(data):
    content = bytearray(ALL_OF_IT)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    made = outcome(bytes(content))
    if made:
        assert not pdfs.keys(made) & pdfs.FORBIDDEN
        assert {kind for kind, _where in pdfs.actions(made)} <= {"/URI", "/GoTo"}


# The program --------------------------------------------------------------------------------------------------------


def test_a_pdf_that_breaks_the_reader_is_refused_as_damaged(monkeypatch):
    monkeypatch.setattr(leaves, "MOST_MEMORY", 1)
    assert refused(PLAIN) == "damaged"
