"""What happens to a text between its first draft and its end: comments, versions, schedules, assignments, locks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone, translation

from portal.accounts.models import Role, User
from portal.audit.models import AuditEvent
from portal.facts.models import Fact
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.pages import actions as pages
from portal.revisions import actions, rules, tasks
from portal.revisions.models import Assignment, Edition, EditLock, Provenance, Revision, Schedule, State
from portal.revisions.rules import read
from portal.search.models import IndexRow
from tests import factories
from tests.accounts.people import person
from tests.overtaken import closing, is_waited_for

pytestmark = pytest.mark.django_db

TEXT = {"title": "Får jag en tolk?", "summary": "Ja, det är gratis.", "body": "Du får en tolk.\n\nRing oss."}
ARABIC = {"title": "هل أحصل على مترجم؟", "summary": "نعم، مجانا.", "body": "ستحصل على مترجم.\n\nاتصل بنا."}


@pytest.fixture
def fact():
    made = factories.fact()
    factories.publish(made, **TEXT)
    factories.publish(made, "ar", **ARABIC)
    return made


def change(fact, **about) -> Revision:
    return factories.publish(
        fact, **TEXT | {"summary": f"Ja, det är gratis och hemligt {about.pop('n', '')}."}, **about
    )


def reader_gets(fact, code: str = "ar") -> str:
    fresh = Fact.objects.get(pk=fact.pk)
    return read(fresh, code).language.code


# Dangerous if old -----------------------------------------------------------------------------------------------


def test_a_dangerous_change_gives_readers_of_old_translations_the_swedish_text_until_theirs_is_renewed(fact):
    changed = change(fact, is_dangerous_if_old=True)
    assert reader_gets(fact) == "sv"
    assert not Provenance.objects.of(fact).filter(language="ar").exists()
    assert list(IndexRow.objects.values_list("language", flat=True)) == ["sv"]
    assert Edition.objects.of(fact).get(language="ar").held_by == changed

    factories.publish(fact, "ar", **ARABIC | {"summary": "نعم، مجانا وسري."})
    assert reader_gets(fact) == "ar"
    assert not Provenance.objects.of(fact).get(language="ar").is_outdated
    assert Edition.objects.of(fact).get(language="ar").held_by is None


def test_a_change_that_is_not_dangerous_leaves_the_old_translation_with_a_notice(fact):
    change(fact)
    assert reader_gets(fact) == "ar"
    assert Provenance.objects.of(fact).get(language="ar").is_outdated


def test_when_the_dangerous_change_is_taken_back_the_translation_is_there_again(fact):
    change(fact, is_dangerous_if_old=True)
    factories.publish(fact, **TEXT)
    assert reader_gets(fact) == "ar"
    assert Fact.objects.get(pk=fact.pk).body_ar == ARABIC["body"]
    assert set(IndexRow.objects.values_list("language", flat=True)) == {"ar", "sv"}


def test_a_translation_of_the_text_before_a_dangerous_change_that_is_approved_late_is_held_back_too(fact):
    base = actions.current(fact)
    change(fact, is_dangerous_if_old=True)
    factories.publish(fact, "ar", **ARABIC | {"summary": "نعم."}, based_on=base)
    assert reader_gets(fact) == "sv"


def test_a_harmless_change_after_a_dangerous_one_lets_nothing_out(fact):
    change(fact, is_dangerous_if_old=True)
    change(fact, n="nu")
    assert reader_gets(fact) == "sv"


def test_spelling_is_never_dangerous():
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.draft(
            factories.fact(),
            language="sv",
            fields=TEXT,
            by=factories.user(),
            significance="typo",
            is_dangerous_if_old=True,
        )


def test_a_dari_reader_gets_persian_while_dari_is_held_back(fact):
    factories.publish(fact, "fa", **ARABIC)
    factories.publish(fact, "prs", **ARABIC)
    changed = change(fact, is_dangerous_if_old=True)
    assert reader_gets(fact, "prs") == "sv"
    factories.publish(fact, "fa", **ARABIC | {"summary": "بله."}, based_on=changed)
    assert reader_gets(fact, "prs") == "fa"


# Still the same ---------------------------------------------------------------------------------------------------


def test_a_translation_that_still_says_the_same_is_approved_as_it_stands(fact):
    change(fact)
    translator = factories.user()
    seen = actions.beside(actions.current(fact, "ar"), actions.current(fact))
    made = actions.renew(fact, language="ar", seen=seen, by=translator)
    assert (made.state, made.fields, made.based_on) == (State.SUBMITTED, ARABIC, actions.current(fact))
    approver = factories.user()
    actions.publish(actions.approve(made, by=approver), by=approver)
    assert not Provenance.objects.of(fact).get(language="ar").is_outdated


# Versions -------------------------------------------------------------------------------------------------------


def test_an_earlier_version_is_taken_up_as_a_draft_that_says_truly_what_it_renders(fact):
    old = actions.current(fact, "ar")
    change(fact)
    factories.publish(fact, "ar", **ARABIC | {"summary": "نعم."})
    made = actions.restore(old, by=factories.user())
    assert (made.state, made.fields, made.based_on) == (State.DRAFT, ARABIC, old.based_on)
    assert Fact.objects.get(pk=fact.pk).summary_ar == "نعم."


def test_comments_stand_on_the_version_and_go_to_its_author_by_mail(fact):
    author, approver = person(Role.EDITOR, language="en"), person(Role.APPROVER)
    draft = actions.draft(fact, language="sv", fields=TEXT | {"summary": "Ja."}, by=author)
    actions.comment(draft, text="Säg att det är gratis.", by=approver)
    actions.comment(draft, text="Det gör jag.", by=author)
    assert [comment.text for comment in draft.comments.all()] == ["Säg att det är gratis.", "Det gör jag."]
    assert [delivery.recipient for delivery in Delivery.objects.filter(kind=actions.COMMENTED)] == [author.email]


@pytest.mark.django_db(transaction=True)
def test_who_wrote_a_text_is_told_by_mail_why_it_came_back(fact, inbox):
    author = person(Role.EDITOR, language="en")
    draft = actions.draft(fact, language="sv", fields=TEXT | {"summary": "Ja."}, by=author)
    actions.reject(actions.submit(draft, by=author), by=factories.user(), reason="Säg att det är gratis.")
    mail.deliver()
    letter = inbox[0].get_body(("plain",)).get_content()
    assert "Säg att det är gratis." in letter
    assert f"/staff/revisions/{draft.pk}/" in letter
    assert inbox[0]["Subject"] == "Sent back in Svenska: Får jag en tolk?"


def test_what_the_checks_found_stands_still_once_it_was_sent(fact):
    draft = actions.draft(fact, language="sv", fields=TEXT | {"summary": "Ja."}, by=factories.user())
    Revision.objects.filter(pk=draft.pk).update(findings=["lists"], override_reason="Så ska det vara.")
    actions._move(draft, State.SUBMITTED, allowed={State.DRAFT}, by=draft.author)
    with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
        Revision.objects.filter(pk=draft.pk).update(findings=[], override_reason="")


# Schedules ------------------------------------------------------------------------------------------------------


def approved(fact, **fields) -> Revision:
    draft = actions.draft(fact, language="sv", fields=TEXT | fields, by=factories.user())
    return actions.approve(actions.submit(draft, by=draft.author), by=factories.user())


def test_the_clock_publishes_what_was_approved_for_a_time_and_not_before(fact):
    revision, at = approved(fact, summary="Från och med nu."), timezone.now() + timedelta(hours=2)
    actions.schedule(fact, language="sv", at=at, by=person(Role.APPROVER), revision=revision)
    tasks.keep_schedules()
    assert Fact.objects.get(pk=fact.pk).summary_sv == TEXT["summary"]
    with time_machine.travel(at + timedelta(minutes=1), tick=False):
        tasks.keep_schedules()
        tasks.keep_schedules()
    assert Fact.objects.get(pk=fact.pk).summary_sv == "Från och med nu."
    promise = Schedule.objects.get()
    assert (promise.done_at is None, promise.outcome) == (False, "")
    assert AuditEvent.objects.about(fact).filter(verb="published").count() == 3


def test_the_clock_withdraws_at_a_time_with_the_reason_and_the_successor(fact):
    other, at = factories.published_fact(), timezone.now() + timedelta(days=1)
    actions.schedule(
        fact, language="sv", at=at, by=person(Role.APPROVER), because="law", reason="Ny lag", successor=other
    )
    with time_machine.travel(at, tick=False):
        assert actions.keep_schedules(now=at) == 1
    edition = Edition.objects.of(fact).get(language="sv")
    assert (edition.withdrawn_because, edition.successor_id, edition.revision) == ("law", other.pk, None)


def test_a_promise_that_cannot_be_kept_says_why_and_changes_nothing(fact):
    revision, at = approved(fact, summary="Äldre."), timezone.now() + timedelta(hours=1)
    actions.schedule(fact, language="sv", at=at, by=person(Role.APPROVER), revision=revision)
    change(fact)
    actions.keep_schedules(now=at)
    assert Schedule.objects.get().outcome
    assert Fact.objects.get(pk=fact.pk).summary_sv.startswith("Ja, det är gratis och hemligt")


def test_one_promise_at_a_time_and_it_can_be_taken_back(fact):
    revision, by = approved(fact, summary="Ny."), person(Role.APPROVER)
    for hours in (1, 2):
        at = timezone.now() + timedelta(hours=hours)
        actions.schedule(fact, language="sv", at=at, by=by, revision=revision)
    assert Schedule.objects.get().at == at
    actions.unschedule(Schedule.objects.get(), by=by)
    assert actions.keep_schedules(now=at) == 0
    with pytest.raises(ValidationError):
        actions.schedule(fact, language="sv", at=timezone.now(), by=by, revision=revision)


@pytest.mark.parametrize("lost", ["role", "account"])
@pytest.mark.parametrize("deed", ["publish", "withdraw"])
def test_the_clock_does_nothing_in_the_name_of_who_may_not_decide_any_more_and_tells_who_may(fact, deed, lost):
    planner, approver = person(Role.APPROVER), person(Role.APPROVER, language="en")
    person(Role.EDITOR)
    revision = approved(fact, summary="Ny.") if deed == "publish" else None
    at = timezone.now() + timedelta(hours=1)
    actions.schedule(fact, language="sv", at=at, by=planner, revision=revision, reason="" if revision else "Ny lag")
    if lost == "role":
        planner.groups.clear()
    else:
        User.objects.filter(pk=planner.pk).update(is_active=False)
    actions.keep_schedules(now=at)
    assert Schedule.objects.get().outcome
    assert Fact.objects.get(pk=fact.pk).summary_sv == TEXT["summary"]
    told = Delivery.objects.get(kind=actions.NOT_KEPT)
    assert told.recipient == approver.email
    with translation.override("en"):
        letter = rules.not_kept(told)
    assert TEXT["title"] in letter.subject
    assert f"/staff/revisions/{Revision.objects.of(fact).filter(language='sv').first().pk}/" in letter.text


@pytest.mark.parametrize("language", ["sv", "ar"])
def test_the_clock_does_not_bring_back_what_was_withdrawn_after_the_plan_was_made(fact, language):
    draft = actions.draft(fact, language=language, fields=TEXT | {"summary": "Senare."}, by=factories.user())
    revision = actions.approve(factories.send(draft), by=factories.user())
    at = timezone.now() + timedelta(hours=1)
    actions.schedule(fact, language=language, at=at, by=person(Role.APPROVER), revision=revision)
    actions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    actions.keep_schedules(now=at)
    assert Schedule.objects.get().outcome
    assert Edition.objects.of(fact).get(language=language).revision_id != revision.pk


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_keep_a_promise_once():
    fact = factories.published_fact()
    draft = actions.draft(fact, language="sv", fields=TEXT, by=factories.user())
    revision = actions.approve(actions.submit(draft, by=draft.author), by=factories.user())
    at, together = timezone.now() + timedelta(hours=1), Barrier(3)
    actions.schedule(fact, language="sv", at=at, by=person(Role.APPROVER), revision=revision)

    def tick(_number):
        try:
            together.wait(10)
            return actions.keep_schedules(now=at)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(tick, range(3))) == 1
    assert AuditEvent.objects.about(fact).filter(verb="published").count() == 2


@pytest.mark.django_db(transaction=True)
def test_who_plans_anew_while_the_clock_is_about_to_act_wins_and_nobody_waits_for_ever():
    fact, approver = factories.published_fact(), person(Role.APPROVER)
    at = timezone.now() + timedelta(hours=1)
    actions.schedule(fact, language="sv", at=at, by=approver, reason="Ny lag")

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Fact.objects.select_for_update().get(pk=fact.pk)
            ticking = pool.submit(closing, lambda: actions.keep_schedules(now=at))
            while not is_waited_for():
                assert not ticking.done()
            actions.schedule(fact, language="sv", at=at + timedelta(days=1), by=approver, reason="Ny lag")
        assert ticking.result(20) == 0
    assert actions.current(fact) is not None
    assert Schedule.objects.get().done_at is None


# Assignments ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_who_is_asked_to_translate_gets_a_mail_and_reminders_when_it_is_late_until_it_is_done(fact, inbox):
    translator = person(Role.TRANSLATOR, language="en")
    change(fact)
    with time_machine.travel(datetime(2027, 3, 24, 9, 0, tzinfo=UTC), tick=False):
        asked = actions.assign(
            fact, language="ar", translator=translator, due_on=date(2027, 3, 27), by=factories.user(), note="Bråttom."
        )
        mail.deliver()
    assert [str(letter["Subject"]) for letter in inbox] == ["To translate into العربية: Får jag en tolk?"]
    assert "Bråttom." in inbox[0].get_body(("plain",)).get_content()
    # The day after at eight on the clock, though the clocks changed that very night.
    reminder = Delivery.objects.filter(kind=actions.OVERDUE).order_by("due_at").first()
    assert reminder.due_at.isoformat() == "2027-03-28T06:00:00+00:00"
    with time_machine.travel(datetime(2027, 3, 28, 9, 0, tzinfo=UTC), tick=False):
        mail.deliver()
        assert str(inbox[-1]["Subject"]) == "Overdue in العربية: Får jag en tolk?"
        made = actions.draft(fact, language="ar", fields=ARABIC | {"summary": "نعم."}, by=translator)
        actions.submit(made, by=translator)
        asked.refresh_from_db()
        assert asked.done_at is not None
    with time_machine.travel(datetime(2027, 4, 30, tzinfo=UTC), tick=False):
        mail.deliver()
    assert len(inbox) == 2


def test_who_was_asked_before_is_asked_no_more(fact):
    by, day = factories.user(), timezone.localdate() + timedelta(days=3)
    for translator in (factories.user(), factories.user()):
        actions.assign(fact, language="ar", translator=translator, due_on=day, by=by)
    assert Assignment.objects.get().translator == translator
    with pytest.raises(ValidationError):
        actions.assign(fact, language="ar", translator=translator, due_on=day - timedelta(days=9), by=by)


def test_who_has_left_is_written_to_no_more(fact):
    translator = person(Role.TRANSLATOR)
    day = timezone.localdate() + timedelta(days=1)
    actions.assign(fact, language="ar", translator=translator, due_on=day, by=factories.user())
    draft = factories.send(actions.draft(fact, language="ar", fields=ARABIC | {"body": "ب"}, by=translator))
    actions.comment(draft, text="Se över det här.", by=factories.user())
    actions.reject(draft, by=factories.user(), reason="För kort.")
    Assignment.objects.update(done_at=None)
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        letters = {each.kind: each for each in Delivery.objects.filter(recipient=translator.email)}
        written = {actions.ASSIGNED: rules.assigned, actions.OVERDUE: rules.overdue}
        written |= {actions.COMMENTED: rules.commented, actions.SENT_BACK: rules.sent_back}
        assert all(written[kind](letters[kind]) for kind in written)
        User.objects.filter(pk=translator.pk).update(is_active=False)
        assert [kind for kind in written if written[kind](letters[kind])] == []


# Who is writing -------------------------------------------------------------------------------------------------


def test_a_text_is_its_writers_until_they_are_silent_for_a_while_and_somebody_takes_over(fact):
    first, second = factories.user(), factories.user()
    assert actions.write_on(fact, language="ar", by=first, typed={"title": ["نعم"]}).holder == first
    assert actions.write_on(fact, language="ar", by=second, take_over=True).holder == first
    with time_machine.travel(timezone.now() + EditLock.STALE + timedelta(seconds=1)):
        assert actions.write_on(fact, language="ar", by=second).holder == first
        held = actions.write_on(fact, language="ar", by=second, take_over=True)
    assert (held.holder, held.typed) == (second, {})
    assert actions.write_on(fact, language="ar", by=first).holder == second
    assert actions.write_on(fact, language="so", by=first).holder == first


@pytest.mark.parametrize("language", ["sv", "ar", "so"])
def test_what_somebody_had_typed_is_a_draft_of_theirs_when_the_text_is_taken_over(fact, language):
    """They were told that it is kept."""
    first, second = factories.user(), factories.user()
    actions.write_on(fact, language=language, by=first, typed={"title": ["نعم"], "body": ["أ", "", "ب"]})
    base = actions.current(fact)
    change(fact)
    before = Revision.objects.of(fact).filter(language=language).first()
    with time_machine.travel(timezone.now() + EditLock.STALE + timedelta(seconds=1)):
        actions.write_on(fact, language=language, by=second, take_over=True)
        made = Revision.objects.of(fact).filter(language=language).first()
        assert (made.author, made.state, made.fields["title"]) == (first, State.DRAFT, "نعم")
        assert made.fields["body"] == "أ\n\nب"
        if language == "ar":
            assert (made.based_on, made.fields["summary"]) == (base, before.fields["summary"])
    with time_machine.travel(timezone.now() + 3 * EditLock.STALE):
        # Nothing was typed, or nothing new.
        actions.write_on(fact, language=language, by=first, take_over=True)
        actions.write_on(fact, language=language, by=first, typed={k: [v] for k, v in made.fields.items()})
    with time_machine.travel(timezone.now() + 5 * EditLock.STALE):
        actions.write_on(fact, language=language, by=second, take_over=True)
    assert Revision.objects.of(fact).filter(language=language).first() == made


def test_a_sign_of_life_without_words_keeps_what_was_typed(fact):
    by = factories.user()
    actions.write_on(fact, language="ar", by=by, typed={"title": ["نعم"]})
    assert actions.write_on(fact, language="ar", by=by).typed == {"title": ["نعم"]}
    actions.stop_writing(fact, language="ar", by=factories.user())
    assert EditLock.objects.exists()
    actions.stop_writing(fact, language="ar", by=by)
    assert not EditLock.objects.exists()


# All at once ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_translators_publishing_at_once_do_not_lose_each_others_language():
    fact = factories.published_fact()
    waiting = []
    for code in ("ar", "so", "fa", "ti"):
        fields = {"title": f"{code}?", "summary": f"{code}.", "body": f"{code} 1–4 §§."}
        made = actions.draft(fact, language=code, fields=fields, by=factories.user())
        made = actions.submit(made, by=made.author, override_reason="Prov")
        waiting.append(actions.approve(made, by=factories.user()))
    together, approver = Barrier(4), factories.user()

    def publish(revision):
        try:
            together.wait(10)
            actions.publish(revision, by=approver)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish, waiting))
    fresh = Fact.objects.get(pk=fact.pk)
    assert [fresh.title_ar, fresh.title_so, fresh.title_fa, fresh.title_ti] == ["ar?", "so?", "fa?", "ti?"]
    assert IndexRow.objects.filter(kind="fact", object_id=fact.pk).count() == 5


def test_what_was_typed_and_never_saved_is_forgotten_by_the_clock(fact):
    actions.write_on(fact, language="ar", by=factories.user(), typed={"title": ["نعم"]})
    pages.purge(now=timezone.now() + EditLock.KEEP - timedelta(minutes=1))
    assert EditLock.objects.exists()
    pages.purge(now=timezone.now() + EditLock.KEEP + timedelta(minutes=1))
    assert not EditLock.objects.exists()
