"""The register: statuses, verdicts, who may see what, the list, what is kept."""

from datetime import timedelta
from itertools import product
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors import actions, rules
from rumors.models import ENDED, Narrative, Rumor, Sighting
from rumors.pairs import actions as pairs
from rumors.responses import actions as responses
from rumors.vocabulary import Sensitivity, Status
from tests import factories
from tests.accounts.people import browser, person, sign_in
from tests.rumors.conftest import log, published
from tests.shown import as_shown

pytestmark = pytest.mark.django_db

PATHS = ["", "logged/", "sight/", "edit/", "rate/", "link/"]


def at(status: str) -> Rumor:
    """A rumor that has this status, with a verdict, and with somebody's approval of what was decided."""
    rumor = log()
    values = {"status": status, "verdict": "false", "verdict_basis": "LVU"}
    if status in ENDED:
        values["ended_at"] = timezone.now()
    if status == Status.DUPLICATE:
        values["same_as"] = log()
    else:
        responses.plan(rumor, action="reply_public", by=person(Role.EDITOR))
    if status == Status.DECIDED:
        now = timezone.now()
        values |= {"decided_by": person(Role.EDITOR), "decided_at": now}
        values |= {"approved_by": person(Role.APPROVER), "approved_at": now}
    Rumor.objects.filter(pk=rumor.pk).update(**values)
    rumor.refresh_from_db()
    return rumor


# Status -----------------------------------------------------------------------------------------------------------

ALLOWED = {
    "new screened",
    "new out_of_scope",
    "screened assessed",
    "screened out_of_scope",
    "assessed decided",
    "assessed out_of_scope",
    "decided responding",
    "decided monitoring",
    "decided closed",
    "decided assessed",
    "monitoring responding",
    "monitoring assessed",
    "monitoring closed",
    "responding monitoring",
    "responding closed",
    "closed assessed",
    "out_of_scope screened",
}


@pytest.mark.parametrize(("before", "after"), list(product(Status.values, Status.values)))
def test_a_status_moves_along_the_allowed_steps_only(before, after):
    rumor, editor = at(before), person(Role.EDITOR)
    if f"{before} {after}" in ALLOWED:
        actions.move(rumor, status=after, reason="Därför.", by=editor)
        rumor.refresh_from_db()
        assert (rumor.status, rumor.status_reason) == (after, "Därför.")
        assert (rumor.ended_at is not None) == (after in ENDED)
        assert AuditEvent.objects.about(rumor).first().changes["status"] == [before, after]
    else:
        with pytest.raises(ValidationError):
            actions.move(rumor, status=after, reason="Därför.", by=editor)
        rumor.refresh_from_db()
        assert rumor.status == before


def test_every_step_out_of_the_table_leads_somewhere_known():
    assert {f"{before} {after}" for before, steps in rules.STEPS.items() for after in steps} == ALLOWED
    assert rules.STEPS.keys() == set(Status)


def test_closing_asks_for_a_verdict_with_a_sentence_and_the_database_insists(as_editor, editor):
    rumor = at(Status.DECIDED)
    Rumor.objects.filter(pk=rumor.pk).update(verdict="", verdict_basis="")
    response = as_editor.post(f"/staff/rumors/{rumor.pk}/move/", {"status": "closed", "reason": "Klart"})
    assert response.status_code == 422
    assert len(response.context["form"].non_field_errors()) == 1
    assert "Klart" in response.content.decode()
    rumor.refresh_from_db()
    assert rumor.status == Status.DECIDED
    with pytest.raises(IntegrityError, match="closed_rumor_has_a_verdict_and_its_basis"), transaction.atomic():
        Rumor.objects.filter(pk=rumor.pk).update(status=Status.CLOSED, ended_at=timezone.now())
    actions.rate(rumor, verdict="false", basis="LVU 4 §", by=editor)
    as_editor.post(f"/staff/rumors/{rumor.pk}/move/", {"status": "closed", "reason": "Klart"})
    rumor.refresh_from_db()
    assert rumor.status == Status.CLOSED


@pytest.mark.parametrize("after", ["monitoring", "closed"])
def test_not_to_answer_needs_a_reason(as_editor, after):
    rumor = at(Status.DECIDED)
    response = as_editor.post(f"/staff/rumors/{rumor.pk}/move/", {"status": after, "reason": " "})
    assert response.context["form"].errors.keys() == {"reason"}
    rumor.refresh_from_db()
    assert rumor.status == Status.DECIDED


def test_what_is_answered_closes_without_a_reason(as_editor):
    rumor = at(Status.RESPONDING)
    published(rumor=rumor)
    as_editor.post(f"/staff/rumors/{rumor.pk}/move/", {"status": "closed", "reason": ""})
    rumor.refresh_from_db()
    assert rumor.status == Status.CLOSED


def test_a_verdict_needs_its_basis(as_editor, editor):
    rumor = log()
    response = as_editor.post(f"/staff/rumors/{rumor.pk}/rate/", {"verdict": "false", "basis": "  "})
    assert response.context["form"].errors.keys() == {"basis"}
    with pytest.raises(ValidationError):
        actions.rate(rumor, verdict="false", basis="", by=editor)
    rumor.refresh_from_db()
    assert rumor.verdict == ""


def test_an_unknown_status_is_refused(as_editor):
    rumor = log()
    assert as_editor.post(f"/staff/rumors/{rumor.pk}/move/", {"status": "gone"}).status_code == 422
    assert as_editor.get(f"/staff/rumors/{rumor.pk}/move/").status_code == 405


# Secrecy ----------------------------------------------------------------------------------------------------------


def test_secret_rumors_exist_only_for_those_who_may_read_them(reporter, security):
    secret, internal = log(sensitivity=Sensitivity.SECRET), log()
    assert set(Rumor.objects.visible_to(reporter)) == {internal}
    assert set(Rumor.objects.visible_to(security)) == {secret, internal}
    assert set(Rumor.objects.countable()) == {internal}


@pytest.mark.parametrize("path", PATHS)
def test_a_secret_rumor_is_not_there_for_an_editor_and_reading_it_is_logged(as_editor, path):
    secret = log(sensitivity=Sensitivity.SECRET, claim="HEMLIGT sägs")
    url = f"/staff/rumors/{secret.pk}/{path}"
    assert as_editor.get(url).status_code == 404
    assert not AuditEvent.objects.about(secret).filter(verb="read").exists()
    reader = person(Role.SECURITY, Role.EDITOR)
    assert "HEMLIGT sägs" in sign_in(reader).get(url).content.decode()
    assert [event.by for event in AuditEvent.objects.about(secret).filter(verb="read")] == [reader]


@pytest.mark.parametrize("path", ["merge/", "move/"])
def test_a_secret_rumor_cannot_be_changed_by_an_editor(as_editor, path):
    secret = log(sensitivity=Sensitivity.SECRET)
    sent = {"into": log().pk, "status": "screened"}
    assert as_editor.post(f"/staff/rumors/{secret.pk}/{path}", sent).status_code == 404
    secret.refresh_from_db()
    assert secret.status == Status.NEW


def test_the_words_of_a_secret_rumor_are_in_no_list(as_reporter, security):
    """Those who may read it see that it is there; the reading happens, and is logged, on its own page."""
    secret = log(sensitivity=Sensitivity.SECRET, claim="HEMLIGT sägs", area="HEMLIGT")
    assert secret.public_id not in as_reporter.get("/staff/rumors/").content.decode()
    page = sign_in(security).get("/staff/rumors/").content.decode()
    assert secret.public_id in page
    assert "HEMLIGT sägs" not in page


def test_who_logs_a_secret_one_is_told_and_led_away(as_reporter, reporter):
    values = {
        "claim": "Det sägs",
        "channel": "phone",
        "heard_how": "told",
        "seen_on": "2026-01-02",
        "original_language": "sv",
        "claim_type": "law_says",
        "priority": "low",
        "sensitivity": "secret",
    }
    response = as_reporter.post("/staff/rumors/log/", values, follow=True)
    secret = Rumor.objects.get(sensitivity=Sensitivity.SECRET)
    assert response.redirect_chain == [("/staff/rumors/", 302)]
    assert secret.public_id in response.content.decode()
    assert as_reporter.get(f"/staff/rumors/{secret.pk}/").status_code == 404


def test_a_secret_rumor_gets_no_public_answer_and_an_answered_one_is_no_secret(editor):
    fact = factories.published_fact()
    with pytest.raises(ValidationError):
        actions.link(log(sensitivity=Sensitivity.SECRET), fact=fact, slug="hemligt", by=editor)
    answered = published(fact=fact).rumor
    with pytest.raises(ValidationError):
        actions.edit(answered, by=editor, sensitivity=Sensitivity.SECRET)
    answered.refresh_from_db()
    assert answered.sensitivity == Sensitivity.INTERNAL


READ, LOG, HANDLE, ANSWER = "read", "log", "handle", "answer"
MAY = {
    Role.REPORTER: {READ, LOG},
    Role.EDITOR: {READ, LOG, HANDLE, ANSWER},
    Role.TRANSLATOR: {READ},
    Role.APPROVER: {READ},
    Role.EVENTS: {READ, LOG},
    Role.SECURITY: {READ, LOG, HANDLE},
    Role.MANAGER: {READ},
    Role.AUDITOR: {READ},
    Role.ADMIN: {READ},
}
NEEDS = {
    READ: ["/staff/rumors/", "/staff/rumors/{}/"],
    LOG: ["/staff/rumors/log/", "/staff/rumors/{}/logged/", "/staff/rumors/{}/sight/"],
    HANDLE: ["/staff/rumors/{}/edit/", "/staff/rumors/{}/rate/"],
    ANSWER: ["/staff/rumors/{}/link/"],
}
POSTS = {LOG: ["/staff/rumors/{}/merge/"], HANDLE: ["/staff/rumors/{}/move/"]}


@pytest.mark.parametrize("role", Role)
def test_every_role_opens_what_it_may_and_nothing_else(role):
    client, rumor = sign_in(person(role)), log()
    for need, paths in NEEDS.items():
        for path in paths:
            assert client.get(path.format(rumor.pk)).status_code == (200 if need in MAY[role] else 403), path
    for need, paths in POSTS.items():
        for path in paths:
            assert (client.post(path.format(rumor.pk)).status_code == 403) == (need not in MAY[role]), path


def test_strangers_are_led_to_the_sign_in():
    rumor, stranger = log(), browser()
    answers = [stranger.get(path.format(rumor.pk)) for paths in NEEDS.values() for path in paths]
    answers += [stranger.post(path.format(rumor.pk)) for paths in POSTS.values() for path in paths]
    assert {response.headers["Location"].partition("?")[0] for response in answers} == {"/staff/login/"}


# The list ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_costs_the_same_for_one_and_for_three(as_editor, django_assert_num_queries, number):
    """Two to know who asks and what they may; five for the page, as in test_lists.py."""
    for place in range(number):
        rumor = log(area=f"Del {place}")
        actions.sight(rumor, channel="sfi", seen_on=timezone.localdate(), by=rumor.logged_by)
        published(rumor=rumor, slug=f"sant-{place}")
    as_editor.get("/staff/rumors/log/")
    with django_assert_num_queries(7):
        response = as_editor.get("/staff/rumors/")
    assert len(response.context["page"].rows) == number


def listed(client, **filters) -> set[int]:
    return {rumor.pk for rumor in client.get("/staff/rumors/?" + urlencode(filters)).context["page"]}


def test_filters_combine(as_editor):
    topic = factories.topic("court")
    wanted = log(priority="high", channel="tiktok", original_language="ar", area="Väster", topic=topic)
    others = {
        log(priority="low", channel="tiktok", original_language="ar", area="Väster", topic=topic).pk,
        log(priority="high", channel="phone", original_language="ar", area="Väster", topic=topic).pk,
        log(priority="high", channel="tiktok", original_language="so", area="Väster", topic=topic).pk,
        log(priority="high", channel="tiktok", original_language="ar", area="Öster", topic=topic).pk,
        log(priority="high", channel="tiktok", original_language="ar", area="Väster").pk,
    }
    every = {
        "priority": "high",
        "channel": "tiktok",
        "language": "ar",
        "area": "väster",
        "topic": topic.pk,
        "status": "new",
    }
    assert listed(as_editor, **every) == {wanted.pk}
    assert listed(as_editor) == others | {wanted.pk}
    assert listed(as_editor, priority="high", channel="tiktok", language="ar", topic=topic.pk) == {wanted.pk} | {
        pk for pk in others if Sighting.objects.get(rumor=pk).area == "Öster"
    }
    assert listed(as_editor, status="closed", priority="high") == set()


def test_overdue_and_unanswered_filter_too(as_editor):
    late, late_but_closed, answered, fine = log(), at(Status.CLOSED), published().rumor, log()
    past = timezone.now() - timedelta(days=1)
    Rumor.objects.filter(pk__in=[late.pk, late_but_closed.pk, answered.pk]).update(due_at=past)
    assert listed(as_editor, overdue="yes") == {late.pk, answered.pk}
    assert listed(as_editor, overdue="yes", unanswered="yes") == {late.pk}
    assert fine.pk in listed(as_editor, unanswered="yes")


def test_what_is_active_stands_in_words_with_a_way_to_remove_it(as_editor):
    log(priority="high")
    response = as_editor.get("/staff/rumors/?priority=high&area=Väster&page=7&status=nonsense")
    queries = {row["query"] for row in response.context["active"]}
    assert queries == {"priority=high&", "area=V%C3%A4ster&"}
    assert 'href="?priority=high&amp;"' in response.content.decode()


def test_the_most_urgent_comes_first_and_what_has_ended_last(as_editor):
    closed, low, high, gone = at(Status.CLOSED), log(priority="low"), log(priority="high"), at(Status.OUT_OF_SCOPE)
    rows = [rumor.pk for rumor in as_editor.get("/staff/rumors/").context["page"]]
    assert rows == [high.pk, low.pk, gone.pk, closed.pk]


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=" + "9" * 5000,
        "page=x",
        "topic=99999999999999999999",
        "topic=x",
        "priority=%F0%28",
        "area=" + "x" * 5000,
    ],
)
def test_absurd_queries_show_a_list(as_editor, query):
    log()
    response = as_editor.get(f"/staff/rumors/?{query}")
    assert response.status_code == 200
    assert len(response.context["page"].rows) == 1


def test_a_nul_is_refused(as_editor):
    assert as_editor.get("/staff/rumors/?area=%00").status_code == 400
    assert as_editor.get(f"/staff/rumors/{10**30}/").status_code == 404


# What is kept -----------------------------------------------------------------------------------------------------


def test_two_years_after_the_end_the_original_words_and_links_go(editor):
    old, younger, still_open = at(Status.CLOSED), at(Status.CLOSED), log(original="Ord", url="https://example.org/1")
    now = timezone.now()
    for rumor, days in [(old, 731), (younger, 729)]:
        Rumor.objects.filter(pk=rumor.pk).update(original="Ord", ended_at=now - timedelta(days=days))
        rumor.sightings.update(original="Ord", url="https://example.org/1")
    assert actions.purge(now=now) == 1
    assert actions.purge(now=now) == 0
    for rumor, words in [(old, ""), (younger, "Ord"), (still_open, "Ord")]:
        rumor.refresh_from_db()
        sighting = rumor.sightings.get()
        assert (rumor.original, sighting.original, bool(sighting.url)) == (words, words, bool(words))
    assert AuditEvent.objects.about(old).first().verb == "purge"
    assert old.claim


def test_the_page_of_a_rumor_tells_what_was_done(as_editor, editor):
    rumor = log(original="Mahkeme yok", original_language="tr", url="https://video.example.org/7", area="Öster")
    published("ar", rumor=rumor)
    as_editor.post(
        f"/staff/rumors/{rumor.pk}/edit/",
        {
            "claim": "Nytt",
            "original": "Mahkeme yok",
            "original_language": "tr",
            "claim_type": "law_says",
            "topic": "",
            "priority": "high",
            "sensitivity": "internal",
        },
    )
    page = as_editor.get(f"/staff/rumors/{rumor.pk}/").content.decode()
    for words in [
        "Nytt",
        "Mahkeme yok",
        "https://video.example.org/7",
        "Öster",
        "العربية",
        "Domstolen beslutar om vård",
    ]:
        assert words in page
    assert editor.name in page
    assert [step.value for step in as_editor.get(f"/staff/rumors/{rumor.pk}/").context["steps"]] == [
        "screened",
        "out_of_scope",
    ]


def test_what_repeats_a_rumor_that_becomes_secret_becomes_secret_with_it():
    """It holds the same claim, and the words as they were said."""
    reporter = person(Role.REPORTER)
    earlier, repeated = log(by=reporter), log(by=reporter, claim="SAMMA PÅSTÅENDE")
    pairs.merge(repeated, into=earlier, by=reporter)
    client = sign_in(reporter)
    assert "SAMMA PÅSTÅENDE" in client.get(f"/staff/rumors/{repeated.pk}/").content.decode()

    actions.edit(earlier, by=person(Role.EDITOR), sensitivity=Sensitivity.SECRET)

    assert client.get(f"/staff/rumors/{repeated.pk}/").status_code == 404
    assert "SAMMA PÅSTÅENDE" not in client.get("/staff/rumors/").content.decode()
    assert AuditEvent.objects.about(repeated).first().changes == {"sensitivity": ["internal", "secret"]}


def test_who_may_read_a_repeated_rumor_is_said_at_the_one_it_repeats(as_editor, editor):
    earlier, repeated = log(), log(claim="SAMMA PÅSTÅENDE", original="SAMMA ORD")
    pairs.merge(repeated, into=earlier, by=editor)
    with pytest.raises(ValidationError, match=str(earlier)):
        actions.edit(repeated, by=editor, sensitivity=Sensitivity.SECRET)
    actions.edit(earlier, by=editor, sensitivity=Sensitivity.SECRET)
    with pytest.raises(ValidationError, match=str(earlier)):
        actions.edit(repeated, by=person(Role.SECURITY), sensitivity=Sensitivity.INTERNAL)
    # What else is changed of it changes nothing of that.
    actions.edit(repeated, by=person(Role.SECURITY), priority="high", sensitivity=Sensitivity.SECRET)
    assert set(Rumor.objects.values_list("sensitivity", flat=True)) == {Sensitivity.SECRET}
    assert listed(as_editor) == set()


def test_what_was_heard_of_a_secret_rumor_is_heard_of_no_other(editor, security):
    """Also when somebody has made only one of two that are the same secret, past the actions."""
    earlier, repeated = log(), log(original="HEMLIGA ORD", area="Hemligöster")
    pairs.merge(repeated, into=earlier, by=editor)
    Rumor.objects.filter(pk=repeated.pk).update(sensitivity=Sensitivity.SECRET)
    page = sign_in(editor).get(earlier.get_absolute_url()).content.decode()
    assert "HEMLIGA ORD" not in page
    assert repeated.public_id not in page
    assert "HEMLIGA ORD" in sign_in(security).get(earlier.get_absolute_url()).content.decode()


def test_a_rumor_is_no_secret_while_what_repeats_it_has_a_public_answer(editor):
    earlier, repeated = log(), published().rumor
    pairs.merge(repeated, into=earlier, by=editor)
    with pytest.raises(ValidationError):
        actions.edit(earlier, by=editor, sensitivity=Sensitivity.SECRET)
    repeated.refresh_from_db()
    assert repeated.sensitivity == Sensitivity.INTERNAL


def test_reading_a_threat_is_logged_also_in_an_open_rumor(security, editor):
    rumor = log()
    threat = actions.sight(
        rumor, channel="phone", seen_on=timezone.localdate(), by=editor, original="HOTETS ORD", is_threat=True
    )
    read = AuditEvent.objects.about(rumor).filter(verb="read")
    sign_in(editor).get(rumor.get_absolute_url())
    assert not read.exists()
    reader = sign_in(security)
    for number, path in enumerate([f"/staff/rumors/threats/{threat.pk}/", rumor.get_absolute_url()], start=1):
        assert "HOTETS ORD" in reader.get(path).content.decode()
        assert read.filter(by=security).count() == number
    reader.get("/staff/rumors/threats/")
    assert read.count() == 2


def test_two_years_after_it_was_handled_the_words_of_a_threat_go_from_a_rumor_that_lives_on(editor, security):
    rumor = log(original="Andra ord")
    told = {"channel": "phone", "seen_on": timezone.localdate(), "by": editor, "original": "Ord", "is_threat": True}
    handled, waiting = actions.sight(rumor, **told), actions.sight(rumor, **told)
    actions.handle(handled, note="Polisanmält", by=security)
    assert actions.purge(now=timezone.now() + timedelta(days=729)) == 0
    late = timezone.now() + timedelta(days=731)
    assert (actions.purge(now=late), actions.purge(now=late)) == (1, 0)
    words = dict(rumor.sightings.values_list("pk", "original"))
    assert (words.pop(handled.pk), words.pop(waiting.pk), *words.values()) == ("", "Ord", "Andra ord")


def test_two_who_change_narratives_at_once_see_each_other(as_editor, editor):
    first, second = (actions.tell(Narrative(), name=name, description="", by=editor) for name in ("Ett", "Två"))
    rumor = log()
    page = f"/staff/rumors/{rumor.pk}/edit/"
    sent = as_shown(as_editor.get(page))
    actions.edit(rumor, by=person(Role.EDITOR), narratives={first})
    refused = as_editor.post(page, sent | {"narratives": [second.pk]})
    assert "Ett" in refused.context["form"].errors["narratives"][0]
    assert set(rumor.narratives.all()) == {first}
    as_editor.post(page, as_shown(refused))
    assert set(rumor.narratives.all()) == {second}
    assert AuditEvent.objects.about(rumor).first().changes == {"narratives": ["Ett", "Två"]}
    rumor.refresh_from_db()
    assert rumor.version == 2
