"""A version for embassies to cite: what is in it, and that it stays so."""

import io
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from pypdf import PdfReader

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.facts import actions as facts
from portal.facts import documents as handouts
from portal.facts.models import Audience
from portal.facts.packs import actions, documents
from portal.facts.packs.models import Pack, PackItem
from portal.revisions import actions as revisions
from tests import factories
from tests.accounts.people import person, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def embassy_facts():
    """One that is there in French, one in English only, one in Swedish only."""
    law = [{"title": "LVU", "sfs": "1990:52", "sections": "1–4 §§"}]
    about = {"audience": Audience.EMBASSIES, "sources": law}
    return [factories.published_fact(*codes, **about) for codes in (("en", "fr"), ("en",), ())]


def made(facts, *codes) -> Pack:
    return actions.make(facts=facts, codes=codes, by=factories.user())


def test_a_pack_holds_the_text_of_each_language_or_the_next_one_that_embassies_read(embassy_facts):
    pack = made(embassy_facts, "fr", "en")

    assert pack.languages == ["en", "fr"]
    assert [(item.language, item.fact_id, item.revision.language) for item in pack.items.all()] == [
        ("en", embassy_facts[0].pk, "en"),
        ("en", embassy_facts[1].pk, "en"),
        ("en", embassy_facts[2].pk, "sv"),
        ("fr", embassy_facts[0].pk, "fr"),
        ("fr", embassy_facts[1].pk, "en"),
        ("fr", embassy_facts[2].pk, "sv"),
    ]
    assert AuditEvent.objects.filter(verb="make", kind="packs.pack").count() == 1


def test_an_outdated_translation_is_not_cited(embassy_facts):
    fact = embassy_facts[0]
    factories.publish(fact, title="Ny?", summary="Nytt svar.", body="Ny text.", significance="content")
    assert {item.revision.language for item in made([fact], "fr").items.all()} == {"sv"}


def test_a_translation_that_is_held_back_is_not_cited_and_one_that_was_cited_is_no_longer_what_readers_get(
    client, embassy_facts
):
    fact = embassy_facts[0]
    cited = made([fact], "fr")
    factories.publish(fact, title="Ny?", summary="Nytt svar.", body="Ny text.", is_dangerous_if_old=True)

    assert {item.revision.language for item in made([fact], "fr", "en").items.all()} == {"sv"}
    assert [item.now_id for item in cited.items.changed()] == [None]
    assert "Taken away since then" in client.get("/en/embassies/packs/1/").content.decode()


def test_a_translation_that_was_cited_has_changed_when_the_swedish_text_has(client, embassy_facts):
    fact = embassy_facts[0]
    cited = made([fact], "fr", "en")
    factories.publish(
        fact, title="Fråga sv?", summary="Svar sv.", body="## Rubriken\n\nText sv 1–4 §§.", significance="typo"
    )
    assert not cited.items.changed()
    factories.publish(fact, title="Ny?", summary="Nytt svar.", body="Ny text.", significance="content")
    assert [item.language for item in cited.items.changed()] == ["en", "fr"]
    cache.clear()
    page = client.get("/en/embassies/packs/1/").content.decode()
    assert (page.count("Changed since then"), page.count("Not changed since then")) == (2, 0)


def test_what_is_not_published_and_what_cannot_be_printed_is_refused(embassy_facts):
    draft = factories.fact(audience=Audience.EMBASSIES)
    with pytest.raises(ValidationError):
        made([draft], "en")
    factories.publish(embassy_facts[0], "en", title="Box ☎", summary="A.", body="T.")
    with pytest.raises(ValidationError, match="☎"):
        made(embassy_facts, "en")
    assert not Pack.objects.exists()


def test_versions_are_numbered_and_the_database_refuses_to_change_one(embassy_facts):
    assert [made(embassy_facts, "en").number for _ in range(2)] == [1, 2]
    for change in (
        lambda: Pack.objects.update(note="x"),
        lambda: Pack.objects.filter(number=1).delete(),
        lambda: PackItem.objects.update(language="sv"),
        lambda: PackItem.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_what_is_published_or_changed_later_never_shows_in_a_pack(embassy_facts):
    pack = made(embassy_facts, "en")
    before = documents.archive(pack)
    fact = embassy_facts[0]
    factories.publish(fact, title="Ny sv?", summary="Ny.", body="Ny text.")
    factories.publish(fact, "en", title="New en?", summary="New.", body="New text.")
    facts.edit(fact, by=factories.user(), reviewed_on=date(2026, 1, 2), sources=[{"title": "Another law"}])
    revisions.withdraw(embassy_facts[1], language="sv", by=factories.user(), reason="Fel")

    cache.clear()
    with time_machine.travel("2031-01-01 12:00", tick=False):
        # To the last byte, also when everything has to be made again.
        assert documents.archive(Pack.objects.get()) == before


def test_the_pdf_has_version_day_address_and_contents_and_every_text_once_a_language(embassy_facts, settings):
    pack = made(embassy_facts, "fr", "en")
    pdf = PdfReader(io.BytesIO(documents.pdf(pack)))
    pages = [re.sub(r"\s+", " ", page.extract_text()) for page in pdf.pages]

    assert f"{settings.PUBLIC_URL}/en/embassies/packs/1/" in pages[0].replace(" ", "")
    assert f"{pack.as_of:%Y}" in pages[0]
    assert len(pages) == 1 + 6
    assert "...2" in pages[0].replace(" ", "")
    assert "...7" in pages[0].replace(" ", "")
    texts = [re.search(r"Text (\w+)", page)[1] for page in pages[1:]]
    assert texts == ["en", "en", "sv", "fr", "en", "sv"]
    assert "LVU (1990:52) 1–4 §§" in pages[1]
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "1" in pdf.metadata.title


def test_the_zip_has_the_pdf_and_a_page_and_a_text_for_each_language(embassy_facts, settings):
    factories.publish(
        embassy_facts[0],
        "en",
        title="Whom to call?",
        summary="{{phone:social}}.",
        body="## Head\n\n**Read** [LVU](https://example.org/lvu).",
    )
    pack = made(embassy_facts, "en", "fr")
    with zipfile.ZipFile(io.BytesIO(documents.archive(pack))) as archive:
        files = {name.removeprefix("pack-1/"): archive.read(name) for name in archive.namelist()}

    assert set(files) == {"pack-1.pdf", "README.txt", "en.html", "en.txt", "fr.html", "fr.txt"}
    address = f"{settings.PUBLIC_URL}/en/embassies/packs/1/"
    assert address in files["README.txt"].decode()
    plain = files["en.txt"].decode()
    assert "Whom to call?\n\n0980-319 200.\n\nHead\n\nRead LVU (https://example.org/lvu)." in plain
    assert "- LVU (1990:52) 1–4 §§" in plain
    assert address in plain
    html = files["fr.html"].decode()
    assert re.search(r'<html lang="fr" dir="ltr">', html)
    assert re.search(r'<article lang="sv"\s+dir="ltr"\s+data-fallback="sv">', html)
    assert "<script" not in html
    assert files["pack-1.pdf"].startswith(b"%PDF")


def test_the_page_of_a_version_says_what_is_no_longer_so_and_that_there_is_a_newer_one(client, embassy_facts):
    made(embassy_facts, "en")
    page = client.get("/en/embassies/packs/1/").content.decode()
    assert page.count("Not changed since then") == 3
    assert "There is a newer version." not in page

    factories.publish(embassy_facts[0], "en", title="New?", summary="New.", body="New.")
    revisions.withdraw(embassy_facts[1], language="en", by=factories.user(), reason="Fel")
    # Without its Swedish text a fact is gone in every language.
    revisions.withdraw(embassy_facts[2], language="sv", by=factories.user(), reason="Fel")
    made(embassy_facts[:2], "en")
    cache.clear()
    page = client.get("/en/embassies/packs/1/").content.decode()
    assert (page.count("Changed since then"), page.count("Taken away since then")) == (1, 2)
    assert "There is a newer version." in page
    # What was cited, not what is there today.
    assert "Fråga en?" in page
    assert ">New?<" not in page
    assert client.get("/en/embassies/packs/3/").status_code == 404


def test_embassies_are_led_to_the_newest_version_when_there_is_one(client, embassy_facts):
    assert "/fr/embassies/packs/" not in client.get("/fr/embassies/").content.decode()
    assert "There is no version yet." in client.get("/en/embassies/packs/").content.decode()
    for _ in range(2):
        made(embassy_facts, "en")
    cache.clear()
    assert 'href="/fr/embassies/packs/"' in client.get("/fr/embassies/").content.decode()
    html = client.get("/fr/embassies/packs/").content.decode()
    assert html.index("/fr/embassies/packs/2/pack.pdf") < html.index('"/fr/embassies/packs/1/"')


def test_files_are_served_under_their_name_and_busy_ones_ask_to_come_back(client, embassy_facts, monkeypatch):
    made(embassy_facts, "en")
    monkeypatch.setattr(handouts, "WAIT_SECONDS", 0.05)
    with handouts._one_at_a_time:
        for suffix in ("pdf", "zip"):
            busy = client.get(f"/en/embassies/packs/1/pack.{suffix}")
            assert (busy.status_code, busy["Retry-After"]) == (503, "5")
    for suffix, content_type in [("pdf", "application/pdf"), ("zip", "application/zip")]:
        response = client.get(f"/sv/embassies/packs/1/pack.{suffix}")
        assert response["Content-Type"] == content_type
        assert response["Content-Disposition"] == f'attachment; filename="pack-1.{suffix}"'
        assert not response.cookies


def test_the_clock_keeps_the_newest_version_at_hand(client, embassy_facts):
    actions.render_newest()
    made(embassy_facts, "en")
    actions.render_newest()
    with handouts._one_at_a_time:
        for suffix in ("pdf", "zip"):
            assert client.get(f"/en/embassies/packs/1/pack.{suffix}").status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_of_a_version_costs_the_same_for_one_text_and_for_many(
    client, embassy_facts, count, django_assert_num_queries
):
    made(embassy_facts[:count], "en")
    with django_assert_num_queries(3):
        client.get("/en/embassies/packs/1/")


def test_staff_make_a_version_with_everything_chosen_and_english(embassy_facts):
    client = sign_in(person(Role.EDITOR, language="en"))
    html = client.get("/staff/packs/new/").content.decode()
    assert html.count(" checked") == 4
    values = {"facts": [fact.pk for fact in embassy_facts], "codes": ["en"], "note": "New: 19121212-1212"}
    refused = client.post("/staff/packs/new/", values)
    assert refused.status_code == 422
    assert "personal identity number" in refused.content.decode()
    client.post("/staff/packs/new/", values | {"note": "New: figures of 2026."})
    pack = Pack.objects.get()
    assert (pack.items.count(), pack.note) == (3, "New: figures of 2026.")
    assert f"/embassies/packs/{pack.number}/" in client.get("/staff/packs/").content.decode()


def test_a_version_that_is_made_by_a_double_click_is_made_once(embassy_facts):
    client = sign_in(person(Role.EDITOR))
    values = {"facts": [fact.pk for fact in embassy_facts], "codes": ["en"], "note": "New figures."}
    for _ in range(2):
        client.post("/staff/packs/new/", values)
    assert Pack.objects.count() == 1
    client.post("/staff/packs/new/", values | {"note": "Newer figures."})
    assert Pack.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_versions_that_are_made_at_once_have_different_numbers(embassy_facts):
    people, together = [factories.user() for _ in range(3)], Barrier(3)

    def make(by):
        try:
            together.wait(10)
            return actions.make(facts=embassy_facts, codes=["en"], by=by).number
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(make, people)) == [1, 2, 3]
