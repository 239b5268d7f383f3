from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from django.utils import timezone
from python_calamine import load_workbook

from events.actors.models import Actor
from events.attendance import actions as attendance
from events.attendance.models import How
from events.invitations import actions, rules
from events.invitations.models import Invitation
from events.invitations.rules import Reach
from events.registrations import actions as registrations
from events.series import actions as series
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.mail.models import Delivery
from tests import factories
from tests.actors.conftest import actor, contact
from tests.events.test_pages import parsed, words
from tests.invitations.conftest import invite

pytestmark = pytest.mark.django_db


def test_the_circle_of_the_series_is_proposed_and_invited_with_one_press(round_table, staff):
    inside, outside = (
        actor("Fredens vänner", email="vanner@example.org", languages=["ti"]),
        actor(email="b@example.org"),
    )
    circle = series.create(name="Rundabordet", circle=[inside], by=factories.user())
    event = round_table(series=circle)
    client = staff(Role.EVENTS)
    form = client.get(f"/staff/events/{event.pk}/invitations/invite/").context["form"]
    assert form.initial["who"] == [f"actor-{inside.pk}"]
    assert {key for key, _label in form.fields["who"].choices} == {f"actor-{inside.pk}", f"actor-{outside.pk}"}
    client.post(f"/staff/events/{event.pk}/invitations/invite/", {"who": form.initial["who"], "language": ""})
    made = Invitation.objects.get()
    assert (made.actor, made.email, made.language) == (inside, "vanner@example.org", "ti")
    assert Delivery.objects.get(kind=actions.INVITATION).recipient == "vanner@example.org"
    again = client.get(f"/staff/events/{event.pk}/invitations/invite/").context["form"]
    assert {key for key, _label in again.fields["who"].choices} == {f"actor-{outside.pk}"}


def test_a_contact_is_invited_by_name_and_leaves_no_name_in_the_log(round_table, staff):
    person = contact(actor("Moskén", kind="faith_community"))
    event = round_table()
    client = staff(Role.EVENTS)
    client.post(f"/staff/events/{event.pk}/invitations/invite/", {"who": [f"contact-{person.pk}"], "language": "ar"})
    made = Invitation.objects.get()
    assert (made.contact, made.name, made.language) == (person, "Mira Sandhav", "ar")
    assert "Mira" not in str(list(AuditEvent.objects.values()))
    page = client.get(f"/staff/events/{event.pk}/invitations/")
    assert "Mira Sandhav" in words(parsed(page))
    assert AuditEvent.objects.filter(verb="read", kind="actors.actor").exists()


def test_one_page_tells_what_was_sent_to_whom(round_table, staff):
    found = invite(round_table())
    client = staff(Role.EVENTS)
    page = client.get(f"/staff/events/invitations/{found.pk}/")
    assert [each.kind for each in page.context["deliveries"]] == [actions.INVITATION]
    client.post(f"/staff/events/invitations/{found.pk}/withdraw/")
    found.refresh_from_db()
    assert found.withdrawn_at
    # The mail had not left: there is nothing to tell.
    assert not Delivery.objects.filter(kind=actions.ENDED).exists()


def test_who_is_asked_whether_to_withdraw_an_invitation_reads_a_name_and_the_log_knows(round_table, staff):
    found, client = invite(round_table(), "Mira"), staff(Role.EVENTS)
    assert "Mira" in words(parsed(client.get(f"/staff/events/invitations/{found.pk}/withdraw/")))
    assert AuditEvent.objects.filter(verb="read", kind="actors.actor").count() == 1


def test_an_actor_that_was_invited_is_kept(round_table, staff):
    guest = actor(email="a@example.org")
    invite(round_table(), actor=guest)
    response = staff(Role.EVENTS).post(f"/staff/events/actors/{guest.pk}/delete/", follow=True)
    guest.refresh_from_db()
    assert len(response.context["messages"]) == 1
    assert response.redirect_chain == [(guest.get_absolute_url(), 302)]


# Coverage --------------------------------------------------------------------------------------------------------


@pytest.fixture
def sitting(round_table):
    """A sitting so many days ago, to which these were invited, and those who came."""

    def make(days_ago: int, invited, came=()):
        with time_machine.travel(timezone.now() - timedelta(days=days_ago + 6)):
            event = round_table()
            for each in invited:
                made = invite(event, each.name, email=f"a{each.pk}@example.org", actor=each)
                if each in came:
                    seat = actions.accept(made, language="sv")
                    attendance.check_in(seat, how=How.LIST, by=factories.user())
        return event

    return make


def reached() -> dict[str, Reach]:
    found = rules.coverage(Actor.objects.all(), Invitation.objects.of_organizations(), now=timezone.now())
    return {row.actor.name: row.reach for row in found}


def old_actor(name: str):
    with time_machine.travel(timezone.now() - timedelta(days=900)):
        return actor(name)


def test_it_is_told_who_is_not_reached_and_why(sitting):
    names = ("Aldrig", "Kom aldrig", "Tystnade", "Länge sedan", "Kommer", "Väntar")
    _never, no_show, silent, long_ago, comes, waits = (old_actor(name) for name in names)
    sitting(500, [silent, long_ago, comes], [silent, long_ago, comes])
    for days in (90, 60, 30):
        sitting(days, [no_show, silent, comes], [comes] if days == 60 else [])
    sitting(-30, [waits])
    actor("Ny")
    found = reached()
    assert {name: found[name] for name in (*names, "Ny")} == {
        "Aldrig": Reach.NEVER_INVITED,
        "Kom aldrig": Reach.NEVER_CAME,
        "Tystnade": Reach.SILENT,
        "Länge sedan": Reach.SILENT,
        "Kommer": Reach.COMES,
        "Väntar": Reach.NEW,
        "Ny": Reach.NEW,
    }


def test_the_report_says_the_same_after_all_names_are_forgotten(sitting):
    group = old_actor("Föreningen")
    sitting(100, [group], [group])
    before = reached()
    actions.purge(now=timezone.now())
    registrations.purge(now=timezone.now())
    assert not Invitation.objects.exclude(email="").exists()
    assert reached() == before == {"Föreningen": Reach.COMES}


def test_the_file_names_no_person(sitting, staff):
    group = old_actor("Föreningen")
    person = contact(group)
    event = sitting(10, [group], [group])
    with time_machine.travel(event.starts_at - timedelta(days=5)):
        invite(event, "Mira", actor=group, contact=person)
    client = staff(Role.MANAGER)
    page = client.get("/staff/events/actors/coverage/?reach=comes")
    assert [row.actor.name for row in page.context["rows"]] == ["Föreningen"]
    response = client.get("/staff/events/actors/coverage/export/?reach=comes")
    (sheet,) = load_workbook(BytesIO(response.content)).sheet_names[:1]
    rows = load_workbook(BytesIO(response.content)).get_sheet_by_name(sheet).to_python()
    assert [row[0] for row in rows[1:]] == ["Föreningen"]
    assert "Mira" not in str(rows)
    assert AuditEvent.objects.filter(verb="export").exists()


def test_ten_years_of_invitations_are_counted_without_the_texts_of_their_events(
    sitting, staff, django_assert_max_num_queries
):
    group = old_actor("Föreningen")
    for days in (90, 60, 30):
        sitting(days, [group], [group])
    with django_assert_max_num_queries(1) as captured:
        found = rules.coverage([group], Invitation.objects.of_organizations(), now=timezone.now())
    assert [(row.invited, row.came) for row in found] == [(3, 3)]
    assert "body_ar" not in captured.captured_queries[0]["sql"]
