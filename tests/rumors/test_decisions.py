"""What is to be done about a rumor: said, decided, approved by somebody else, done. And threats."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors import actions
from rumors.models import Narrative, Rumor, Sighting
from rumors.responses import actions as responses
from rumors.responses.models import Response
from rumors.vocabulary import Sensitivity, Status, Verdict, Verifiability
from tests.accounts.people import person, sign_in
from tests.rumors.conftest import log

pytestmark = pytest.mark.django_db

SOON = timezone.localdate() + timedelta(days=30)


@pytest.fixture
def approver(db):
    return person(Role.APPROVER)


def decided(by, *, action="reply_public", **about) -> Rumor:
    rumor = log()
    responses.plan(rumor, action=action, by=by, **about)
    for step in (Status.SCREENED, Status.ASSESSED, Status.DECIDED):
        rumor = actions.move(rumor, status=step, by=by)
    return rumor


# Deciding -----------------------------------------------------------------------------------------------------------


def test_nothing_is_decided_before_it_is_said_what_is_to_be_done(editor):
    rumor = log()
    for step in (Status.SCREENED, Status.ASSESSED):
        rumor = actions.move(rumor, status=step, by=editor)
    with pytest.raises(ValidationError, match="vad som ska göras"):
        actions.move(rumor, status=Status.DECIDED, by=editor)
    responses.plan(rumor, action="reply_public", by=editor)
    rumor = actions.move(rumor, status=Status.DECIDED, by=editor)
    assert (rumor.decided_by, rumor.approved_by) == (editor, None)


def test_what_was_decided_begins_when_somebody_else_has_approved(editor, approver):
    rumor = decided(editor)
    as_editor, as_approver = sign_in(editor), sign_in(approver)
    page = f"/staff/rumors/{rumor.pk}/"
    early = as_editor.post(f"{page}move/", {"status": "responding", "reason": ""})
    assert early.context["form"].non_field_errors() == ["Någon annan måste först godkänna det som beslutades."]
    assert "Väntar på att någon annan godkänner" in as_editor.get(page).content.decode()

    as_approver.post(f"{page}approve/", {"version": str(rumor.version)})
    rumor.refresh_from_db()
    assert (rumor.approved_by, rumor.status) == (approver, Status.DECIDED)
    as_editor.post(f"{page}move/", {"status": "responding", "reason": ""})
    rumor.refresh_from_db()
    assert rumor.status == Status.RESPONDING
    assert {"plan", "approve", "move"} <= set(AuditEvent.objects.about(rumor).values_list("verb", flat=True))


def test_nobody_approves_what_they_decided_and_the_database_insists(editor):
    editor.groups.add(*person(Role.APPROVER).groups.all())
    rumor = decided(editor)
    with pytest.raises(ValidationError, match="själv"):
        actions.approve(rumor, by=editor, version=rumor.version)
    with pytest.raises(IntegrityError, match="decided_and_approved_by_two_people"), transaction.atomic():
        Rumor.objects.filter(pk=rumor.pk).update(approved_by=editor, approved_at=timezone.now())


def test_an_approver_approves_what_they_have_read(editor, approver):
    rumor = decided(editor)
    read = rumor.version
    actions.edit(rumor, by=editor, claim="Det sägs något helt annat.")
    with pytest.raises(ValidationError, match="ändrades"):
        actions.approve(rumor, by=approver, version=read)
    rumor.refresh_from_db()
    assert rumor.approved_by is None


@pytest.mark.parametrize("change", ["plan", "drop"])
def test_another_plan_is_decided_and_approved_anew(editor, approver, change):
    rumor = decided(editor)
    rumor = actions.approve(rumor, by=approver, version=rumor.version)
    if change == "plan":
        responses.plan(rumor, action="platform_report", by=editor)
    else:
        responses.drop(rumor.responses.get(), by=editor)
    rumor.refresh_from_db()
    assert (rumor.status, rumor.decided_by, rumor.approved_by) == (Status.ASSESSED, None, None)


@pytest.mark.parametrize("action", ["ignore", "monitor"])
def test_not_to_answer_has_a_reason_and_a_day_on_which_it_is_looked_at_again(as_editor, editor, action):
    rumor = log()
    page = f"/staff/rumors/{rumor.pk}/respond/"
    empty = as_editor.post(page, {"action": action})
    assert "reason" in empty.context["form"].errors
    late = as_editor.post(page, {"action": action, "reason": "Få har sett det.", "review_on": "2020-01-01"})
    assert "review_on" in late.context["form"].errors
    assert not rumor.responses.exists()
    as_editor.post(page, {"action": action, "reason": "Få har sett det.", "review_on": SOON.isoformat()})
    response = rumor.responses.get()
    assert (response.reason, response.review_on, response.planned_by) == ("Få har sett det.", SOON, editor)
    with pytest.raises(IntegrityError, match="not_to_answer_has_a_reason"), transaction.atomic():
        Response.objects.filter(pk=response.pk).update(reason="")
    Response.objects.filter(pk=response.pk).update(review_on=timezone.localdate())
    assert list(Rumor.objects.to_review(timezone.localdate())) == [rumor]
    assert "Dags att titta igen" in as_editor.get(f"/staff/rumors/{rumor.pk}/").content.decode()


def test_what_is_done_says_what_came_of_it_and_stays(as_editor, editor):
    rumor = log()
    response = responses.plan(rumor, action="platform_report", by=editor)
    as_editor.post(f"/staff/rumors/responses/{response.pk}/finish/", {"result": "Plattformen tog bort det."})
    page = as_editor.get(f"/staff/rumors/{rumor.pk}/").content.decode()
    assert "Plattformen tog bort det." in page
    as_editor.post(f"/staff/rumors/responses/{response.pk}/drop/")
    assert rumor.responses.get().result == "Plattformen tog bort det."
    responses.finish(response, result="Något annat", by=editor)
    assert rumor.responses.get().result == "Plattformen tog bort det."


def test_what_has_ended_is_taken_up_again_before_something_is_done(editor):
    rumor = log()
    actions.move(rumor, status=Status.OUT_OF_SCOPE, reason="Annan kommun.", by=editor)
    with pytest.raises(ValidationError, match="Ta upp"):
        responses.plan(rumor, action="reply_public", by=editor)


def test_an_opinion_is_neither_true_nor_false(editor):
    rumor = log()
    actions.edit(rumor, by=editor, verifiability=Verifiability.OPINION)
    with pytest.raises(ValidationError, match="åsikt"):
        actions.rate(rumor, verdict=Verdict.FALSE, basis="LVU", by=editor)
    actions.rate(rumor, verdict=Verdict.OPINION, basis="En åsikt om lagen.", by=editor)
    with pytest.raises(IntegrityError, match="opinion_is_neither_true_nor_false"), transaction.atomic():
        Rumor.objects.filter(pk=rumor.pk).update(verdict=Verdict.FALSE)


def test_who_gives_a_verdict_on_a_rumor_that_was_changed_is_asked_first(as_editor, editor):
    rumor = log()
    page = f"/staff/rumors/{rumor.pk}/rate/"
    seen = as_editor.get(page).context["form"]["version"].value()
    actions.rate(rumor, verdict=Verdict.TRUE, basis="Statistik.", by=person(Role.EDITOR))
    sent = {"verdict": "false", "basis": "LVU 4 §", "confidence": "high", "version": str(seen)}
    asked = as_editor.post(page, sent)
    assert "LVU 4 §" in asked.content.decode()
    rumor.refresh_from_db()
    assert rumor.verdict == Verdict.TRUE
    as_editor.post(page, sent | {"version": asked.context["form"]["version"].value()})
    rumor.refresh_from_db()
    assert (rumor.verdict, rumor.confidence) == (Verdict.FALSE, "high")


# People ---------------------------------------------------------------------------------------------------------------


def test_somebody_takes_care_of_it_and_follows_it(as_editor, editor, security):
    rumor = log()
    page = f"/staff/rumors/{rumor.pk}/assign/"
    as_editor.post(page, {"assignee": str(editor.pk)})
    rumor.refresh_from_db()
    assert (rumor.assignee, list(rumor.watchers.all())) == (editor, [editor])
    assert editor.name in as_editor.get(rumor.get_absolute_url()).content.decode()
    reporter = person(Role.REPORTER)
    refused = as_editor.post(page, {"assignee": str(reporter.pk)})
    assert "assignee" in refused.context["form"].errors
    actions.edit(rumor, by=security, sensitivity=Sensitivity.SECRET)
    with pytest.raises(ValidationError):
        actions.assign(rumor, to=editor, by=security)
    as_editor.post(page, {"assignee": ""})
    rumor.refresh_from_db()
    assert rumor.assignee == editor  # a secret rumor is not there for an editor


def test_one_button_follows_and_follows_no_more(as_reporter, reporter):
    rumor = log()
    for is_watching in (True, False):
        as_reporter.post(f"/staff/rumors/{rumor.pk}/watch/")
        assert rumor.watchers.filter(pk=reporter.pk).exists() == is_watching


# Threats --------------------------------------------------------------------------------------------------------------

THREAT = "Hot som bara säkerhet får läsa"


def test_a_threat_is_for_the_security_role_alone(as_reporter, editor, security):
    rumor = log()
    told = {"channel": "phone", "heard_how": "told", "seen_on": timezone.localdate().isoformat(), "language": "sv"}
    as_reporter.post(f"/staff/rumors/{rumor.pk}/sight/", told | {"original": THREAT, "is_threat": "on"})
    sighting = rumor.sightings.get(is_threat=True)
    assert sighting.original == THREAT
    page = rumor.get_absolute_url()
    for client in (as_reporter, sign_in(editor)):
        assert THREAT not in client.get(page).content.decode()
        assert client.get("/staff/rumors/threats/").status_code == 403
        assert client.get(f"/staff/rumors/threats/{sighting.pk}/").status_code == 403
    assert Rumor.objects.as_rows().get(pk=rumor.pk).sightings_count == 1

    guard = sign_in(security)
    assert f"/staff/rumors/threats/{sighting.pk}/" in guard.get("/staff/rumors/threats/").content.decode()
    assert THREAT in guard.get(f"/staff/rumors/threats/{sighting.pk}/").content.decode()
    empty = guard.post(f"/staff/rumors/threats/{sighting.pk}/", {"note": " "})
    assert "note" in empty.context["form"].errors
    guard.post(f"/staff/rumors/threats/{sighting.pk}/", {"note": "Polisanmält."})
    assert not Sighting.objects.unhandled_threats().exists()
    actions.handle(sighting, note="En gång till.", by=security)
    sighting.refresh_from_db()
    assert (sighting.handled_by, sighting.handled_note) == (security, "Polisanmält.")


def test_a_new_rumor_with_a_threat_is_secret_from_the_start(as_reporter, security):
    rumor = log(is_threat=True, original=THREAT)
    assert rumor.sensitivity == Sensitivity.SECRET
    assert as_reporter.get(rumor.get_absolute_url()).status_code == 404
    page = sign_in(security).get(f"/staff/rumors/threats/{rumor.sightings.get().pk}/")
    assert THREAT in page.content.decode()
    assert AuditEvent.objects.about(rumor).filter(verb="read", by=security).exists()


# Narratives -----------------------------------------------------------------------------------------------------------


def test_narratives_stand_above_rumors_and_count_no_secret_ones(as_editor, editor, security):
    as_editor.post("/staff/rumors/narratives/new/", {"name": "Staten vill ha våra barn", "description": ""})
    narrative = Narrative.objects.get()
    double = as_editor.post("/staff/rumors/narratives/new/", {"name": "staten vill ha våra barn", "description": ""})
    assert "name" in double.context["form"].errors
    for sensitivity in (Sensitivity.INTERNAL, Sensitivity.SECRET):
        actions.edit(log(), by=security, narratives=[narrative], sensitivity=sensitivity)
    assert "1 rykte" in as_editor.get("/staff/rumors/narratives/").content.decode()
    assert Narrative.objects.with_counts().get().rumors_count == 1
