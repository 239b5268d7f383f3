"""The accessibility statement: its eleven parts, its age, and the way to it from every page."""

from datetime import date, timedelta
from html import unescape

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts.models import Role
from portal.pages import checks, starter
from portal.pages.models import Page
from portal.revisions import actions as revisions
from tests import factories
from tests.accounts.people import browser, person, sign_in

SHIPPED = next(found for found in starter.texts("pages") if found["sv"].key == "accessibility")
SWEDISH = SHIPPED["sv"].body
NAMES = {"actor": "Exempelkommun", "service": "Klarlagt"}
HEADINGS = {part.heading for part in checks.parts(**NAMES)}
ASSESSED = checks.day_in(checks.sections(SWEDISH)["när bedömningen gjordes"])


def without(heading):
    """The shipped text, less one heading and what stands below it."""
    before, _, rest = SWEDISH.partition(f"## {heading}\n")
    assert rest, heading
    _section, _, after = rest.partition("\n## ")
    return f"{before}## {after}" if after else before


def lacking(text):
    return [part.heading for part in checks.lacking(text, **NAMES)]


def test_there_are_eleven_parts_and_the_shipped_statement_has_them_all():
    assert len(checks.parts(**NAMES)) == 11
    assert lacking(SWEDISH) == []


def test_an_empty_statement_lacks_all_of_them():
    assert len(lacking("")) == 11


@pytest.mark.parametrize("heading", sorted(HEADINGS))
def test_a_part_whose_heading_is_gone_is_missed(heading):
    assert set(lacking(without(heading))) == {heading}


@pytest.mark.parametrize("heading", sorted(HEADINGS))
def test_a_heading_with_nothing_below_it_is_no_part(heading):
    assert set(lacking(without(heading) + f"\n\n## {heading}\n")) == {heading}


@pytest.mark.parametrize(
    ("said", "instead", "heading"),
    [
        ("Exempelkommun", "Kommunen", checks.BEHIND),
        ("webbplatsen Klarlagt", "webbplatsen", checks.BEHIND),
        ("**delvis förenlig**", "rätt bra", checks.CONFORMITY),
        ("](/sv/tell-us/)", "]", checks.HELP),
        ("(https://www.digg.se/tdosanmalan)", "(https://example.org)", checks.SUPERVISION),
        ("gjordes 2026-11-21", "gjordes i höstas", checks.ASSESSED),
        ("senast 2026-11-21", "senast 2026-13-41", checks.UPDATED),
    ],
)
def test_a_part_that_does_not_say_what_it_must_is_missed(said, instead, heading):
    assert said in SWEDISH
    assert lacking(SWEDISH.replace(said, instead)) == [heading]


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.replace("## ", "##   ").replace("gjordes\n", "gjordes  ##\n"),
        lambda text: text.replace("Hur tillgänglig är webbplatsen", "hur tillgänglig är  webbplatsen?"),
        lambda text: text.replace("2026-11-21", "den 21 november 2026"),
        lambda text: text.replace("delvis förenlig", "inte förenlig"),
        lambda text: text.replace("\n", "\r\n"),
    ],
)
def test_the_way_it_is_written_does_not_matter(write):
    assert write(SWEDISH) != SWEDISH
    assert lacking(write(SWEDISH)) == []


@given(st.text())
def test_no_text_is_too_strange_to_be_looked_at(text):
    assert len(lacking(text)) == 11 or "##" in text


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)))
def test_a_day_is_read_as_people_write_it(day):
    assert checks.day_in(f"Det var {day}.") == day
    assert checks.day_in(f"Det var den {day.day} {checks.MONTHS[day.month - 1]} {day.year}.") == day


def test_after_twelve_months_the_assessment_is_stale():
    assert not checks.is_stale(SWEDISH, ASSESSED + timedelta(days=365))
    assert checks.is_stale(SWEDISH, ASSESSED + timedelta(days=366))
    # A new update is no new assessment, and without a day it is missing, not stale.
    assert checks.is_stale(SWEDISH.replace(f"senast {ASSESSED}", "senast 2027-11-20"), ASSESSED + timedelta(days=366))
    assert not checks.is_stale(without(checks.ASSESSED), ASSESSED + timedelta(days=999))


def test_translations_have_the_same_headings_in_the_same_places():
    counts = {code: len(checks.sections(file.body)) for code, file in SHIPPED.items()}
    assert set(counts.values()) == {len(checks.sections(SWEDISH))}
    for file in SHIPPED.values():
        said = [bool(checks.day_in(text)) for text in checks.sections(file.body).values()]
        assert said == [bool(checks.day_in(text)) for text in checks.sections(SWEDISH).values()]


# On the site --------------------------------------------------------------------------------------------------------


def words(client, path):
    return unescape(client.get(path).content.decode())


@pytest.fixture
def page(db, settings):
    settings.MUNICIPALITY, settings.SITE_NAME = "Storskogs kommun", "Sant & klart"
    starter.load_pages()
    return Page.objects.get(key="accessibility")


@pytest.fixture
def as_editor(db):
    return sign_in(person(Role.EDITOR))


def test_the_shipped_statement_is_of_the_place_it_is_loaded_in(page, as_editor):
    text = words(browser(), "/sv/accessibility/")
    assert "Storskogs kommun" in text
    assert "Exempelkommun" not in text
    with time_machine.travel(ASSESSED):
        assert as_editor.get(f"/staff/pages/{page.pk}/").context["findings"] == []


def test_editors_are_told_what_is_missing_in_what_readers_get_and_in_what_is_under_way(page, as_editor):
    body = page.body_sv.replace("delvis förenlig", "rätt bra")
    factories.publish(page, title="Tillgänglighet", summary="Kort.", body=body, significance="content")
    draft = {"title": "Tillgänglighet", "summary": "Kort.", "body": ""}
    revisions.draft(page, language="sv", fields=draft, by=factories.user(), significance="content")
    with time_machine.travel(ASSESSED):
        answer = as_editor.get(f"/staff/pages/{page.pk}/")
        assert len(answer.context["findings"]) == 1
        assert len(answer.context["newest_findings"]) == 11
        assert answer.context["findings"][0] in unescape(answer.content.decode())
        assert answer.context["findings"][0] in words(as_editor, "/staff/")


def test_after_a_year_the_work_list_says_that_the_assessment_is_old(page, as_editor):
    before, after = ASSESSED + timedelta(days=300), ASSESSED + timedelta(days=400)
    stale = checks.findings(page.body_sv, actor="Storskogs kommun", service="Sant & klart", on=after)
    assert len(stale) == 1
    for day, is_said in [(before, False), (after, True)]:
        with time_machine.travel(day):
            client = sign_in(person(Role.EDITOR))
            assert (stale[0] in words(client, "/staff/")) == is_said


def test_other_pages_have_no_such_parts(page, as_editor):
    privacy = Page.objects.get(key="privacy")
    assert as_editor.get(f"/staff/pages/{privacy.pk}/").context["findings"] == []


def linked_from(client, path, language="sv"):
    return f'href="/{language}/accessibility/"' in client.get(path).content.decode()


def test_the_statement_is_one_press_away_on_every_page(page):
    fact = factories.published_fact("ar")
    child = factories.published_fact(audience="children")
    anybody = browser()
    pages = (
        "/sv/ /sv/parents/ /sv/children/ /sv/embassies/ /sv/search/ /sv/rumors/ /sv/events/ /sv/tell-us/ /sv/privacy/"
    )
    wrong = ["/sv/nowhere/", "/sv/facts/nowhere/", "/sv/children/nowhere/"]
    own = [f"/sv/facts/{fact.slug}/", f"/sv/facts/{child.slug}/", "/staff/login/"]
    assert [path for path in [*pages.split(), *wrong, *own] if not linked_from(anybody, path)] == []
    assert linked_from(anybody, f"/ar/facts/{fact.slug}/", "ar")
    assert linked_from(anybody, "/ar/nowhere/", "ar")
    staff = sign_in(person(Role.EDITOR, language="sv"))
    assert [path for path in ["/staff/", "/staff/profile/", "/staff/nowhere/"] if not linked_from(staff, path)] == []


def test_a_withdrawn_page_still_leads_to_the_statement(page):
    fact = factories.published_fact()
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    assert linked_from(browser(), f"/sv/facts/{fact.slug}/")
