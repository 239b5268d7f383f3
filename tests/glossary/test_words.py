"""The glossary: what is approved is shown, nobody approves their own words, and nothing typed is lost."""

import re

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from portal import languages
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.pages import starter
from portal.revisions.glossary import actions
from portal.revisions.glossary.models import Term, Wording
from tests import factories
from tests.accounts.people import person, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def term():
    return factories.term("orosanmälan", "orosanmälning*")


def page(path: str) -> str:
    cache.clear()
    return Client().get(path).content.decode()


def shown(html: str) -> list[str]:
    return re.findall(r'<th scope="row"><bdi lang="sv" dir="ltr">([^<]*)', html)


def put(client, term, language, **fields):
    values = {"use": "", "also": "", "avoid": "", "why": "", "meaning": "", "seen": ""} | fields
    return client.post(f"/staff/words/{term.pk}/{language}/", values)


# The database keeps the rules ----------------------------------------------------------------------------------


def test_a_word_stands_once_whatever_its_case(term):
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.term("OROSANMÄLAN")


def test_approval_needs_two_people_and_a_time(term):
    wording = factories.wording(term, is_approved=False)
    for wrong in (
        {"approved_by": wording.written_by, "approved_at": timezone.now()},
        {"approved_by": factories.user()},
        {"approved_at": timezone.now()},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Wording.objects.filter(pk=wording.pk).update(**wrong)
    with pytest.raises(ValidationError):
        actions.approve(wording, seen=wording.version, by=wording.written_by)
    actions.approve(wording, seen=wording.version, by=factories.user())


def test_only_other_languages_have_a_word_of_their_own(term):
    swedish, english = factories.wording(term), factories.wording(term, "en", use="report")
    assert (swedish.use, swedish.word) == ("", "orosanmälan")
    for wording, use in ((swedish, "anmälan"), (english, "")):
        with pytest.raises(IntegrityError), transaction.atomic():
            Wording.objects.filter(pk=wording.pk).update(use=use)


# Approval ------------------------------------------------------------------------------------------------------


def test_changing_a_wording_takes_the_approval_away_and_saving_it_again_does_not(term):
    wording = factories.wording(term, "en", use="report", meaning="A message.")
    again = actions.write(
        term,
        language="en",
        fields={"use": "report", "meaning": "A message."},
        seen=wording.version,
        by=factories.user(),
    )
    assert again.approved_by
    changed = actions.write(
        term, language="en", fields={"use": "report", "meaning": "A note."}, seen=wording.version, by=factories.user()
    )
    assert (changed.approved_at, changed.approved_by) == (None, None)
    assert shown(page("/en/words/")) == []


def test_another_word_takes_every_approval_away_and_other_forms_take_none(term):
    factories.wording(term, "en")
    actions.edit(term, word="orosanmälan", forms=["anmälan om oro"], by=factories.user())
    assert shown(page("/en/words/")) == ["orosanmälan"]
    actions.edit(term, word="anmälan", forms=["anmälan om oro"], by=factories.user())
    assert shown(page("/en/words/")) == []


def test_who_changes_the_word_does_not_approve_what_it_means(term):
    both, read_before = factories.user(), factories.wording(term, "en").version
    actions.edit(term, word="anmälan", forms=[], by=both)
    wording = Wording.objects.get()
    for seen, by in ((wording.version, both), (read_before, factories.user())):
        with pytest.raises(ValidationError):
            actions.approve(wording, seen=seen, by=by)
    actions.approve(wording, seen=wording.version, by=factories.user())


def test_what_was_changed_while_it_was_read_is_not_approved(term):
    wording = factories.wording(term, "en", is_approved=False)
    seen = wording.version
    actions.write(term, language="en", fields={"use": "x", "meaning": "y"}, seen=seen, by=factories.user())
    client = sign_in(person(Role.APPROVER))
    html = client.post(f"/staff/words/{term.pk}/en/approve/", {"seen": seen}, follow=True).content.decode()
    assert "notice bad" in html
    wording.refresh_from_db()
    assert wording.approved_at is None


def test_an_approver_approves_and_readers_see_it(term):
    factories.wording(term, "en", is_approved=False, use="report of concern")
    client = sign_in(person(Role.APPROVER))
    html = client.get(f"/staff/words/{term.pk}/en/").content.decode()
    assert 'name="meaning"' not in html
    seen = re.search(r'name="seen" value="([^"]+)"', html)[1]
    client.post(f"/staff/words/{term.pk}/en/approve/", {"seen": seen})
    assert "report of concern" in page("/en/words/")


# Two people at once --------------------------------------------------------------------------------------------


def test_the_second_sees_what_the_first_wrote_and_loses_nothing(term):
    first, second = sign_in(person(Role.TRANSLATOR)), sign_in(person(Role.EDITOR))
    put(first, term, "ar", use="بلاغ", meaning="رسالة.")
    answer = put(second, term, "ar", use="إخطار", meaning="خبر.", avoid="شكوى\nتهمة")
    html = answer.content.decode()
    assert answer.status_code == 422
    for kept in ("بلاغ", "رسالة.", "إخطار", "خبر.", "شكوى\nتهمة"):
        assert kept in html
    assert [answer.context["form"][name].value() for name in ("use", "avoid")] == ["إخطار", "شكوى\nتهمة"]
    assert Wording.objects.get(term=term).use == "بلاغ"
    seen = re.search(r'name="seen" value="([^"]+)"', html)[1]
    put(second, term, "ar", use="إخطار", meaning="خبر.", avoid="شكوى\nتهمة", seen=seen)
    wording = Wording.objects.get(term=term)
    assert (wording.use, wording.avoid) == ("إخطار", ["شكوى", "تهمة"])
    # The log keeps both.
    assert AuditEvent.objects.filter(kind="glossary.wording", changes__use=["بلاغ", "إخطار"]).exists()


def test_of_two_who_change_a_word_the_second_is_told_what_the_first_made_of_it(term):
    client, path = sign_in(person(Role.EDITOR)), f"/staff/words/{term.pk}/edit/"
    mine = {"word": "mitt ord", "forms": "mina ord", "seen": client.get(path).context["form"]["seen"].value()}
    actions.edit(term, word="deras ord", forms=["orden"], by=factories.user())
    answer = client.post(path, mine)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "deras ord, orden" in html
    assert "mitt ord" in html
    assert Term.objects.get().word == "deras ord"
    client.post(path, mine | {"seen": answer.context["form"]["seen"].value()})
    assert Term.objects.get().word == "mitt ord"


def test_a_first_wording_is_not_overwritten_by_one_begun_before_it(term):
    wording = factories.wording(term, "en")
    with pytest.raises(actions.ChangedMeanwhileError):
        actions.write(term, language="en", fields={"use": "x", "meaning": "y"}, seen="", by=factories.user())
    wording.refresh_from_db()
    assert wording.approved_at


# Who may what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "language", "may"),
    [
        (Role.EDITOR, "sv", True),
        (Role.EDITOR, "ar", True),
        (Role.TRANSLATOR, "ar", True),
        (Role.TRANSLATOR, "sv", False),
        (Role.APPROVER, "ar", False),
        (Role.REPORTER, "ar", False),
    ],
)
def test_who_may_write_which_language(term, role, language, may):
    answer = put(sign_in(person(role)), term, language, use="x", meaning="y")
    assert Wording.objects.filter(term=term, language=language).exists() == may
    assert answer.status_code == (302 if may else 403)


def test_a_personal_number_is_refused(term):
    html = put(sign_in(person(Role.EDITOR)), term, "sv", meaning="Så sa 19850101-1236.").content.decode()
    assert "19850101-1236" in html
    assert not Wording.objects.exists()


def test_an_editor_makes_a_word_and_its_forms_are_read_as_people_type_them():
    client = sign_in(person(Role.EDITOR))
    client.post(
        "/staff/words/new/", {"word": " familje  hem ", "forms": "familjehemmet, familjehemmen\r\n\r\nfamiljehemmet"}
    )
    made = Term.objects.get()
    assert (made.word, made.forms) == ("familje hem", ["familjehemmet", "familjehemmen"])
    again = client.post("/staff/words/new/", {"word": "Familje hem", "forms": "x" * 81})
    assert len(re.findall(r'<p class="error">', again.content.decode())) == 2
    assert Term.objects.count() == 1


def test_deleting_says_what_is_lost_and_the_log_keeps_it(term):
    factories.wording(term, "ar", use="بلاغ القلق", meaning="رسالة.")
    client = sign_in(person(Role.EDITOR))
    html = client.get(f"/staff/words/{term.pk}/delete/").content.decode()
    assert "العربية" in html
    assert Term.objects.exists()
    client.post(f"/staff/words/{term.pk}/delete/")
    assert not Wording.objects.exists()
    told = AuditEvent.objects.get(verb="delete", kind="glossary.term")
    assert told.changes["word"] == ["orosanmälan", ""]
    assert "رسالة." in told.changes["ar"][0]


# The list ------------------------------------------------------------------------------------------------------


def listed(client, **query) -> list[str]:
    html = client.get("/staff/words/", query).content.decode()
    return re.findall(r'<a href="/staff/words/\d+/"[^>]*lang="sv"[^>]*>([^<]*)</a>', html)


def test_the_list_is_in_swedish_order_and_can_be_filtered(term):
    client = sign_in(person(Role.TRANSLATOR))
    for word in ("ö", "ä", "å", "LVU", "tolk"):
        factories.term(word)
    factories.wording(term, "ar", use="بلاغ القلق")
    factories.wording(Term.objects.get(word="tolk"), "ar", is_approved=False)
    assert listed(client) == ["LVU", "orosanmälan", "tolk", "å", "ä", "ö"]
    assert listed(client, q="LV") == ["LVU"]
    assert listed(client, q="oROSANMÄLNING") == ["orosanmälan"]
    assert listed(client, q="بلاغ") == ["orosanmälan"]
    assert listed(client, language="ar", state="approved") == ["orosanmälan"]
    assert listed(client, language="ar", state="waiting") == ["tolk"]
    assert listed(client, language="ar", state="missing") == ["LVU", "å", "ä", "ö"]
    assert listed(client, language="ar") == ["orosanmälan", "tolk"]
    assert listed(client, state="approved") == ["orosanmälan"]
    assert len(listed(client, state="missing")) == 6


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_costs_the_same_for_one_and_for_three(number, django_assert_num_queries):
    client = sign_in(person(Role.TRANSLATOR))
    for _ in range(number):
        factories.wording(factories.term(), "ar")
    with django_assert_num_queries(6):
        client.get("/staff/words/")


# Readers -------------------------------------------------------------------------------------------------------


def test_readers_are_shown_approved_words_in_swedish_order(term):
    factories.wording(term, "en", use="report of concern", meaning="A message.")
    factories.wording(factories.term("ärende"), "en", use="case")
    factories.wording(factories.term("LVU"), "en", use="LVU")
    factories.wording(factories.term("tolk"), "en", is_approved=False)
    html = page("/en/words/")
    assert shown(html) == ["LVU", "orosanmälan", "ärende"]
    assert "A message." in html
    assert "data-fallback" not in html


def test_a_language_without_words_gets_those_of_the_next_and_is_told(term):
    factories.wording(term, meaning="Ett meddelande.")
    html = page("/ar/words/")
    assert 'data-fallback="sv"' in html
    assert "Ett meddelande." in html
    factories.wording(term, "fa", use="گزارش نگرانی")
    assert 'data-fallback="fa"' in page("/prs/words/")


def test_only_languages_with_words_are_alternates(term):
    factories.wording(term)
    factories.wording(term, "ar")
    factories.wording(term, "ti", is_approved=False)
    found = re.findall(r'rel="alternate"\s+hreflang="([\w-]+)"', page("/ar/words/"))
    assert found == ["sv", "ar", "x-default"]


def test_the_glossary_costs_two_queries(term, django_assert_num_queries):
    for code in ("sv", "ar"):
        factories.wording(term, code)
    cache.clear()
    with django_assert_num_queries(2):
        Client().get("/ar/words/")


def test_an_empty_glossary_says_so():
    assert shown(page("/sv/words/")) == []
    assert "data-fallback" not in page("/ar/words/")


def test_staff_print_what_to_say_and_what_not_and_why(term):
    factories.wording(term, "ar", use="بلاغ القلق", avoid=["شكوى"], why="Det betyder klagomål.")
    html = sign_in(person(Role.REPORTER)).get("/staff/words/print/ar/").content.decode()
    for part in ("orosanmälan", "بلاغ القلق", "شكوى", "Det betyder klagomål."):
        assert part in html
    assert sign_in(person(Role.REPORTER)).get("/staff/words/print/xx/").status_code == 404


# The demo ------------------------------------------------------------------------------------------------------


@pytest.fixture
def example_words():
    starter._load_words(starter.author())


def test_example_words_are_shown_and_say_that_they_are_examples(example_words):
    assert len(shown(page("/sv/words/"))) >= 25
    assert "Exempeltext" in page("/sv/words/")
    for code in ("en", "ar", "so", "fa", "ti"):
        assert len(shown(page(f"/{code}/words/"))) >= 25, code
    for known in languages.ACTIVE:
        assert len(shown(page(f"/{known.code}/words/"))) >= 8, known.code
        assert "data-fallback" not in page(f"/{known.code}/words/"), known.code


def test_loading_again_leaves_alone_what_people_have_written(example_words):
    assert starter._load_words(starter.author()) == 0
    wording = Wording.objects.get(term__word="LVU", language="en")
    actions.write(
        wording.term,
        language="en",
        fields={"use": "LVU", "meaning": "Ours."},
        seen=wording.version,
        by=factories.user(),
    )
    assert starter._load_words(starter.author()) == 0
    wording.refresh_from_db()
    assert (wording.meaning, wording.is_example) == ("Ours.", False)


def test_an_example_that_is_approved_is_none_any_more(example_words):
    wording = Wording.objects.get(term__word="LVU", language="en")
    actions.approve(wording, seen=wording.version, by=factories.user())
    wording.refresh_from_db()
    assert (wording.is_example, bool(wording.approved_at)) == (False, True)


def test_no_example_word_is_one_to_avoid_and_numbers_are_the_same(example_words):
    swedish = {row.term_id: row for row in Wording.objects.filter(language="sv")}
    for row in Wording.objects.select_related("term"):
        assert not {row.word, *row.also} & set(row.avoid), row
        numbers = sorted(re.findall(r"\d+", row.meaning))
        assert numbers == sorted(re.findall(r"\d+", swedish[row.term_id].meaning)), (row.term.word, row.language)
