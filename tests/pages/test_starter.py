"""The texts that come with the portal are loaded at every start of the demo: what somebody did here stays."""

from shutil import copytree

import pytest

from events.agreements.models import Agreement
from events.invitations.models import Invitation
from events.models import Event
from events.outreach.models import Session
from portal.facts import actions as facts
from portal.facts.models import Fact
from portal.pages import starter
from portal.pages.models import Page
from portal.questions.models import Door, Question
from portal.revisions import actions as revisions
from portal.revisions.models import Provenance, Revision
from tests import factories

pytestmark = pytest.mark.django_db

FEW = ("domstolen", "tolk", "maste-jag-flytta", "ta-mitt-barn")
EXAMPLE = "Nytt exempel?"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A few of the texts, loaded once, as files that the next release may change."""
    for name in ("topics.toml", "words.toml", "actors.toml", "meetings.toml"):
        (tmp_path / name).write_bytes((starter.FOLDER / name).read_bytes())
    for name in ("rumors", "events"):
        (tmp_path / name).mkdir()
    for place in ("pages", *(f"facts/{slug}" for slug in FEW)):
        copytree(starter.FOLDER / place, tmp_path / place)
    monkeypatch.setattr(starter, "FOLDER", tmp_path)
    start()
    return tmp_path


def start() -> dict[str, int]:
    return {"page texts": starter.load_pages(), **starter.load()}


def release(folder, *places: str) -> None:
    """Another title in these files."""
    for place in places:
        path = folder / place
        text = path.read_text("utf-8")
        assert text.count("\ntitle = ") == 1
        path.write_text(text.replace("\ntitle = ", f'\ntitle = "{EXAMPLE}" # '), "utf-8")


def fact(slug: str) -> Fact:
    return Fact.objects.get(slug=slug)


def test_nothing_is_made_when_nothing_has_changed(example_content):
    before = Revision.objects.count()
    assert set(start().values()) == {0}
    assert Revision.objects.count() == before > 100


def test_the_demo_has_a_round_table_with_answers_and_a_visit_with_questions(example_content):
    answers = Invitation.objects.values_list("answer", flat=True)
    assert set(answers) == {"yes", "no", "substitute", ""}
    event = Event.objects.get(slug="rundabord-trygghet")
    brought = Agreement.objects.brought_to(event)
    assert [each.is_overdue for each in brought] == [True, False]
    asked = Question.objects.filter(door=Door.OUTREACH).values_list("outcome", flat=True)
    assert sorted(asked) == ["answered", "open", "open"]
    assert Session.objects.get().actor is not None


def test_the_same_question_for_parents_and_children_is_one_matter(folder):
    assert fact("maste-jag-flytta").matter == fact("ta-mitt-barn").matter
    assert fact("domstolen").matter != fact("ta-mitt-barn").matter
    assert fact("maste-jag-flytta").sources.count() == 2


def test_a_text_that_somebody_wrote_stands_and_an_example_follows_its_file(folder):
    factories.publish(fact("tolk"), title="Får jag en tolk?", summary="Ja.", body="Vår egen text.")
    release(folder, "facts/tolk/sv.md", "facts/domstolen/sv.md")
    assert start()["fact texts"] == 1
    mine = fact("tolk")
    assert (mine.title_sv, mine.summary_sv, mine.body_sv) == ("Får jag en tolk?", "Ja.", "Vår egen text.")
    assert fact("domstolen").title_sv == EXAMPLE


def test_an_example_does_not_pass_for_a_translation_of_what_somebody_wrote(folder):
    factories.publish(fact("tolk"), title="Får jag en tolk?", summary="Ja.", body="Vår egen text.")
    release(folder, "facts/tolk/en.md")
    start()
    assert fact("tolk").title_en != EXAMPLE
    assert Provenance.by_language(fact("tolk"))["en"].is_outdated


def test_a_translation_that_somebody_wrote_stands_beside_the_examples(folder):
    factories.publish(fact("domstolen"), "ar", title="سؤال؟", summary="نعم.", body="نص.")
    release(folder, "facts/domstolen/ar.md", "facts/domstolen/so.md")
    assert start()["fact texts"] == 1
    assert (fact("domstolen").title_ar, fact("domstolen").title_so) == ("سؤال؟", EXAMPLE)


def test_what_somebody_is_writing_can_still_be_published_after_a_start(folder):
    mine = revisions.draft(
        fact("tolk"), language="sv", fields={"title": "Min?", "summary": "Ja.", "body": "Min."}, by=factories.user()
    )
    release(folder, "facts/tolk/sv.md")
    start()
    factories.send(mine)
    approver = factories.user()
    revisions.approve(mine, by=approver)
    revisions.publish(mine, by=approver)
    assert fact("tolk").title_sv == "Min?"


def test_what_somebody_took_away_does_not_come_back(folder):
    revisions.withdraw(fact("tolk"), language="sv", by=factories.user(), reason="Fel")
    revisions.withdraw(fact("domstolen"), language="ar", by=factories.user(), reason="Fel")
    release(folder, "facts/tolk/en.md")
    assert start()["fact texts"] == 0
    assert (fact("tolk").title_sv, fact("domstolen").title_ar) == ("", "")


def test_an_address_that_somebody_changed_is_still_that_fact(folder):
    facts.edit(fact("ta-mitt-barn"), by=factories.user(), slug="ta-barn")
    start()
    assert Fact.objects.count() == len(FEW)
    assert not Fact.objects.filter(slug="ta-mitt-barn").exists()


def test_pages_that_have_a_text_are_not_touched(folder):
    page = Page.objects.get(key="privacy")
    factories.publish(page, title="Vår integritet", summary="Kort.", body="Vår egen text.")
    before = Page.objects.get(key="accessibility").title_sv
    release(folder, "pages/privacy/sv.md", "pages/accessibility/sv.md")
    assert start()["page texts"] == 0
    page.refresh_from_db()
    assert (page.title_sv, page.body_sv) == ("Vår integritet", "Vår egen text.")
    assert Page.objects.get(key="accessibility").title_sv == before != EXAMPLE
