"""What is printed and shared, read back from the bytes."""

import io
import re
import threading
import tomllib
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request

import pytest
import segno
import time_machine
from celery import current_app
from django.conf import settings as site_settings
from django.db import connection
from django.utils import timezone, translation
from django.utils.translation import gettext
from PIL import Image
from pypdf import PdfReader

from portal import contacts, fonts, languages
from portal.facts import actions, documents, tasks
from portal.facts.documents import Part, Sheet
from portal.facts.models import Audience, Fact, Rendering, Source
from portal.pages import actions as pages
from portal.public import FRESH_SECONDS
from portal.revisions import actions as revisions
from portal.revisions.models import Edition, Method, Provenance
from portal.revisions.rules import Text
from tests import factories

STARTER = Path(site_settings.BASE_DIR) / "portal" / "facts" / "starter" / "facts"
ADDRESS = "https://klarlagt.example.org/f/12"
ABOUT = {
    "published_at": datetime(2026, 11, 5, 12, tzinfo=UTC),
    "is_outdated": False,
    "changed_at": None,
    "change_note": "",
}
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


def font_names(pdf: PdfReader) -> set[str]:
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
    pdf = printed(part("ar", times=3), part("sv", times=3))

    assert pdf.trailer["/Root"]["/Lang"] == "ar"
    spoken = [(e["/S"], e["/Lang"]) for e in structure(pdf) if e.get("/S") in {"/Art", "/Sect"}]
    assert len(pdf.pages) > 1
    # Texts, and what stands around them, in the order in which they are read on each page.
    assert [lang for kind, lang in spoken if kind == "/Art"] == ["ar", "sv"] * len(pdf.pages)
    assert {"ar", "sv"} == {lang for kind, lang in spoken if kind == "/Sect"}
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

    assert {name.split("-")[0] for name in font_names(pdf)} == {"Print"}
    assert glyphs(pdf)
    assert "0000" not in glyphs(pdf)


def test_the_question_the_answer_and_its_origin_are_on_the_paper():
    text = words(printed(part("sv", about=CHECKED)))

    assert "Klarlagt" in text
    assert "Exempelkommun" in text
    assert "LVU (1990:52) 1–4, 6–8, 13, 36, 39 §§" in text
    assert "3 november 2026" in text
    assert text.count("klarlagt.example.org/f/12") == 2


def test_an_example_text_says_so_and_names_no_day_of_checking():
    assert "3 november 2026" not in words(printed(part("sv")))


def test_a_handout_says_from_when_its_text_is_and_is_the_same_document_tomorrow():
    with time_machine.travel("2026-11-21 12:00"):
        today = printed(part("sv")).stream.getvalue()
        assert "5 november 2026" in words(printed(part("sv")))
        assert "21 november" not in words(printed(part("sv")))
    with time_machine.travel("2026-11-22 12:00"), documents._one_at_a_time:
        # It's kept: with the lock taken, nothing can be made.
        assert printed(part("sv")).stream.getvalue() == today


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


# Several facts -----------------------------------------------------------------------------------------------------

HAND_MADE = {
    "ar": "المحكمة تقرر",
    "fa": "دادگاه تصمیم می‌گیرد",
    "prs": "محکمه فیصله می‌کند",
    "ckb": "دادگا بڕیار دەدات",
    "ps": "محکمه پرېکړه کوي",
    "ti": "ቤት ፍርዲ ይውስን",
    "am": "ፍርድ ቤቱ ይወስናል",
    "th": "ศาลตัดสินภายในหนึ่งสัปดาห์",
    "yi": "דאָס געריכט באַשליסט",
}


@pytest.mark.parametrize("code", HAND_MADE)
def test_numbers_sections_and_dates_keep_their_order_on_paper_in_every_script(code):
    said = HAND_MADE[code]
    known = languages.get(code)
    body = f"{said} 6 §, {said} 2026-11-03 {said}.\n\n- {said} {{{{phone:kvinnofrid}}}} {said}\n- LVU (1990:52) {said}"
    text = Text({"title": f"{said} 73 %?", "summary": f"{said} {{{{phone:social}}}}.", "body": body}, known, known)
    pdf = printed(Part(text, CHECKED, known, is_unprintable=False))

    places = []
    for page in pdf.pages:
        page.extract_text(visitor_text=lambda text, _cm, tm, _font, _size: places.append((text.strip(), tm[4], tm[5])))
    whole = "".join(text for text, _x, _y in places)
    assert "0000" not in glyphs(pdf)
    for number in ("6 §", "2026-11-03", "020-50 50 50", "(1990:52)", "73 %", "0980-319 200"):
        assert number in whole or number in words(pdf), number


def test_each_of_several_facts_begins_a_page_and_the_contents_name_it():
    sheets = [
        sheet(part("ar"), part("sv"), address="https://klarlagt.example.org/f/1"),
        sheet(part("sv", "om-jag-berattar"), is_guarded=False, address="https://klarlagt.example.org/f/2"),
        sheet(part("fa", "lvu-i-korthet"), address="https://klarlagt.example.org/f/3"),
    ]
    pdf = PdfReader(io.BytesIO(documents.handout(sheets)))
    pages = [re.sub(r"\s+", " ", page.extract_text()) for page in pdf.pages]

    starts = {}
    for number, page in enumerate(pages[1:], start=2):
        for address in re.findall(r"klarlagt\.example\.org/f/\d", page):
            starts.setdefault(address[-1], number)
    assert list(starts) == ["1", "2", "3"]
    assert len(set(starts.values())) == 3
    assert part("sv", "om-jag-berattar").text["title"] in pages[0]
    for number in starts.values():
        assert f"...{number}" in pages[0].replace(" ", "")
    figures = [e["/Alt"] for e in structure(pdf) if e.get("/S") == "/Figure"]
    assert figures == [f"klarlagt.example.org/f/{n}" for n in (1, 2, 3)]
    assert pdf.metadata.title.endswith("Klarlagt")
    # Two need no contents.
    assert "..." not in words(PdfReader(io.BytesIO(documents.handout(sheets[:2]))))


def test_among_several_one_that_leaves_no_trace_makes_the_title_neutral():
    sheets = [sheet(part("sv")), sheet(part("sv", "om-jag-berattar"), is_guarded=True)]
    pdf = PdfReader(io.BytesIO(documents.handout(sheets)))
    assert pdf.metadata.title == gettext("Information")


@pytest.mark.django_db
def test_several_facts_are_chosen_on_a_page_and_come_as_one_document(client):
    first, second = factories.published_fact("ar"), factories.published_fact()
    child = factories.published_fact(audience=Audience.CHILDREN)

    page = client.get("/ar/print/")
    assert page["Cache-Control"] == "no-store"
    assert "Fråga ar?" in page.content.decode()
    assert 'data-fallback="sv"' in page.content.decode()
    response = client.get("/ar/print/", {"facts": [first.slug, second.slug], "with": "sv"})
    assert response["Location"] == f"/ar/handout.pdf?facts={first.slug},{second.slug}&with=sv"
    made = client.get(response["Location"])
    text = words(PdfReader(io.BytesIO(made.content)))
    assert "Text ar" in text
    assert text.count("Text sv") == 2
    assert made["Cache-Control"] == f"public, max-age={FRESH_SECONDS}"
    with_child = client.get("/sv/handout.pdf", {"facts": f"{first.slug},{child.slug}"})
    assert with_child["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_a_choice_of_none_or_of_too_many_says_so_and_no_document_is_made_of_it(client):
    facts = [factories.published_fact() for _ in range(13)]
    slugs = [fact.slug for fact in facts]

    none = client.get("/sv/print/", {"with": ""})
    many = client.get("/sv/print/", {"facts": slugs, "with": ""})
    assert (none.status_code, many.status_code) == (422, 422)
    assert 'role="alert"' in none.content.decode()
    assert many.content.decode().count(" checked") == 13
    assert client.get("/sv/handout.pdf", {"facts": ",".join(slugs)}).status_code == 404
    assert client.get("/sv/handout.pdf").status_code == 404
    assert client.get("/sv/handout.pdf", {"facts": f"{slugs[0]},no-such"}).status_code == 404
    revisions.withdraw(facts[0], language="sv", by=factories.user(), reason="Fel")
    assert client.get("/sv/handout.pdf", {"facts": ",".join(slugs[:2])}).status_code == 410


# In advance --------------------------------------------------------------------------------------------------------


def paper(client, fact: Fact, code: str, **query):
    return client.get(f"/{code}/facts/{fact.slug}/handout.pdf", query)


@pytest.mark.django_db
def test_what_is_published_is_promised_made_by_the_clock_and_there_when_asked_for(client):
    fact = factories.published_fact("ar")
    assert set(Rendering.objects.values_list("fact", "language")) == {(fact.pk, "sv"), (fact.pk, "ar")}

    assert actions.render(seconds=60) == 2
    assert not Rendering.objects.exists()
    # Nothing can be made now: what comes was made before.
    with documents._one_at_a_time:
        for code, query in [("sv", {}), ("ar", {}), ("ar", {"with": "sv"})]:
            assert paper(client, fact, code, **query).content.startswith(b"%PDF"), (code, query)

    actions.edit(fact, by=factories.user(), reviewed_on=date(2026, 1, 2))
    assert Rendering.objects.count() == 2
    actions.render(seconds=60)
    revisions.withdraw(fact, language="ar", by=factories.user(), reason="Fel")
    assert Rendering.objects.get().language == "ar"


@pytest.mark.django_db
def test_a_new_number_to_call_promises_all_handouts_again(client):
    factories.published_fact("ar")
    Rendering.objects.all().delete()
    pages.change_contacts(numbers={"social": contacts.numbers()["social"].number}, by=factories.user())
    assert not Rendering.objects.exists()
    pages.change_contacts(numbers={"social": "0980-319 201"}, by=factories.user())
    assert set(Rendering.objects.values_list("language", flat=True)) == {"ar", "sv"}


@pytest.mark.django_db
def test_one_handout_that_cannot_be_made_waits_longer_each_time_and_holds_up_no_other():
    broken, other = factories.published_fact(), factories.published_fact()
    # No provenance, no handout: as if the text had been lost.
    Edition.objects.of(broken).delete()

    assert actions.render(seconds=60) == 1
    left = Rendering.objects.get()
    assert (left.fact_id, left.attempts) == (broken.pk, 1)
    waits = []
    for _ in range(5):
        now = timezone.now()
        waits.append(round((Rendering.objects.get().due_at - now) / timedelta(minutes=1)))
        Rendering.objects.update(due_at=now)
        assert actions.render(seconds=60) == 0
    assert waits == [1, 10, 60, 360, 360]
    assert not Rendering.objects.filter(fact=other).exists()


@pytest.mark.django_db
def test_a_text_published_while_its_handout_is_made_is_made_again():
    fact = factories.published_fact()
    promise = actions.claim_rendering(now=timezone.now())
    assert actions.claim_rendering(now=timezone.now()) is None
    factories.publish(fact, title="Ny?", summary="Ny.", body="Ny.")
    Rendering.objects.filter(pk=promise.pk, due_at=promise.due_at).delete()
    again = actions.claim_rendering(now=timezone.now())
    assert (again.pk, again.attempts) == (promise.pk, 1)
    # Whoever took it and never came back had it for a while only.
    assert actions.claim_rendering(now=timezone.now() + actions.LEASE * 2).pk == promise.pk


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_take_the_same_promise():
    wanted = {factories.published_fact("ar").pk for _ in range(4)}
    taken, start = [], threading.Barrier(2)

    def work():
        start.wait()
        while promise := actions.claim_rendering(now=timezone.now()):
            taken.append((promise.fact_id, promise.language))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == sorted((pk, code) for pk in wanted for code in ("ar", "sv"))


def test_of_many_who_ask_at_once_each_gets_the_document_or_is_asked_to_come_back():
    codes = ["so", "en", "ti", "fa"]
    made, turned_away = {}, []

    def ask(code):
        try:
            made.setdefault(code, set()).add(printed(part(code)).stream.getvalue())
        except documents.UnavailableError:
            turned_away.append(code)

    threads = [threading.Thread(target=ask, args=[code]) for code in codes * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(found) for found in made.values()) == len([code for code in made if made[code]])
    assert len(made) + len(turned_away) >= len(codes)
    assert made
    assert not documents._one_at_a_time.locked()


# Which text is printed -------------------------------------------------------------------------------------------


def parts_of(fact: Fact, *codes: str) -> list[Part]:
    fact = Fact.objects.get(pk=fact.pk)
    return documents.read_parts(fact, codes, Provenance.by_language(fact))


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


def test_a_line_in_thai_ends_between_words_and_a_word_wider_than_the_card_is_broken():
    thai = languages.get("th")
    lines = documents._pieces("เจ้าหน้าที่พาลูกของฉันไปจากครอบครัวได้หรือไม่", thai)
    assert {"ครอบครัว", "หรือ"} <= set(lines)
    for title, code in [("เจ้าหน้าที่พาลูกของฉันไปจากครอบครัว" * 4, "th"), ("barnavårdsutredning" * 8, "sv")]:
        first, last = ink(drawn(title, code), 170, 500)
        assert (first >= 76, last <= 1124) == (True, True), code


def test_a_number_is_never_broken_over_two_lines_of_a_card():
    pieces = documents._pieces("Ring 0980-319 200 i dag om 27 300 barn", languages.get("sv"))
    assert [piece.strip() for piece in pieces] == ["Ring", "0980-319\u00a0200", "i", "dag", "om", "27\u00a0300", "barn"]


@pytest.mark.django_db
def test_the_card_of_a_text_that_is_missing_shows_the_text_that_readers_get():
    fact = factories.published_fact("fa")
    fact.refresh_from_db()
    shown = documents.card(fact, "prs", address=ADDRESS)
    assert shown == documents.picture("Fråga fa?", languages.get("fa"), address=ADDRESS)
    assert documents.card(fact, "so", address=ADDRESS) == documents.card(fact, "sv", address=ADDRESS)


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
            assert {c for c in run.text if ord(c) not in fonts.characters(name)} == set(), (path, run)


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


def asked_of_workers() -> list[list]:
    """The arguments of every task that waits for a worker; they are taken away."""
    found = []
    with current_app.connection_for_read() as broker, broker.SimpleQueue("celery", no_ack=True) as queue:
        while True:
            try:
                found.append(queue.get_nowait().payload[0])
            except queue.Empty:
                return found


@pytest.mark.django_db
def test_a_long_document_is_made_by_a_worker_while_its_reader_waits(client, monkeypatch):
    monkeypatch.setattr(documents, "LONG", 5000)
    facts = [factories.published_fact() for _ in range(2)]
    path = f"/sv/handout.pdf?facts={','.join(fact.slug for fact in facts)}"

    waiting = [client.get(path) for _ in range(3)]
    assert {(answer.status_code, answer["Refresh"], answer["Retry-After"]) for answer in waiting} == {(503, "5", "5")}
    assert "Vi gör dokumentet" in waiting[0].content.decode()
    assert "vilar" not in waiting[0].content.decode()

    ((page,),) = asked_of_workers()
    tasks.make_document(page)
    done = client.get(path)
    assert (done.status_code, done["Content-Type"]) == (200, "application/pdf")
    assert done.content.startswith(b"%PDF-1.7")
    assert asked_of_workers() == []


@pytest.mark.django_db
def test_a_long_document_is_made_at_once_when_no_worker_comes_to_it(client, monkeypatch):
    monkeypatch.setattr(documents, "LONG", 5000)
    monkeypatch.setattr(documents, "PATIENCE", 2)
    facts = [factories.published_fact() for _ in range(2)]
    path = f"/sv/handout.pdf?facts={','.join(fact.slug for fact in facts)}"
    assert [client.get(path).status_code for _ in range(3)] == [503, 503, 200]


@pytest.mark.django_db
def test_a_long_document_is_made_at_once_when_no_worker_can_be_asked(client, monkeypatch, settings):
    monkeypatch.setattr(documents, "LONG", 5000)
    facts = [factories.published_fact() for _ in range(2)]
    path = f"/sv/handout.pdf?facts={','.join(fact.slug for fact in facts)}"
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert client.get(path).content.startswith(b"%PDF-1.7")


@pytest.mark.django_db
def test_who_comes_while_another_document_is_made_is_asked_to_come_back(client, monkeypatch):
    fact = factories.published_fact()
    monkeypatch.setattr(documents, "WAIT_SECONDS", 0.05)

    with documents._one_at_a_time:
        busy = [client.get(f"/sv/facts/{fact.slug}/{name}") for name in ("handout.pdf", "card.png")]
    assert [(response.status_code, response["Retry-After"]) for response in busy] == [(503, "5"), (503, "5")]
    assert client.get(f"/sv/facts/{fact.slug}/handout.pdf").content.startswith(b"%PDF-1.7")
