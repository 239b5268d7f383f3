"""The staff pages of the fact library: lists, facts, topics, and the way of a text from the editor to readers."""

import re
from datetime import timedelta
from html import unescape

import html5lib
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal import languages
from portal.accounts.models import Role, User
from portal.audit.models import AuditEvent
from portal.facts.models import Fact, Source, Topic
from portal.revisions import actions
from portal.revisions.models import Edition, Revision
from tests import factories
from tests.accounts.people import browser, person, sign_in

pytestmark = pytest.mark.django_db

LIST, NEW = "/staff/facts/", "/staff/facts/new/"
TEXT = {"title": "Kan barnet flytta hem?", "summary": "Ja, ofta.", "body": "Vården prövas på nytt (13 §)."}
SWEDISH = TEXT | {"significance": "content", "change_note": ""}
TOO_LONG = "x" * 10_000


def values(*sources: dict[str, str], initial: int = 0, **fields: str) -> dict[str, str]:
    """What the form of a fact sends; `sources` are the rows below it."""
    today = timezone.localdate()
    sent = {
        "audience": "parents",
        "topic": str(factories.topic().pk),
        "slug": "flytta-hem",
        "order": "100",
        "reviewed_on": f"{today}",
        "review_due": f"{today + timedelta(days=300)}",
        "owner": str(User.objects.get_or_create(email="agare@example.org", defaults={"name": "Ägare"})[0].pk),
        "source-TOTAL_FORMS": str(len(sources)),
        "source-INITIAL_FORMS": str(initial),
    }
    sent |= {f"source-{n}-{name}": value for n, row in enumerate(sources) for name, value in row.items()}
    return sent | fields


def words(response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def opened(response) -> dict[str, str]:
    """What a browser sends back of the inputs of a page."""
    inputs = html5lib.parse(response.content, namespaceHTMLElements=False).find(".//main").iter("input")
    return {element.get("name"): element.get("value", "") for element in inputs if element.get("name")}


def read(path: str):
    cache.clear()
    return browser().get(path)


def wait_for_approval(fact: Fact, language: str = "sv") -> Revision:
    author = factories.user()
    text = TEXT if language == "sv" else TEXT | {"body": "## Rubrik\n\nVården prövas (1–4 §§)."}
    made = actions.draft(fact, language=language, fields=text, by=author)
    return actions.submit(made, by=author, override_reason="Det är ett prov.")


@pytest.fixture
def editor():
    return person(Role.EDITOR)


@pytest.fixture
def as_editor(editor):
    return sign_in(editor)


@pytest.fixture
def as_approver(db):
    return sign_in(person(Role.APPROVER))


# The list ---------------------------------------------------------------------------------------------------------


def test_the_list_is_narrowed_by_audience_topic_and_missing_language(as_editor):
    parents = factories.published_fact("ar")
    children = factories.published_fact(audience="children", topic=factories.topic("school"))
    for query, found in [
        ("", {parents, children}),
        ("audience=children", {children}),
        (f"topic={parents.topic_id}", {parents}),
        ("missing=ar", {children}),
        ("missing=sv", set()),
        ("audience=children&missing=ar", {children}),
    ]:
        assert set(as_editor.get(f"{LIST}?{query}").context["page"]) == found, query


@pytest.mark.parametrize("query", ["audience=x", "topic=x", f"topic={'9' * 40}", "missing=xx", "page=-1", "page=x"])
def test_a_filter_that_means_nothing_shows_all_facts(as_editor, query):
    fact = factories.published_fact()
    assert list(as_editor.get(f"{LIST}?{query}").context["page"]) == [fact]


def test_the_lists_name_what_waits_and_cost_the_same_with_more_of_it():
    as_editor = sign_in(person(Role.EDITOR, Role.APPROVER))
    counts = []
    for _ in range(2):
        wait_for_approval(factories.fact())
        wait_for_approval(factories.published_fact(), "ar")
        for path in (LIST, "/staff/"):
            as_editor.get(path)
            with CaptureQueriesContext(connection) as queries:
                assert TEXT["title"] in words(as_editor.get(path))
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


# A fact -----------------------------------------------------------------------------------------------------------


def test_an_editor_makes_a_fact_with_its_sources_and_goes_on_to_the_text(as_editor, editor):
    law = {"title": "LVU", "sfs": "1990:52", "sections": "13 §"}
    response = as_editor.post(NEW, values(law, {"title": "En rapport", "url": "https://example.org/r"}, {}))
    fact = Fact.objects.get()
    assert response.headers["Location"] == f"/staff/texts/fact/{fact.pk}/sv/"
    assert (fact.slug, fact.created_by) == ("flytta-hem", editor)
    assert [(s.title, s.sfs, s.sections, s.url) for s in fact.sources.all()] == [
        ("LVU", "1990:52", "13 §", ""),
        ("En rapport", "", "", "https://example.org/r"),
    ]
    assert AuditEvent.objects.about(fact).get().verb == "create"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"slug": ""}, "slug"),
        ({"slug": "Flytta hem!"}, "slug"),
        ({"slug": "x\0y"}, "slug"),
        ({"slug": TOO_LONG}, "slug"),
        ({"slug": "tagen"}, "slug"),
        ({"topic": "999999999999999999999"}, "topic"),
        ({"audience": "alla"}, "audience"),
        ({"order": "-1"}, "order"),
        ({"order": "9" * 30}, "order"),
        ({"reviewed_on": "2026-02-30"}, "reviewed_on"),
        ({"review_due": "2020-01-01"}, "review_due"),
        ({"reviewed_on": TOO_LONG}, "reviewed_on"),
    ],
)
def test_what_cannot_be_held_is_refused_and_nothing_typed_is_lost(as_editor, fields, wrong):
    taken = factories.fact(slug="tagen")
    response = as_editor.post(NEW, values({"title": "En lag med namn"}, is_asked_often="on") | fields)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [wrong]
    page = response.content.decode()
    assert 'value="En lag med namn"' in page
    assert re.search(r'name="is_asked_often"[^>]*checked', page)
    assert 'class="summary"' in page
    assert list(Fact.objects.all()) == [taken]


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({"sections": "13 §"}, "title"),
        ({"title": TOO_LONG}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"title": "LVU", "url": "javascript:alert(1)"}, "url"),
        ({"title": "LVU", "sfs": "1990:52 med ändringar"}, "sfs"),
    ],
)
def test_a_source_that_cannot_be_held_is_named_and_nothing_is_saved(as_editor, row, wrong):
    response = as_editor.post(NEW, values({"title": "Den första"}, row))
    assert response.status_code == 422
    assert list(response.context["sources"][1].errors) == [wrong]
    page = response.content.decode()
    assert 'value="Den första"' in page
    assert 'class="summary"' in page
    assert not Fact.objects.exists()


def test_what_is_edited_is_saved_and_the_log_says_what(as_editor):
    fact = factories.published_fact()
    rows = ({"title": "LVU"}, {"title": "SoL"})
    as_editor.post(
        f"/staff/facts/{fact.pk}/edit/", values(*rows, slug=fact.slug, audience="children", seen=fact.version)
    )
    fact.refresh_from_db()
    assert fact.audience == "children"
    page = as_editor.get(f"/staff/facts/{fact.pk}/edit/").content.decode()
    assert page.index('value="LVU"') < page.index('value="SoL"')
    changes = AuditEvent.objects.about(fact).first().changes
    assert changes["audience"] == ["parents", "children"]
    assert changes["sources"] == ["[]", "['LVU', 'SoL']"]
    kept = ({"title": "LVU", "DELETE": "on"}, {"title": "SoL", "sections": "11 kap."})
    seen = Fact.objects.get().version
    as_editor.post(
        f"/staff/facts/{fact.pk}/edit/", values(*kept, initial=2, slug=fact.slug, audience="children", seen=seen)
    )
    assert [str(source) for source in Source.objects.all()] == ["SoL 11 kap."]


def test_saving_the_form_as_it_was_opened_changes_nothing(as_editor):
    fact = factories.published_fact()
    path = f"/staff/facts/{fact.pk}/edit/"
    as_editor.post(path, values({"title": "LVU", "sfs": "1990:52"}, slug=fact.slug, seen=fact.version))
    shown = as_editor.get(path).context
    before = AuditEvent.objects.count()
    sent = {}
    for form in [shown["form"], *shown["sources"], shown["sources"].management_form]:
        for field in form:
            value = field.value()
            if value not in (None, False, ""):
                sent[field.html_name] = "on" if value is True else str(value)
    assert as_editor.post(path, sent).headers["Location"] == f"/staff/facts/{fact.pk}/"
    assert AuditEvent.objects.count() == before


def test_an_edit_leaves_a_text_published_meanwhile_alone(as_editor):
    fact = factories.published_fact()
    path = f"/staff/facts/{fact.pk}/edit/"
    as_editor.get(path)
    factories.publish(fact, **TEXT)
    factories.publish(fact, "ar", title="سؤال؟", summary="جواب.", body="نص.")
    as_editor.post(path, values(slug="nytt-namn", seen=fact.version))
    fact.refresh_from_db()
    assert (fact.slug, fact.title_sv, fact.title_ar) == ("nytt-namn", TEXT["title"], "سؤال؟")


@pytest.mark.parametrize("is_sister", [False, True])
def test_of_two_who_edit_a_fact_the_second_sees_what_the_first_saved_and_loses_nothing(as_editor, is_sister):
    """Dates, owner and sources belong to its sisters, too."""
    fact = factories.published_fact(topic=factories.topic("school"))
    path = f"/staff/facts/{fact.pk}/edit/"
    seen = opened(as_editor.get(path))["seen"]
    other = factories.fact(matter=fact.matter, audience="children") if is_sister else fact
    other = Fact.objects.get(pk=other.pk)
    theirs = values({"title": "Deras lag"}, slug=other.slug, audience=other.audience, review_due="2099-12-31")
    sign_in(person(Role.EDITOR)).post(f"/staff/facts/{other.pk}/edit/", theirs | {"seen": other.version})

    mine = values({"title": "Min lag"}, slug="mitt-namn", order="7", seen=seen)
    answer = as_editor.post(path, mine)
    assert answer.status_code == 422
    shown = dict(answer.context["other"])
    assert shown["Kontrolleras igen senast"] == "2099-12-31"
    assert "Deras lag" in shown.values()
    typed = opened(answer)
    assert (typed["slug"], typed["order"], typed["source-0-title"]) == ("mitt-namn", "7", "Min lag")
    assert Fact.objects.get(pk=fact.pk).slug == fact.slug
    assert [source.title for source in Source.objects.all()] == ["Deras lag"]

    assert as_editor.post(path, mine | {"seen": opened(answer)["seen"]}).status_code == 302
    assert Fact.objects.get(pk=fact.pk).slug == "mitt-namn"
    assert [source.title for source in Source.objects.all()] == ["Min lag"]


def test_a_form_that_does_not_say_what_it_was_made_from_overwrites_nothing(as_editor):
    fact = factories.published_fact()
    assert as_editor.post(f"/staff/facts/{fact.pk}/edit/", values(slug="nytt")).status_code == 422
    assert Fact.objects.get().slug == fact.slug


def test_nothing_was_checked_on_a_day_that_is_still_to_come(as_editor):
    tomorrow = timezone.localdate() + timedelta(days=1)
    answer = as_editor.post(NEW, values(reviewed_on=f"{tomorrow}"))
    assert list(answer.context["form"].errors) == ["reviewed_on"]


def test_a_fact_without_a_published_text_is_known_by_the_title_of_its_newest_draft(as_editor):
    fact = factories.fact()
    page = f"/staff/facts/{fact.pk}/"
    assert re.search(rf"<h1>\s*{fact.slug}\s*</h1>", as_editor.get(page).content.decode())
    for title in ("Första försöket?", "Andra försöket?"):
        as_editor.post(f"/staff/texts/fact/{fact.pk}/sv/", {"title": title, "significance": "content"})
    for shown in (page, f"{page}edit/"):
        assert re.search(r"<h1>\s*Andra försöket\?\s*</h1>", as_editor.get(shown).content.decode())
    factories.publish(fact, **TEXT)
    for shown in (page, f"{page}edit/"):
        assert re.search(rf"<h1>\s*{re.escape(TEXT['title'])}\s*</h1>", as_editor.get(shown).content.decode())


# The way of a text ------------------------------------------------------------------------------------------------


def test_from_the_draft_to_readers_and_back(as_editor, as_approver):
    fact = factories.fact(slug="flytta-hem")
    editor_page = f"/staff/texts/fact/{fact.pk}/sv/"
    as_editor.post(editor_page, {"title": TEXT["title"], "significance": "content", "keep": "1"})
    assert read("/sv/facts/flytta-hem/").status_code == 404
    sent = as_editor.post(editor_page, SWEDISH | {"submit": "1"})
    page = sent.headers["Location"]

    waiting = words(as_approver.get("/staff/"))
    assert TEXT["title"] in waiting
    assert "Faktatext · Svenska" in waiting
    assert TEXT["title"] in words(as_approver.get(LIST))
    as_approver.post(f"{page}reject/", {"reason": "Säg vem som prövar."})
    assert "Säg vem som prövar." in words(as_editor.get(editor_page))
    assert read("/sv/facts/flytta-hem/").status_code == 404

    better = SWEDISH | {"body": "Socialnämnden prövar vården på nytt (13 §)."}
    page = as_editor.post(editor_page, better | {"submit": "1"}).headers["Location"]
    as_approver.post(f"{page}approve/")
    assert read("/sv/facts/flytta-hem/").status_code == 404
    as_approver.post(f"{page}publish/")
    assert "Socialnämnden prövar vården på nytt" in words(read("/sv/facts/flytta-hem/"))

    away = f"/staff/texts/fact/{fact.pk}/sv/withdraw/"
    assert TEXT["title"] in words(as_approver.get(away))
    as_approver.post(away, {"reason": "Lagen är ny."})
    gone = read("/sv/facts/flytta-hem/")
    assert gone.status_code == 410
    assert "Sidan har tagits bort Sök, eller börja från startsidan." in words(gone)  # and nothing that nobody said
    rows = words(as_editor.get(f"/staff/facts/{fact.pk}/"))
    assert "Lagen är ny." in rows
    assert "Publicerad" not in rows
    assert rows.count("Inget utan den svenska texten") == len(languages.ACTIVE) - 1


def test_a_translation_is_written_beside_the_swedish_text_and_names_what_it_renders():
    fact = factories.published_fact()
    translator = sign_in(person(Role.TRANSLATOR))
    path = f"/staff/texts/fact/{fact.pk}/ar/"
    assert "Svar sv." in words(translator.get(path))
    text = {"title": "سؤال؟", "summary": "جواب.", "body": "## عنوان\n\nنص 1–4 §§.", "method": "human", "pivot": "en"}
    translator.post(path, text | {"submit": "1"})
    revision = Revision.objects.get(language="ar")
    assert (revision.based_on, revision.pivot) == (Edition.objects.of(fact).get(language="sv").revision, "en")
    waiting = words(sign_in(person(Role.APPROVER)).get("/staff/"))
    assert "Fråga sv?" in waiting
    assert "Faktatext · العربية" in waiting


@pytest.mark.parametrize("code", [known.code for known in languages.ACTIVE if known.code != languages.SOURCE][:3])
def test_a_translation_cannot_be_sent_before_there_is_a_swedish_text(as_editor, code):
    fact = factories.fact()
    sent = TEXT | {"method": "human", "submit": "1"}
    response = as_editor.post(f"/staff/texts/fact/{fact.pk}/{code}/", sent)
    assert response.status_code == 422
    assert TEXT["body"] in unescape(response.content.decode())
    assert not Revision.objects.exists()


MAY = {
    "write": ({Role.EDITOR}, "/staff/texts/fact/{pk}/sv/", SWEDISH),
    "translate": ({Role.EDITOR, Role.TRANSLATOR}, "/staff/texts/fact/{pk}/ar/", TEXT | {"method": "human"}),
    "approve": ({Role.APPROVER}, "/staff/revisions/{waiting}/approve/", {"publish": "1"}),
    "send back": ({Role.APPROVER}, "/staff/revisions/{waiting}/reject/", {"reason": "Nej."}),
    "withdraw": ({Role.APPROVER}, "/staff/texts/fact/{pk}/sv/withdraw/", {"reason": "Fel."}),
    "edit": ({Role.EDITOR}, "/staff/facts/{pk}/edit/", {}),
    "make": ({Role.EDITOR}, NEW, {}),
    "name a topic": ({Role.EDITOR}, "/staff/facts/topics/new/", {"key": "ny", "sv": "Nytt"}),
}


@pytest.mark.parametrize("deed", MAY)
@pytest.mark.parametrize("role", [Role.EDITOR, Role.TRANSLATOR, Role.APPROVER, Role.REPORTER], ids=str)
def test_everybody_does_what_their_role_may_and_nothing_else(role, deed):
    fact = factories.published_fact()
    waiting = wait_for_approval(fact)
    who, path, data = MAY[deed]
    client = sign_in(person(role))
    before = AuditEvent.objects.count()
    response = client.post(
        path.format(pk=fact.pk, waiting=waiting.pk), data or values(slug="helt-ny", seen=fact.version)
    )
    happened = (response.status_code, AuditEvent.objects.count() > before)
    assert happened == ((302, True) if role in who else (403, False))


def test_looking_changes_nothing():
    fact = factories.published_fact("ar")
    revision = Revision.objects.of(fact).first()
    client = sign_in(person(*Role))
    before = AuditEvent.objects.count()
    paths = [LIST, NEW, f"/staff/facts/{fact.pk}/", f"/staff/facts/{fact.pk}/edit/", "/staff/facts/topics/"]
    paths += [f"/staff/facts/topics/{fact.topic_id}/", "/staff/facts/topics/new/", f"/staff/revisions/{revision.pk}/"]
    paths += [f"/staff/texts/fact/{fact.pk}/{code}/" for code in ("sv", "ar", "so")]
    paths += [f"/staff/texts/fact/{fact.pk}/{code}/withdraw/" for code in ("sv", "ar")]
    for path in paths:
        assert client.get(path, {"submit": "1", "publish": "1", "reason": "x"}).status_code == 200, path
    for step in ("submit", "approve", "reject", "publish"):
        assert client.get(f"/staff/revisions/{revision.pk}/{step}/").headers["Allow"] == "POST"
    assert AuditEvent.objects.count() == before
    assert Revision.objects.count() == 2


# Topics -----------------------------------------------------------------------------------------------------------


def test_a_topic_is_made_and_named_in_every_language(as_editor):
    as_editor.post("/staff/facts/topics/new/", {"key": "placering", "sv": "Placering", "ar": "الإيداع"})
    topic = Topic.objects.get()
    assert (topic.key, topic.name_sv, topic.name_ar) == ("placering", "Placering", "الإيداع")
    page = f"/staff/facts/topics/{topic.pk}/"
    as_editor.post(page, opened(as_editor.get(page)) | {"key": "annan", "sv": "Placering av barn", "ar": ""})
    topic.refresh_from_db()
    assert (topic.key, topic.name_sv, topic.name_ar) == ("placering", "Placering av barn", "")
    assert "Placering av barn" in words(as_editor.get("/staff/facts/topics/"))
    assert AuditEvent.objects.about(topic).first().changes["name_ar"] == ["الإيداع", ""]


def test_a_name_written_meanwhile_by_another_editor_stays(as_editor):
    topic = factories.topic()
    page = f"/staff/facts/topics/{topic.pk}/"
    mine, other = opened(as_editor.get(page)), sign_in(person(Role.EDITOR))
    other.post(page, opened(other.get(page)) | {"sv": "Vård och stöd", "ar": "الرعاية"})
    as_editor.post(page, mine | {"en": "Care"})
    topic.refresh_from_db()
    assert (topic.name_sv, topic.name_ar, topic.name_en) == ("Vård och stöd", "الرعاية", "Care")


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"key": "care"}, "key"),
        ({"key": "två ord"}, "key"),
        ({"key": "x" * 31}, "key"),
        ({"key": "a\0b"}, "key"),
        ({"sv": ""}, "sv"),
        ({"sv": "x" * 81}, "sv"),
        ({"ar": "a\0b"}, "ar"),
    ],
)
def test_a_topic_that_cannot_be_held_is_refused_and_nothing_typed_is_lost(as_editor, sent, wrong):
    factories.topic("care")
    response = as_editor.post("/staff/facts/topics/new/", {"key": "ny", "sv": "Nytt", "en": "New thing"} | sent)
    assert list(response.context["form"].errors) == [wrong]
    assert 'value="New thing"' in response.content.decode()
    assert Topic.objects.count() == 1
