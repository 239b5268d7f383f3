"""A rumor's way through its statuses: whatever people try, in whatever order, the rules hold."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors import actions, rules
from rumors.models import ENDED, Rumor
from rumors.responses import actions as responses
from rumors.vocabulary import Status
from tests.accounts.people import person
from tests.rumors.conftest import log

pytestmark = pytest.mark.django_db

WHO = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), WHO, st.sampled_from(Status.values), st.sampled_from(["", "Därför"])),
        st.tuples(st.just("along"), WHO, st.integers(0, 3), st.just("Därför")),
        st.tuples(st.just("approve"), WHO, st.booleans(), st.just("")),
        st.tuples(st.just("plan"), WHO, st.just("reply_public"), st.just("")),
        st.tuples(st.just("rate"), WHO, st.sampled_from(["false", "opinion"]), st.just("LVU")),
        st.tuples(st.just("edit"), WHO, st.sampled_from(["high", "low"]), st.just("")),
    ),
    max_size=25,
)


def attempt(rumor: Rumor, step, people) -> None:
    verb, who, what, words = step
    by = people[who]
    match verb:
        case "move":
            actions.move(rumor, status=what, reason=words, by=by)
        case "along":
            steps = rules.steps(rumor)
            if steps:
                actions.move(rumor, status=steps[what % len(steps)], reason=words, by=by)
        case "approve":
            actions.approve(rumor, version=rumor.version - (0 if what else 1), by=by)
        case "plan":
            responses.plan(rumor, action=what, by=by)
        case "rate":
            actions.rate(rumor, verdict=what, basis=words, by=by)
        case "edit":
            actions.edit(rumor, priority=what, by=by)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_no_way_leads_around_the_rules(db, steps):
    people = [person(Role.EDITOR) for _ in range(3)]
    rumor = log(by=people[0])
    for step in steps:
        before = Rumor.objects.get(pk=rumor.pk)
        events = AuditEvent.objects.about(rumor).count()
        try:
            attempt(before, step, people)
            is_done = True
        except ValidationError:
            is_done = False
        now = Rumor.objects.get(pk=rumor.pk)
        if not is_done:
            assert now.version == before.version  # what is refused changes nothing
            assert AuditEvent.objects.about(rumor).count() == events
            continue
        if now.status != before.status:
            # Along an edge, or back to where it is decided anew; each with a row of the log.
            back = (before.status, now.status) == (Status.DECIDED, Status.ASSESSED)
            assert now.status in rules.steps(before) or back
            assert AuditEvent.objects.about(rumor).first().changes["status"] == [before.status, now.status]
            assert now.version > before.version
        check(before, now)


def check(before: Rumor, now: Rumor) -> None:
    assert (now.ended_at is not None) == (now.status in ENDED)
    if now.status == Status.CLOSED:
        assert now.verdict
        assert now.verdict_basis
    if now.status in {Status.RESPONDING, Status.MONITORING, Status.CLOSED} and before.status == Status.DECIDED:
        assert before.approved_by_id not in {None, before.decided_by_id}
    if now.approved_by_id:
        assert now.approved_by_id != now.decided_by_id
    if now.status in rules.BEFORE_A_DECISION:
        assert (now.decided_by_id, now.approved_by_id) == (None, None)
    if now.status == Status.DECIDED:
        assert now.decided_by_id
    if before.status in ENDED and now.status not in ENDED:
        assert now.status_reason == "Därför"
