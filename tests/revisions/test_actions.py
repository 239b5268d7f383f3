import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction

from portal.audit.models import AuditEvent
from portal.facts.models import Fact
from portal.revisions import actions
from portal.revisions.models import Edition, Provenance, Revision, Significance, State
from portal.search.models import IndexRow
from tests import factories
from tests.overtaken import overtaken

pytestmark = pytest.mark.django_db


def text(**fields):
    return {"title": "Fråga?", "summary": "Svar.", "body": "Text."} | fields


def test_a_draft_leaves_the_live_columns_alone():
    fact = factories.fact()
    actions.draft(fact, language="sv", fields=text(), by=factories.user())
    fact.refresh_from_db()
    assert fact.title_sv == ""
    assert not Fact.objects.published().exists()
    assert not IndexRow.objects.exists()


def test_publishing_writes_the_columns_of_that_language_the_edition_and_the_index_row():
    fact = factories.fact()
    factories.publish(fact, title="Fråga?", summary="Svar.", body="Text.")
    factories.publish(fact, "ar", title="سؤال؟", summary="جواب.", body="نص.")
    fact.refresh_from_db()
    assert (fact.title_sv, fact.title_ar, fact.title_en) == ("Fråga?", "سؤال؟", "")
    assert set(Edition.objects.of(fact).published().values_list("language", flat=True)) == {"sv", "ar"}
    assert set(IndexRow.objects.values_list("language", "title")) == {("sv", "Fråga?"), ("ar", "سؤال؟")}


def test_nobody_approves_their_own_text():
    fact, author = factories.fact(), factories.user()
    revision = actions.submit(actions.draft(fact, language="sv", fields=text(), by=author), by=author)
    with pytest.raises(ValidationError):
        actions.approve(revision, by=author)
    with pytest.raises(IntegrityError), transaction.atomic():
        Revision.objects.filter(pk=revision.pk).update(decided_by=author, decided_at=revision.created_at)


def test_an_unapproved_text_cannot_be_published():
    fact, author = factories.fact(), factories.user()
    revision = actions.draft(fact, language="sv", fields=text(), by=author)
    with pytest.raises(ValidationError):
        actions.publish(revision, by=factories.user())
    fact.refresh_from_db()
    assert fact.title_sv == ""


@pytest.mark.parametrize(
    "change", [{"fields": {"title": "x"}}, {"language": "en"}, {"digest": "0"}, {"method": "machine"}]
)
def test_the_database_refuses_to_rewrite_a_revision(change):
    revision = actions.draft(factories.fact(), language="sv", fields=text(), by=factories.user())
    with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
        Revision.objects.filter(pk=revision.pk).update(**change)


def test_two_steps_at_once_leave_one_decision_standing():
    fact, author = factories.fact(), factories.user()
    revision = actions.submit(actions.draft(fact, language="sv", fields=text(), by=author), by=author)
    actions.approve(revision, by=factories.user())
    with pytest.raises(ValidationError, match="Godkänd"):
        actions.reject(revision, by=factories.user(), reason="för lång")


def test_an_older_version_never_replaces_a_newer_one():
    fact, author, approver = factories.fact(), factories.user(), factories.user()
    old = actions.submit(actions.draft(fact, language="sv", fields=text(), by=author), by=author)
    actions.approve(old, by=approver)
    factories.publish(fact, **text(title="Nyare?"))
    with pytest.raises(ValidationError):
        actions.publish(old, by=approver)
    fact.refresh_from_db()
    assert fact.title_sv == "Nyare?"


def test_a_translation_needs_a_published_swedish_text():
    with pytest.raises(ValidationError):
        actions.draft(factories.fact(), language="ar", fields=text(), by=factories.user())


@pytest.mark.parametrize(
    "changed",
    ["Ring 112 eller 11414.", "Ring 113.", "Se https://example.org/b", "Enligt 3 §."],
)
def test_a_changed_number_link_or_section_is_no_spelling(changed):
    fact = factories.fact()
    factories.publish(fact, **text(body="Ring 112. Se https://example.org/a Enligt 2 §."))
    with pytest.raises(ValidationError):
        actions.draft(
            fact, language="sv", fields=text(body=changed), by=factories.user(), significance=Significance.TYPO
        )


def test_withdrawing_takes_the_text_away_everywhere_and_says_why():
    fact = factories.published_fact("ar")
    manager = factories.user()
    actions.withdraw(fact, language="ar", by=manager, reason="Fel siffra")
    fact.refresh_from_db()
    edition = Edition.objects.of(fact).get(language="ar")
    assert fact.title_ar == ""
    assert (edition.revision, edition.withdrawn_by, edition.withdrawn_reason) == (None, manager, "Fel siffra")
    assert list(IndexRow.objects.values_list("language", flat=True)) == ["sv"]


def test_every_step_leaves_a_line_in_the_log():
    fact = factories.fact()
    factories.publish(fact, **text())
    verbs = list(AuditEvent.objects.about(fact).order_by("id").values_list("verb", flat=True))
    assert verbs == ["create", "draft", State.SUBMITTED, State.APPROVED, State.PUBLISHED]


def test_without_its_swedish_text_nothing_of_a_page_is_found_and_with_it_all_is_back():
    fact = factories.published_fact("ar", "en")
    actions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    assert not IndexRow.objects.exists()
    factories.publish(fact, **text(title="Rätt?"))
    assert set(IndexRow.objects.values_list("language", flat=True)) == {"sv", "ar", "en"}


def test_a_withdrawn_text_does_not_come_back_without_a_new_approval():
    fact = factories.published_fact()
    revision = actions.current(fact)
    actions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    with pytest.raises(ValidationError):
        actions.publish(revision, by=factories.user())


def test_an_older_version_does_not_come_back_when_a_newer_one_is_withdrawn():
    """A translation of the newer one would stand beside it as if it were up to date."""
    fact, author, approver = factories.fact(), factories.user(), factories.user()
    old = actions.submit(actions.draft(fact, language="sv", fields=text(), by=author), by=author)
    actions.approve(old, by=approver)
    factories.publish(fact, **text(title="Nyare och fel?"))
    actions.withdraw(fact, language="sv", by=approver, reason="Fel")
    with pytest.raises(ValidationError):
        actions.publish(old, by=approver)


def test_a_changed_number_is_no_spelling_after_a_withdrawal_either():
    fact = factories.fact()
    factories.publish(fact, **text(body="Inom 3 veckor."))
    actions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    changed = text(body="Inom 4 veckor.")
    with pytest.raises(ValidationError):
        actions.draft(fact, language="sv", fields=changed, by=factories.user(), significance="typo")


def test_a_translation_is_not_published_before_the_swedish_text_that_it_renders():
    """Readers would be told that it is up to date, beside another Swedish text."""
    fact, author, approver = factories.published_fact(), factories.user(), factories.user()
    swedish = actions.draft(fact, language="sv", fields=text(title="Nytt och inte godkänt?"), by=author)
    arabic = actions.draft(fact, language="ar", fields=text(title="س؟"), by=author, based_on=swedish)
    factories.send(arabic)
    actions.approve(arabic, by=approver)
    with pytest.raises(ValidationError):
        actions.publish(arabic, by=approver)
    actions.submit(swedish, by=author)
    actions.approve(swedish, by=approver)
    actions.publish(swedish, by=approver)
    actions.publish(arabic, by=approver)
    assert not Provenance.by_language(fact)["ar"].is_outdated


def test_publishing_twice_is_publishing_once():
    fact = factories.published_fact()
    before = AuditEvent.objects.count()
    actions.publish(actions.current(fact), by=factories.user())
    assert AuditEvent.objects.count() == before


def test_control_characters_and_line_breaks_in_a_title_are_left_out():
    fields = text(title="Rubrik\x0b\r\ntvå", body="a\x00\x07\nb")
    revision = actions.draft(factories.fact(), language="sv", fields=fields, by=factories.user())
    assert revision.fields["title"] == "Rubrik två"
    assert revision.fields["body"] == "a\nb"


@pytest.mark.django_db(transaction=True)
def test_a_translation_cannot_slip_out_while_the_swedish_text_is_taken_away():
    """Without waiting for each other, the one would index a page whose Swedish text the other has just withdrawn."""
    fact = factories.published_fact()
    author, approver = factories.user(), factories.user()
    arabic = actions.draft(
        fact, language="ar", fields={"title": "س", "summary": "ج", "body": "## ع\n\nن 1–4 §§."}, by=author
    )
    actions.submit(arabic, by=author)
    actions.approve(arabic, by=approver)
    overtaken(
        lambda: actions.withdraw(fact, language="sv", by=approver, reason="Fel."),
        lambda: actions.publish(Revision.objects.get(pk=arabic.pk), by=approver),
    )
    assert list(IndexRow.objects.filter(kind="fact", object_id=fact.pk)) == []


def test_every_step_taken_twice_by_the_same_person_is_taken_once():
    fact, author, approver = factories.fact(), factories.user(), factories.user()

    made = [actions.draft(fact, language="sv", fields=text(), by=author) for _ in range(2)]
    assert made[0] == made[1]
    for _ in range(2):
        actions.submit(made[0], by=author)
    # The form comes once more, after all.
    assert actions.draft(fact, language="sv", fields=text(), by=author) == made[0]
    for _ in range(2):
        actions.approve(made[0], by=approver)
    for _ in range(2):
        actions.publish(made[0], by=approver)
    actions.approve(made[0], by=approver)

    revision = Revision.objects.get()
    assert (revision.state, revision.decided_by) == (State.PUBLISHED, approver)
    assert [event.verb for event in AuditEvent.objects.about(fact)] == [
        "published",
        "approved",
        "submitted",
        "draft",
        "create",
    ]
    with pytest.raises(actions.ConflictError):
        actions.approve(made[0], by=factories.user())
