"""What is printed and shared, read back from the bytes."""

import io
import re
import threading
import tomllib
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request

import pytest
import segno
from django.conf import settings as site_settings
from django.utils import timezone, translation
from django.utils.translation import gettext
from PIL import Image
from pypdf import PdfReader

from portal import contacts, languages
from portal.facts import documents
from portal.facts.documents import Part, Sheet
from portal.facts.models import Audience, Fact, Source
from portal.public import FRESH_SECONDS
from portal.revisions.models import Method, Provenance
from portal.revisions.rules import Text
from tests import factories

STARTER = Path(site_settings.BASE_DIR) / "portal" / "facts" / "starter" / "facts"
ADDRESS = "https://klarlagt.example.org/f/12"
ABOUT = {"published_at": timezone.now(), "is_outdated": False, "changed_at": None, "change_note": ""}
EXAMPLE = Provenance(**ABOUT, method=Method.MACHINE, is_example=True, is_approved=False)
CHECKED = Provenance(**ABOUT, method=Method.HUMAN, is_example=False, is_approved=True)
OUTDATED = Provenance(
    **ABOUT | {"is_outdated": True, "change_note": "Ny tidsfrist: 2 veckor."},
    method=Method.MACHINE,
    is_example=True,
    is_approved=False,
)


def part(
    code: str, slug: str = "ta-mitt-barn", *, wanted: str = "", about: Provenance = EXAMPLE, times: int = 1
) -> Part:
    """A starter text as it is published."""
    _, head, body = (STARTER / slug / f"{code}.md").read_text("utf-8").split("+++\n", 2)
    values = tomllib.loads(head)
    reader = languages.get(wanted or code)
    fields = {"title": values["title"], "summary": values["summary"], "body": f"{body}\n\n" * times}
    return Part(Text(fields, languages.get(code), reader), about, reader, is_unprintable=False)


def sheet(*parts: Part, is_guarded: bool = False, address: str = ADDRESS) -> Sheet:
    law = Source(title="LVU", sfs="1990:52", sections="1–4, 6–8, 13, 36, 39 §§")
    return Sheet(parts, [law], date(2026, 11, 3), address, is_guarded)


def printed(*parts: Part, is_guarded: bool = False, address: str = ADDRESS) -> PdfReader:
    return PdfReader(io.BytesIO(documents.handout([sheet(*parts, is_guarded=is_guarded, address=address)])))


def words(pdf: PdfReader) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pdf.pages))


def structure(pdf: PdfReader) -> list:
    """Every structure element, in reading order."""
    found, waiting = [], [pdf.trailer["/Root"]["/StructTreeRoot"]["/K"]]
    while waiting:
        thing = waiting.pop(0)
        thing = thing.get_object() if hasattr(thing, "get_object") else thing
        if isinstance(thing, list):
            waiting[:0] = thing
        elif hasattr(thing, "get"):
            found.append(thing)
            waiting.insert(0, thing.get("/K", []))
    return found


def fonts(pdf: PdfReader) -> set[str]:
    return {
        re.sub(r"^/[A-Z]{6}\+", "", font.get_object()["/BaseFont"])
        for page in pdf.pages
        for font in page["/Resources"].get("/Font", {}).values()
    }


def glyphs(pdf: PdfReader) -> set[str]:
    streams = [page.get_contents().get_data().decode("latin-1") for page in pdf.pages]
    return {
        glyph
        for stream in streams
        for shown in re.findall(r"\[([^]]*)\] TJ", stream)
        for run in re.findall(r"<([0-9a-f]+)>", shown)
        for glyph in re.findall("....", run)
    }


def test_a_handout_is_tagged_and_names_its_title_and_language():
    pdf = printed(part("ar"))

    root = pdf.trailer["/Root"]
    assert pdf.metadata.title == part("ar").text["title"]
    assert root["/Lang"] == "ar"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b'pdfuaid:part="1"' in root["/Metadata"].get_object().get_data()
    assert {"/H1", "/H2", "/P", "/L", "/LI", "/Figure"} <= {element.get("/S") for element in structure(pdf)}
    assert [e["/Alt"] for e in structure(pdf) if e.get("/S") == "/Figure"] == ["klarlagt.example.org/f/12"]


def test_a_bilingual_handout_marks_the_second_language_wherever_it_stands():
    pdf = printed(part("ar"), part("sv"))

    assert pdf.trailer["/Root"]["/Lang"] == "ar"
    second = [element for element in structure(pdf) if element.get("/S") == "/Sect"]
    assert len(second) == len(pdf.pages) > 1
    assert {element.get("/Lang") for element in second} == {"sv"}
    assert part("ar").text["title"].split()[0] in words(pdf)
    assert "Kan socialtjänsten ta mitt barn?" in words(pdf)


@pytest.mark.parametrize("code", ["sv", "ar", "fa", "ti"])
def test_numbers_stand_from_left_to_right_and_whole(code):
    text = words(printed(part(code)))

    for contact in contacts.numbers().values():
        assert contact.number in text, contact.key
    # Once in the text, once among the numbers.
    assert text.count("0980-319 200") == 2
    assert "1–4, 6–8, 13, 36, 39 §§" in text


@pytest.mark.parametrize("code", ["ar", "ckb", "ps", "prs", "ti", "kmr", "uk", "tr"])
def test_only_our_fonts_print_and_no_box_is_printed(code):
    pdf = printed(part(code, "om-jag-berattar"), part("sv", "om-jag-berattar"), is_guarded=True)

    assert {name.split("-")[0] for name in fonts(pdf)} == {"Print"}
    assert glyphs(pdf)
    assert "0000" not in glyphs(pdf)


def test_our_fonts_can_write_every_starter_text():
    texts = list(STARTER.rglob("*.md"))
    assert len(texts) > 100
    assert {str(path): missing for path in texts if (missing := documents.unprintable(path.read_text("utf-8")))} == {}


def test_characters_without_a_glyph_are_found():
    assert documents.unprintable("LVU 6 § ላ می‌تواند ئێمە\u200f 112\n") == ""
    assert documents.unprintable("简体 ☎ 112") == "☎体简"


def test_the_question_the_answer_and_its_origin_are_on_the_paper():
    text = words(printed(part("sv", about=CHECKED)))

    assert "Klarlagt" in text
    assert "Exempelkommun" in text
    assert "LVU (1990:52) 1–4, 6–8, 13, 36, 39 §§" in text
    assert "3 november 2026" in text
    assert "21 november 2026" in text
    assert text.count("klarlagt.example.org/f/12") == 2


def test_an_example_text_says_so_and_names_no_day_of_checking():
    assert "3 november 2026" not in words(printed(part("sv")))


def test_a_foreign_text_and_an_outdated_one_say_so():
    fallback = part("sv", wanted="ti")
    outdated = part("ar", about=OUTDATED)

    # Labels are those of the reader, and the text is read out as Swedish.
    assert printed(fallback).trailer["/Root"]["/Lang"] == "sv"
    with translation.override("ti"):
        assert gettext("This text is not translated into your language yet.") in words(printed(fallback))
    assert "Ny tidsfrist: 2 veckor." in words(printed(outdated))


def test_a_short_text_takes_one_page_and_a_long_one_breaks_between_lines():
    assert len(printed(part("sv")).pages) == 1
    long = printed(part("fa", times=4), part("sv", times=4))
    assert len(long.pages) > 2
    # The numbers are not torn apart: all six on the last page, twice.
    last = long.pages[-1].extract_text()
    assert all(last.count(contact.number) >= 2 for contact in contacts.numbers().values())
    assert f"{len(long.pages)} / {len(long.pages)}" in last


def test_a_guarded_handout_has_a_neutral_title_and_childrens_numbers():
    pdf = printed(part("sv", "om-jag-berattar"), is_guarded=True)

    assert "berättar" not in pdf.metadata.title
    assert "116 111" in words(pdf)
    assert "114 14" not in words(pdf)


def test_the_code_on_paper_is_that_of_the_short_address():
    pdf = printed(part("sv"))

    drawing = pdf.pages[0].get_contents().get_data().decode("latin-1").split("/Figure", 1)[1].split("EMC", 1)[0]
    lines = re.findall(r"([\d.]+) ([\d.]+) m\n([\d.]+) \2 l\n", drawing)
    dark = {(int(float(y)), x) for start, y, end in lines for x in range(int(float(start)), int(float(end)))}
    expected = segno.make_qr(ADDRESS, error="m").matrix
    assert dark == {(y, x) for y, row in enumerate(expected) for x, bit in enumerate(row) if bit}


def test_a_new_number_makes_a_new_handout():
    assert "0980-319 999" not in words(printed(part("sv")))
    contacts.write([contacts.Contact("social", "0980-319 999")])
    assert words(printed(part("sv"))).count("0980-319 999") == 2


@pytest.mark.django_db
def test_a_number_in_a_title_is_filled_in_on_paper_and_on_the_card_and_a_new_one_makes_new_ones():
    fact = factories.fact()
    factories.publish(fact, title="Ring {{phone:bris}}?", summary="Ring {{phone:bris}}.", body="Text.")
    fact.refresh_from_db()
    card = documents.card(fact, "sv", address=ADDRESS)
    assert card == documents.picture("Ring 116 111?", languages.get("sv"), address=ADDRESS)
    text = Text({"title": fact.title_sv, "summary": fact.summary_sv, "body": ""}, *[languages.get("sv")] * 2)
    pdf = printed(Part(text, CHECKED, text.wanted, is_unprintable=False))
    assert pdf.metadata.title == "Ring 116 111?"
    assert "{{" not in words(pdf)
    contacts.write([contacts.Contact("bris", "116 222")])
    assert documents.card(fact, "sv", address=ADDRESS) != card
    assert "Ring 116 222." in words(printed(Part(text, CHECKED, text.wanted, is_unprintable=False)))


def test_one_document_is_made_at_a_time_and_kept_ones_do_not_wait(monkeypatch):
    kept = printed(part("sv"))
    monkeypatch.setattr(documents, "WAIT_SECONDS", 0.05)

    with documents._one_at_a_time:
        assert printed(part("sv")).stream.getvalue() == kept.stream.getvalue()
        with pytest.raises(documents.UnavailableError):
            printed(part("so"))
    assert printed(part("so")).pages


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        f"{documents.STATIC.as_uri()}/../settings.py",
        f"{documents.STATIC.as_uri()}/%2e%2e/public.py",
    ],
)
def test_files_outside_the_static_folder_are_refused(address):
    with pytest.raises(URLError):
        documents.OwnFilesOnly().file_open(Request(address))
    documents.OwnFilesOnly().file_open(Request(f"{documents.STATIC.as_uri()}/css/handout.css"))


def test_a_document_fetches_nothing_from_the_network_or_from_other_folders(tmp_path):
    asked = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_args):
            pass

    Image.new("RGB", (2, 2), "red").save(tmp_path / "secret.png")
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = """<html lang="sv"><title>t</title><link rel="stylesheet" href="{http}/x.css">
            <img alt="a" src="{http}/x.png"><img alt="b" src="{file}"><img alt="c" src="img/icon.svg">"""
        port = server.server_address[1]
        made = documents._pdf(page.format(http=f"http://127.0.0.1:{port}", file=(tmp_path / "secret.png").as_uri()))
        server.shutdown()

    assert asked == []
    pdf = PdfReader(io.BytesIO(made))
    assert list(pdf.pages[0].images) == []
    # Our own picture is there; pictures that were refused leave their words.
    assert [e["/Alt"] for e in structure(pdf) if e.get("/S") == "/Figure" and "/K" in e][-1] == "c"


# Which text is printed -------------------------------------------------------------------------------------------


def parts_of(fact: Fact, *codes: str) -> list[Part]:
    fact = Fact.objects.get(pk=fact.pk)
    return documents.read_parts(fact, codes, Provenance.objects.of(fact).by_language())


@pytest.mark.django_db
def test_a_text_that_our_fonts_cannot_write_is_printed_in_swedish_and_says_why():
    fact = factories.published_fact()
    factories.publish(fact, "ar", title="سؤال؟", summary="جواب ☎", body="نص")

    (shown,) = parts_of(fact, "ar", "sv")
    assert (shown.text.language.code, shown.text.wanted.code, shown.is_unprintable) == ("sv", "ar", True)
    assert not parts_of(fact, "sv")[0].is_unprintable


@pytest.mark.django_db
def test_two_languages_that_end_at_one_text_make_one_column_with_its_notice():
    fact = factories.published_fact("ar")

    assert [p.text.language.code for p in parts_of(fact, "ar", "sv")] == ["ar", "sv"]
    assert [p.text.language.code for p in parts_of(fact, "ar", "ar")] == ["ar"]
    (shown,) = parts_of(fact, "sv", "ti")
    assert shown.text.is_fallback
    assert shown.labels.code == "ti"


# Cards -----------------------------------------------------------------------------------------------------------


def drawn(title: str, code: str) -> Image.Image:
    png = documents.picture(title, languages.get(code), address=ADDRESS)
    assert len(png) <= 100_000
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    assert image.size == (1200, 630)
    return image.convert("RGB")


def ink(image: Image.Image, top: int, bottom: int) -> tuple[int, int]:
    """First and last column with ink between two rows."""
    ground = Image.new("RGB", image.size, image.getpixel((0, 0)))
    difference = Image.frombytes(
        "L",
        image.size,
        bytes(a != b for a, b in zip(image.convert("L").tobytes(), ground.convert("L").tobytes(), strict=True)),
    )
    box = difference.crop((0, top, 1200, bottom)).getbbox()
    assert box
    return box[0], box[2]


@pytest.mark.parametrize("code", ["sv", "ar", "fa", "ti", "so"])
def test_a_card_keeps_its_margins_and_starts_where_the_reader_starts(code):
    first, last = ink(drawn(part(code).text["title"], code), 170, 500)

    assert first >= 76
    assert last <= 1124
    if languages.get(code).direction == "rtl":
        assert last > 1100
    else:
        assert first < 100


def test_a_very_long_question_still_fits_the_card():
    image = drawn("Varför bestämmer socialtjänsten i kommunen och inte familjen själv " * 2 + "om barnet?", "sv")

    assert ink(image, 170, 500)[1] <= 1124
    # Nothing between the question and the address.
    with pytest.raises(AssertionError):
        ink(image, 505, 535)


def test_numbers_and_latin_words_in_a_line_from_right_to_left_keep_their_own_order():
    runs = documents._runs("ما هو قانون LVU (1990:52) 1–4 §§؟", languages.get("ar"), "Bold", 60)

    assert [(run.text, run.direction) for run in runs if re.search(r"[\w§]", run.text) and run.direction == "ltr"] == [
        ("LVU", "ltr"),
        ("1990:52", "ltr"),
        ("1–4 §§", "ltr"),
    ]
    assert "".join(run.text for run in runs) == "ما هو قانون LVU (1990:52) 1–4 §§؟"
    assert runs[0].direction == runs[-1].direction == "rtl"


def test_every_piece_of_every_starter_question_is_drawn_in_a_font_that_has_it():
    for path in STARTER.rglob("*.md"):
        code = path.stem
        for run in documents._runs(part(code, path.parent.name).text["title"], languages.get(code), "Bold", 60):
            name = Path(run.font.path).name.split("-")[0]
            assert {c for c in run.text if ord(c) not in documents._characters(name)} == set(), (path, run)


def test_the_card_has_the_colors_of_the_stylesheet():
    css = (documents.STATIC / "css" / "klarlagt.css").read_text("utf-8")
    brand = re.search(r"--brand: #(\w{6});", css)[1]

    assert "{:02x}{:02x}{:02x}".format(*drawn("Fråga?", "sv").getpixel((5, 5))) == brand


# Addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_handout_is_served_in_the_language_of_the_address_and_beside_another(client):
    fact = factories.published_fact("ar")
    own = f"/ar/facts/{fact.slug}/handout.pdf"

    response = client.get(own, {"with": "sv"})
    assert response["Content-Type"] == "application/pdf"
    assert response["Cache-Control"] == f"public, max-age={FRESH_SECONDS}"
    text = words(PdfReader(io.BytesIO(response.content)))
    assert "Text ar" in text
    assert "Fråga sv?" in text
    alone = words(PdfReader(io.BytesIO(client.get(own).content)))
    assert "Fråga sv?" not in alone
    assert words(PdfReader(io.BytesIO(client.get(own, {"with": "ar"}).content))) == alone


@pytest.mark.django_db
def test_a_handout_in_an_unknown_language_or_of_an_unpublished_fact_is_not_found(client):
    fact, draft = factories.published_fact(), factories.fact()

    assert client.get(f"/sv/facts/{fact.slug}/handout.pdf", {"with": "xx"}).status_code == 404
    assert client.get(f"/sv/facts/{fact.slug}/handout.pdf", {"with": "ar"}).status_code == 200
    assert client.get(f"/sv/facts/{draft.slug}/handout.pdf").status_code == 404
    assert client.get(f"/sv/facts/{draft.slug}/card.png").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("about", [{"audience": Audience.CHILDREN}, {"is_about_violence": True}])
def test_pages_that_leave_no_trace_have_no_card_and_an_unstored_handout(client, about):
    fact = factories.published_fact(**about)

    assert client.get(f"/sv/facts/{fact.slug}/handout.pdf")["Cache-Control"] == "no-store"
    assert client.get(f"/sv/facts/{fact.slug}/card.png").status_code == 404
    other = factories.published_fact()
    assert client.get(f"/sv/facts/{other.slug}/card.png")["Content-Type"] == "image/png"


@pytest.mark.django_db
def test_who_comes_while_another_document_is_made_is_asked_to_come_back(client, monkeypatch):
    fact = factories.published_fact()
    monkeypatch.setattr(documents, "WAIT_SECONDS", 0.05)

    with documents._one_at_a_time:
        busy = [client.get(f"/sv/facts/{fact.slug}/{name}") for name in ("handout.pdf", "card.png")]
    assert [(response.status_code, response["Retry-After"]) for response in busy] == [(503, "5"), (503, "5")]
    assert client.get(f"/sv/facts/{fact.slug}/handout.pdf").content.startswith(b"%PDF-1.7")
