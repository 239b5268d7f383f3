"""Documents of an event: who may put them there, who may open them, and how they leave."""

import socket
from datetime import timedelta
from email.message import Message
from urllib.parse import unquote

import html5lib
import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from events import actions as events
from events.attachments import actions
from events.attachments.models import Attachment
from events.models import Event
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.revisions import actions as revisions
from tests import factories
from tests.attachments import pdfs
from tests.attachments.conftest import attach, pdf
from tests.attachments.test_encoding import read
from tests.pictures.test_transport import Scanner


def page_of(client, event, code="sv"):
    cache.clear()
    html = client.get(f"/{code}/events/{event.slug}/").content.decode()
    return html5lib.parse(html, namespaceHTMLElements=False)


def listed(page) -> list:
    return [li for ul in page.iter("ul") if ul.get("aria-labelledby") == "documents" for li in ul]


def words(thing) -> str:
    return " ".join("".join(thing.itertext()).split())


def address(attachment, code="sv") -> str:
    return f"/{code}/events/{attachment.event.slug}/attachments/{attachment.pk}/"


def office_address(event, rest="") -> str:
    return f"/staff/events/{event.pk}/attachments/{rest}"


def sent(**more) -> dict:
    return {"title": "Program att skriva ut", "language": "sv", "file": pdf()} | more


# What is kept -------------------------------------------------------------------------------------------------------


def test_a_document_is_kept_made_anew_with_what_is_known_of_it(event):
    content = pdfs.hostile(pdfs.HOSTILE["script when it is opened"], pdfs.tagged())
    author = factories.user()
    added = attach(event, "Programmet", file=pdf(content=content), by=author)
    kept = Attachment.objects.get(pk=added.pk)
    assert pdfs.is_bare(bytes(kept.content))
    assert (kept.pages, kept.is_for_screen_readers, kept.bytes) == (1, True, len(kept.content))
    assert (kept.title, kept.language, kept.added_by, kept.number) == ("Programmet", "sv", author, 1)
    (row,) = AuditEvent.objects.about(kept)
    assert (row.verb, row.by, row.language, row.changes) == ("add_attachment", author, "sv", {})


def test_ten_are_the_most_and_one_that_goes_makes_room(event):
    added = [attach(event, f"Del {number}") for number in range(10)]
    with pytest.raises(ValidationError) as found:
        attach(event, "En till")
    assert found.value.code == "too_many"
    actions.remove(added[3], by=factories.user())
    attach(event, "En till")
    assert sorted(event.attachments.values_list("number", flat=True)) == list(range(1, 11))


def test_the_same_document_is_put_to_an_event_once(event, make_event):
    content = pdfs.plain("Samma")
    attach(event, file=pdf(content=content))
    with pytest.raises(ValidationError) as found:
        attach(event, "Annan titel", file=pdf(content=content))
    assert found.value.code == "known"
    attach(make_event("sv"), file=pdf(content=content))
    assert Attachment.objects.count() == 2


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("event_has_ten_attachments_at_most", {"number": 11}),
        ("event_has_ten_attachments_at_most", {"number": 0}),
        ("attachments_of_an_event_are_numbered", {"number": 1}),
        ("attachment_is_put_to_an_event_once", {"sha256": "0" * 64}),
        ("attachment_is_five_megabytes_at_most", {"content": b"x" * (5 * 1024 * 1024 + 1)}),
        ("attachment_is_five_megabytes_at_most", {"content": b""}),
    ],
)
def test_the_database_keeps_the_rules(event, rule, values):
    first = attach(event)
    Attachment.objects.update(sha256="0" * 64)
    usual = {"event": event, "number": 2, "title": "Två", "language": "sv", "content": b"x", "sha256": "1" * 64}
    usual |= {"pages": 1, "is_for_screen_readers": False, "added_by": first.added_by}
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Attachment.objects.create(**usual | values)
    Attachment.objects.create(**usual)


def test_lists_do_not_fetch_the_files(event, staff):
    attach(event)
    office = staff(Role.EVENTS)
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        office.get(office_address(event))
        page_of(office, event)
    assert any("attachments_attachment" in query["sql"] for query in queries)
    assert not any('"attachments_attachment"."content"' in query["sql"] for query in queries)


def test_a_copy_of_an_event_has_no_documents(event):
    attach(event)
    copy = events.copy(event, slug="kopia", starts_at=event.starts_at + timedelta(days=7), by=factories.user())
    assert copy.attachments.count() == 0


def test_a_document_goes_with_its_event_and_nothing_of_it_is_left(make_event):
    event = make_event()
    attach(event)
    Event.objects.filter(pk=event.pk).delete()
    assert not Attachment.objects.exists()


# Virus scanner ------------------------------------------------------------------------------------------------------


@pytest.fixture
def scanner(settings):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = Scanner(listener)
    settings.CLAMAV_URL = server.url
    yield server
    server.close()


def test_the_scanner_sees_what_was_sent_before_it_is_opened(scanner, event):
    content = pdfs.plain("Rent")
    attach(event, file=pdf(content=content))
    assert scanner.seen == [content]
    scanner.answer = b"stream: Pdf.Test.EICAR FOUND\0"
    with pytest.raises(ValidationError) as found:
        attach(event, file=pdf(content=b"this would not even be a PDF"))
    assert found.value.code == "virus"
    assert event.attachments.count() == 1


def test_when_the_scanner_does_not_answer_nothing_is_kept_and_staff_read_why(scanner, event, staff):
    scanner.answer = b"INSTREAM size limit exceeded. ERROR\0"
    response = staff(Role.EVENTS).post(office_address(event, "add/"), sent())
    assert response.status_code == 422
    assert "virus scanner cannot check files" in response.content.decode()
    assert "picture" not in str(response.context["form"].errors)
    assert not Attachment.objects.exists()


# Staff --------------------------------------------------------------------------------------------------------------


def test_somebody_adds_a_document_and_readers_can_open_it(event, staff, public):
    office = staff(Role.EVENTS)
    response = office.post(office_address(event, "add/"), sent(), follow=True)
    assert "People who use a screen reader cannot read" in response.content.decode()
    (row,) = listed(page_of(public, event))
    link = next(row.iter("a"))
    assert words(link) == "Program att skriva ut"
    answer = public.get(link.get("href"))
    assert read(answer.content).pages[0].extract_text() == "Hello"


def test_staff_are_told_which_ones_a_screen_reader_cannot_read(event, staff):
    attach(event, "Med taggar", file=pdf(content=pdfs.tagged()))
    office = staff(Role.EVENTS)
    page = office.get(office_address(event)).content.decode()
    assert "People who use a screen reader" not in page
    attach(event, "Utan taggar")
    tree = html5lib.parse(office.get(office_address(event)).content.decode(), namespaceHTMLElements=False)
    assert any("People who use a screen reader cannot read" in words(p) for p in tree.iter("p"))
    said = {
        words(row.find("th")): words(next(td for td in row.iter("td") if td.get("data-label") == "For screen readers"))
        for row in tree.find(".//tbody")
    }
    assert said == {"Med taggar": "Yes", "Utan taggar": "No"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"file": pdf(content=b"<html>Program")}, "This is no PDF."),
        ({"file": pdf(content=b"%PDF-1.7 cut off")}, "The PDF is damaged or not whole."),
        ({"file": pdf(content=b"%PDF-" + b" " * 5 * 1024 * 1024)}, "The PDF is larger than 5 MB."),
        ({"file": ""}, "Choose the PDF."),
        ({"title": ""}, "Choose the PDF again"),
        ({"language": "xx"}, "Choose the PDF again"),
        ({"title": "Frågor till 19811228-9874"}, "Choose the PDF again"),
    ],
)
def test_what_cannot_be_kept_is_said_in_words_and_nothing_typed_is_lost(event, staff, change, sentence):
    values = sent(title="Programmet på svenska", language="ar") | change
    response = staff(Role.EVENTS).post(office_address(event, "add/"), values)
    assert response.status_code == 422
    assert sentence in " ".join(response.context["form"].errors["file"])
    page = html5lib.parse(response.content.decode(), namespaceHTMLElements=False)
    fields = {field.get("name"): field for field in page.iter("input")}
    assert (fields["title"].get("value") or "") == values["title"]
    chosen = [option.get("value") for option in page.iter("option") if option.get("selected") is not None]
    assert values["language"] not in {"sv", "ar"} or values["language"] in chosen
    assert not Attachment.objects.exists()


def test_somebody_takes_a_document_away_and_it_is_gone_at_once(event, staff, public):
    kept, added = attach(event, "Stannar"), attach(event, "Går")
    assert public.get(address(added)).status_code == 200
    office = staff(Role.EVENTS)
    assert office.get(office_address(event, f"{added.pk}/remove/")).status_code == 405
    assert public.get(address(added)).content == bytes(added.content)
    page = office.post(office_address(event, f"{added.pk}/remove/"), follow=True)
    assert "Readers cannot open it any more." in page.content.decode()
    answer = public.get(address(added))
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")
    assert [words(next(li.iter("a"))) for li in listed(page_of(public, event))] == ["Stannar"]
    assert AuditEvent.objects.get(verb="remove_attachment").object_id == str(added.pk)
    actions.remove(added, by=kept.added_by)  # another one was here first
    assert AuditEvent.objects.filter(verb="remove_attachment").count() == 1


def test_a_document_of_another_event_is_not_taken_away_here(event, make_event, staff):
    added, other = attach(event), make_event()
    office = staff(Role.EVENTS)
    assert office.post(office_address(other, f"{added.pk}/remove/")).status_code == 404
    assert office.get(office_address(other, f"{added.pk}/")).status_code == 404
    assert event.attachments.get() == added


def test_who_may_only_look_can_open_a_document_of_a_draft_and_has_no_buttons(make_event, staff):
    added = attach(make_event())
    reporter = staff(Role.REPORTER)
    page = html5lib.parse(reporter.get(office_address(added.event)).content.decode(), namespaceHTMLElements=False)
    main = next(page.iter("main"))
    assert not list(main.iter("form"))
    assert not [a for a in main.iter("a") if a.get("href", "").endswith("/add/")]
    assert reporter.get(office_address(added.event, f"{added.pk}/")).content == bytes(added.content)
    assert reporter.post(office_address(added.event, f"{added.pk}/remove/")).status_code == 403
    assert reporter.post(office_address(added.event, "add/"), sent()).status_code == 403
    assert added.event.attachments.get() == added


def test_ten_documents_leave_no_button_for_another(event, staff):
    for number in range(10):
        attach(event, f"Del {number}")
    office = staff(Role.EVENTS)
    page = office.get(office_address(event)).content.decode()
    assert office_address(event, "add/") not in page
    refused = office.post(office_address(event, "add/"), sent())
    assert "The event has 10 documents" in refused.content.decode()


# Readers ------------------------------------------------------------------------------------------------------------


def test_the_page_in_arabic_lists_each_document_in_its_own_language_and_direction(event, public):
    attach(event, "Program 2026", "sv", file=pdf(*["Sida"] * 12))
    attach(event, "برنامج الندوة 2026", "ar")
    arabic, swedish = listed(page_of(public, event, "ar"))
    assert [next(row.iter("a")).get("hreflang") for row in (arabic, swedish)] == ["ar", "sv"]
    for row, tag, direction, title in (
        (arabic, "ar", "rtl", "برنامج الندوة 2026"),
        (swedish, "sv", "ltr", "Program 2026"),
    ):
        name = row.find("a/bdi")
        assert (name.get("lang"), name.get("dir"), words(name)) == (tag, direction, title)
        assert [(number.get("dir"), number.text) for number in name.iter("bdi")][1:] == [("ltr", "2026")]
    about = swedish.find("p")
    assert "PDF" in words(about)
    assert [(each.get("lang"), words(each)) for each in about.iter("bdi") if each.get("lang")] == [("sv", "Svenska")]
    numbers = [each.text for each in about.iter("bdi") if each.get("dir") == "ltr"]
    assert (len(numbers), numbers[0]) == (2, "12")


def test_documents_stand_by_language_and_title_and_cost_no_query(event, public, django_assert_num_queries):
    for title, language in [("Ö", "sv"), ("B", "en"), ("A", "sv"), ("A", "en")]:
        attach(event, title, language)
    cache.clear()
    with django_assert_num_queries(3):
        public.get(f"/sv/events/{event.slug}/")
    found = [next(li.iter("a")) for li in listed(page_of(public, event))]
    assert [(a.get("hreflang"), words(a)) for a in found] == [("en", "A"), ("en", "B"), ("sv", "A"), ("sv", "Ö")]


def test_an_event_without_documents_has_no_heading_for_them(event, public):
    assert not [h2 for h2 in page_of(public, event).iter("h2") if h2.get("id") == "documents"]


def test_a_document_is_handed_out_to_be_kept_and_never_to_be_run(event, public):
    added = attach(event, "برنامج الندوة", "ar")
    response = public.get(address(added))
    assert response.content == bytes(added.content)
    headers = {
        "Content-Type": "application/pdf",
        "Content-Language": "ar",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
        "ETag": f'"{added.sha256}"',
    }
    assert {name: response[name] for name in headers} == headers
    assert "Set-Cookie" not in response
    assert name_of(response) == "برنامج الندوة.pdf"
    again = public.get(address(added), headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = public.head(address(added))
    assert (head.content, head["Content-Length"]) == (b"", str(added.bytes))


def name_of(response) -> str:
    """What a browser calls the file."""
    header = response["Content-Disposition"]
    assert header.startswith("attachment; filename")
    assert header.isascii()
    assert header.isprintable()
    message = Message()
    message["Content-Disposition"] = header
    if (name := message.get_param("filename*", header="Content-Disposition")) and isinstance(name, str):
        return unquote(name.removeprefix("utf-8''"))
    return message.get_filename()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Program 24 november", "Program 24 november.pdf"),
        ("Frågor & svar: vad gäller?", "Frågor & svar vad gäller.pdf"),
        ('"; filename="a.exe', "; filename= a.exe.pdf"),
        ("../../etc/passwd", "etc passwd.pdf"),
        ("a\r\nSet-Cookie: x=y", "a Set-Cookie x=y.pdf"),
        ("rapport\u202efdp.exe", "rapport fdp.exe.pdf"),
        ("می\u200cخواهم", "می\u200cخواهم.pdf"),
        ("መደብ ሰሚናር", "መደብ ሰሚናር.pdf"),
        ("...", "dokument.pdf"),
        ("x" * 120, "x" * 80 + ".pdf"),
    ],
)
def test_the_name_of_the_file_is_safe_in_every_script(event, public, title, name):
    assert name_of(public.get(address(attach(event, title)))) == name


def test_canceled_and_passed_events_keep_theirs(make_event, public):
    passed, canceled = make_event("sv", starts_in=-timedelta(days=9)), make_event("sv")
    documents = [attach(passed), attach(canceled)]
    events.cancel(canceled, by=factories.user(), reason="Sjukdom")
    for document in documents:
        assert public.get(address(document)).content == bytes(document.content)
        assert len(listed(page_of(public, document.event))) == 1


def test_nobody_opens_a_document_whose_page_cannot_be_read(make_event, event, public):
    draft, other, withdrawn = attach(make_event()), attach(make_event("sv")), attach(make_event("sv"))
    revisions.withdraw(withdrawn.event, language="sv", by=factories.user(), reason="Fel")
    assert public.get(address(other)).status_code == 200
    for wrong in (
        address(draft),
        address(withdrawn),
        f"/sv/events/{event.slug}/attachments/{other.pk}/",
        f"/sv/events/{event.slug}/attachments/999999/",
    ):
        answer = public.get(wrong)
        assert answer.status_code == 404, wrong
        assert b"%PDF" not in answer.content


def test_readers_can_only_read(event, client):
    added = attach(event)
    assert client.post(address(added)).status_code == 405
    assert client.get(address(added)).content == bytes(added.content)


def test_the_example_has_a_program_to_print_that_everybody_can_read(example_content, public):
    added = Attachment.objects.get()
    assert added.is_for_screen_readers
    text = read(public.get(address(added)).content).pages[0].extract_text()
    assert "08:40–09:20" in text
    assert "Från anmälan till beslut" in text
