"""The register of organizations: what is written down, found, changed and taken out."""

import io
import json
import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from python_calamine import CalamineWorkbook

from events.actors import actions
from events.actors.models import Actor, Contact
from events.agreements import actions as agreements
from events.series import actions as series
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.audit.rules import entries
from tests import factories
from tests.accounts.people import person, sign_in
from tests.actors.conftest import actor, contact
from tests.events.conftest import make_event
from tests.shown import as_shown

__all__ = ["make_event"]

pytestmark = pytest.mark.django_db

LIST = "/staff/events/actors/"


def listed(client, **filters) -> list[str]:
    return [found.name for found in client.get(LIST, filters).context["page"]]


def sent(**fields) -> dict[str, object]:
    return {"name": "Föreningen Tvärbro", "kind": "association", "is_active": "on"} | fields


def test_an_organization_is_written_down_with_all_that_is_known_of_it(office):
    topic, keeper = factories.topic(), person(Role.EVENTS)
    response = office.post(
        f"{LIST}new/",
        sent(
            name="  Föreningen   Tvärbro ",
            area="Norr",
            email="info@tvarbro.example",
            phone="010-123 45 67",
            website="tvarbro.example",
            topics=[topic.pk],
            languages=["so", "sv"],
            has_bridge_builders="on",
            needs="Blad på somaliska.",
            responsible=keeper.pk,
            review_on="2027-01-15",
        ),
    )
    found = Actor.objects.get()
    assert response["Location"] == found.get_absolute_url()
    assert (found.name, found.kind, found.area) == ("Föreningen Tvärbro", "association", "Norr")
    assert (found.email, found.phone, found.website) == (
        "info@tvarbro.example",
        "010-123 45 67",
        "https://tvarbro.example",
    )
    assert (list(found.topics.all()), found.languages) == ([topic], ["sv", "so"])
    assert (found.has_bridge_builders, found.needs, found.is_active) == (True, "Blad på somaliska.", True)
    assert (found.responsible, str(found.review_on)) == (keeper, "2027-01-15")
    page = office.get(found.get_absolute_url()).content.decode()
    for shown in ("Norr", "Vård", "Soomaali", "Blad på somaliska.", "info@tvarbro.example", "15 januari 2027"):
        assert shown in page


def test_the_same_name_does_not_stand_there_twice(office):
    actor("Föreningen Tvärbro")
    response = office.post(f"{LIST}new/", sent(name="föreningen tvärbro", needs="Tid"))
    assert response.context["form"].errors.keys() == {"name"}
    assert "Tid" in response.content.decode()
    with pytest.raises(IntegrityError, match="actor_stands_once_in_the_register"), transaction.atomic():
        actor("FÖRENINGEN TVÄRBRO")
    other = actor("Kyrkan")
    response = office.post(f"{LIST}{other.pk}/edit/", as_shown(office.get(f"{LIST}{other.pk}/edit/")) | sent())
    assert response.context["form"].errors.keys() == {"name"}
    assert Actor.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "text", "wrong"),
    [
        ("area", "Storgatan 5", {"area"}),
        ("needs", "Ring 070-123 45 67", {"needs", "guard_reason"}),
        ("name", "anna@example.se", {"name", "guard_reason"}),
        ("email", "ingen adress", {"email"}),
        ("website", "javascript:alert(1)", {"website"}),
        ("languages", ["xx"], {"languages"}),
    ],
)
def test_what_cannot_stand_there_is_refused_and_nothing_typed_is_lost(office, field, text, wrong):
    response = office.post(f"{LIST}new/", sent(needs="Tid för frågor") | {field: text})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == wrong
    assert "Föreningen Tvärbro" in response.content.decode() or field == "name"
    assert not Actor.objects.exists()


def test_the_number_of_a_function_needs_no_reason(office):
    office.post(f"{LIST}new/", sent(phone="070-123 45 67"))
    assert Actor.objects.get().phone == "070-123 45 67"


# The list --------------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_and_the_filters_can_be_removed_one_by_one(office):
    care = factories.topic()
    actor("Moskén", kind="faith_community", area="Norr", topics=[care], languages=["ar", "so"])
    actor("Kyrkan", kind="faith_community", area="Öster", languages=["ti"], has_bridge_builders=True)
    actor("Skolan", kind="school_preschool", area="norr", review_on=timezone.localdate())
    assert listed(office) == ["Kyrkan", "Moskén", "Skolan"]
    assert listed(office, kind="faith_community") == ["Kyrkan", "Moskén"]
    assert listed(office, area="NORR ") == ["Moskén", "Skolan"]
    assert listed(office, topic=care.pk) == ["Moskén"]
    assert listed(office, language="ti") == ["Kyrkan"]
    assert listed(office, bridge_builders="yes") == ["Kyrkan"]
    assert listed(office, review="yes") == ["Skolan"]
    response = office.get(LIST, {"kind": "faith_community", "area": "Norr"})
    assert [row["query"] for row in response.context["active"]] == ["area=Norr&", "kind=faith_community&"]
    page = response.content.decode()
    assert 'href="?area=Norr&amp;"' in page
    assert "Kyrkan" not in page


def test_a_filter_that_is_none_says_so_and_the_others_hold(office):
    actor("Moskén", kind="faith_community")
    actor("Skolan", kind="school_preschool")
    response = office.get(LIST, {"kind": "sports", "topic": "x", "language": "xx", "page": "99999"})
    assert response.context["form"].errors.keys() == {"topic", "language"}
    assert [found.name for found in response.context["page"]] == []
    assert listed(office, kind="sports", topic="x") == []
    assert listed(office, kind="faith_community", language="xx") == ["Moskén"]


def test_those_we_no_longer_work_with_come_last_and_are_not_looked_at_again(office):
    actor("Anden", is_active=False, review_on=timezone.localdate() - timedelta(days=1))
    actor("Örnen", review_on=timezone.localdate() - timedelta(days=1))
    assert listed(office) == ["Örnen", "Anden"]
    assert listed(office, review="yes") == ["Örnen"]


def test_the_list_turns_its_pages_and_keeps_the_filters(office):
    for number in range(51):
        actor(f"Förening {number:02}")
    actor("Skolan", kind="sfi")
    first = office.get(LIST, {"kind": "association"})
    assert len(first.context["page"].object_list) == 50
    assert 'href="?kind=association&amp;page=2"' in first.content.decode()
    assert listed(office, kind="association", page=2) == ["Förening 50"]


def test_an_empty_list_says_what_to_do_first_and_a_filtered_one_what_to_remove(office):
    empty = office.get(LIST).content.decode()
    assert 'href="/staff/events/actors/new/"' in empty
    assert "/export/" not in empty
    actor("Skolan", kind="sfi")
    none = office.get(LIST, {"kind": "sports"}).content.decode()
    assert "Skolan" not in none
    assert none != empty


def test_the_work_list_says_that_some_are_to_be_looked_at_again(office, manager):
    actor(review_on=timezone.localdate() + timedelta(days=1))
    assert "?review=yes" not in office.get("/staff/").content.decode()
    actor(review_on=timezone.localdate())
    assert 'href="/staff/events/actors/?review=yes"' in office.get("/staff/").content.decode()
    assert "actors/?review=yes" not in manager.get("/staff/").content.decode()


# Changes ---------------------------------------------------------------------------------------------------------


def test_saving_a_form_as_it_was_opened_changes_nothing(office):
    found = actor(
        topics=[factories.topic()],
        languages=["sv", "ti"],
        has_bridge_builders=True,
        review_on=timezone.localdate(),
        responsible=person(Role.EVENTS),
        email="info@example.org",
    )
    page = f"{LIST}{found.pk}/edit/"
    assert office.post(page, as_shown(office.get(page))).status_code == 302
    assert not AuditEvent.objects.filter(verb="edit").exists()
    found.refresh_from_db()
    assert (found.languages, found.topics.count(), found.is_active) == (["sv", "ti"], 1, True)


def test_two_who_change_different_things_at_once_both_get_their_way(office):
    found, topic = actor(languages=["sv"], needs="Tid"), factories.topic()
    page = f"{LIST}{found.pk}/edit/"
    one, other = as_shown(office.get(page)), as_shown(office.get(page))
    office.post(page, one | {"languages": ["sv", "ti"]})
    assert office.post(page, other | {"needs": "Blad", "topics": [topic.pk]}).status_code == 302
    found.refresh_from_db()
    assert (found.languages, found.needs, list(found.topics.all())) == (["sv", "ti"], "Blad", [topic])


@pytest.mark.parametrize(
    ("field", "first", "second", "shown", "stands"),
    [
        ("needs", "Blad", "Tolk", "Blad", "Tolk"),
        ("languages", ["sv", "ti"], ["sv", "so"], "tigrinska", ["sv", "so"]),
        ("review_on", "2027-01-15", "2027-02-15", "2027-01-15", "2027-02-15"),
    ],
)
def test_who_comes_second_sees_both_and_may_put_theirs_there(office, field, first, second, shown, stands):
    found = actor(languages=["sv"], needs="Tid")
    page = f"{LIST}{found.pk}/edit/"
    one, other = as_shown(office.get(page)), as_shown(office.get(page))
    office.post(page, one | {field: first})
    refused = office.post(page, other | {field: second})
    assert refused.status_code == 422
    (error,) = refused.context["form"].errors[field]
    assert shown in error
    again = as_shown(refused)
    assert again[field] == (second if isinstance(second, list) else [second])
    assert office.post(page, again).status_code == 302
    found.refresh_from_db()
    assert str(getattr(found, field)) == str(stands)


def test_a_choice_that_was_empty_survives_another_mistake_in_the_form(office):
    """A group of boxes of which none is ticked sends nothing: what it was opened with is not what was sent last."""
    found, topic = actor(), factories.topic()
    page = f"{LIST}{found.pk}/edit/"
    refused = office.post(page, as_shown(office.get(page)) | {"topics": [str(topic.pk)], "name": ""})
    assert refused.status_code == 422
    office.post(page, as_shown(refused) | {"name": "Ny"})
    assert list(found.topics.all()) == [topic]


def test_somebody_who_has_left_may_stay_responsible_but_is_offered_to_nobody_else(office):
    gone = person(Role.EVENTS)
    held, other = actor(responsible=gone), actor()
    gone.is_active = False
    gone.save()
    page = f"{LIST}{held.pk}/edit/"
    assert office.post(page, as_shown(office.get(page)) | {"needs": "Tid"}).status_code == 302
    held.refresh_from_db()
    assert (held.responsible, held.needs) == (gone, "Tid")
    assert f'value="{gone.pk}"' not in office.get(f"{LIST}{other.pk}/edit/").content.decode()


def test_it_is_deleted_with_its_contacts_after_a_question(office):
    found = actor("Föreningen Tvärbro")
    for _twice in range(2):
        contact(found)
    page = f"{LIST}{found.pk}/delete/"
    asked = office.get(page)
    assert asked.context["actor"].contacts_count == 2
    assert Actor.objects.exists()
    assert office.post(page)["Location"] == LIST
    assert (Actor.objects.count(), Contact.objects.count()) == (0, 0)
    assert office.post(page).status_code == 404
    verbs = AuditEvent.objects.filter(verb="delete").values_list("kind", flat=True)
    assert sorted(verbs) == ["actors.actor", "actors.contact", "actors.contact"]
    actions.delete(found, by=factories.user())
    assert AuditEvent.objects.filter(verb="delete").count() == 3


def test_the_log_tells_what_was_changed_but_not_how_it_is_reached_or_what_it_needs():
    found, by = actor(email="gammal@example.org", needs="Gammalt"), factories.user()
    actions.edit(
        found,
        by=by,
        area="Norr",
        languages={"ti", "sv"},
        topics={factories.topic()},
        responsible=by,
        email="marker@example.org",
        phone="070-123 45 67",
        website="https://marker.example",
        needs="Marker behöver",
    )
    changes = AuditEvent.objects.about(found).get(verb="edit").changes
    assert changes["area"] == ["", "Norr"]
    assert changes["languages"] == [[], ["sv", "ti"]]
    assert changes["topics"] == ["", "Vård"]
    assert changes["responsible"] == [None, by.name]
    untold = {name: change for name, change in changes.items() if change == ["…", "…"]}
    assert untold.keys() == {"email", "phone", "website", "needs"}
    assert "arker" not in json.dumps(changes)


# Who may, and who did --------------------------------------------------------------------------------------------


def test_managers_read_of_organizations_and_change_nothing(manager):
    found = actor("Föreningen Tvärbro")
    contact(found, name="Marker Namn", email="marker@example.org")
    for path in ("", f"{found.pk}/"):
        page = manager.get(LIST + path).content.decode()
        assert "Föreningen Tvärbro" in page
        assert "arker" not in page
        assert not re.search(r'href="/staff/events/actors/([^"]*/)?(edit|delete|new|helpers)/', page)
    for path in ("new/", f"{found.pk}/edit/", f"{found.pk}/delete/", f"{found.pk}/contacts/new/", "helpers/"):
        assert manager.post(LIST + path, sent()).status_code in {403, 405}
    assert Actor.objects.get().name == "Föreningen Tvärbro"


def test_every_look_at_the_list_and_at_an_actor_with_contacts_is_logged(manager):
    bare, found = actor(), actor()
    contact(found)
    seen = AuditEvent.objects.filter(verb="read")
    manager.get(f"{LIST}{bare.pk}/")
    assert not seen.exists()
    manager.get(f"{LIST}?kind=association")
    manager.get(f"{LIST}{found.pk}/")
    of_actor, of_list = seen.order_by("-pk")
    assert (of_list.kind, of_list.object_id, of_list.changes, of_list.note) == ("actors.actor", "", {}, "")
    assert (of_actor.object_id, of_actor.changes, of_actor.note) == (str(found.pk), {}, "")
    lines = [entry.thing for entry in entries(seen.order_by("pk"))]
    assert lines[0] == str(Actor._meta.verbose_name_plural)
    assert lines[1] == f"{Actor._meta.verbose_name} {found.pk}"


@pytest.mark.parametrize(
    "path",
    [
        "{event}/invitations/invite-by-hand/",
        "{event}/agreements/",
        "series/{series}/agreements/",
        "agreements/{agreement}/edit/",
        "series/new/",
        "series/{series}/edit/",
    ],
)
def test_every_form_that_offers_all_organizations_is_a_look_at_the_list(office, make_event, path):
    actor("Församlingen Ljuset", kind="faith_community")
    event, circle = make_event(), series.create(name="Kretsen", by=factories.user())
    agreed = agreements.agree(event=event, what="Vi ses", owner="Skolan", by=factories.user())
    page = office.get("/staff/events/" + path.format(event=event.pk, series=circle.pk, agreement=agreed.pk))
    assert "Församlingen Ljuset" in page.content.decode()
    assert [(each.kind, each.object_id) for each in AuditEvent.objects.filter(verb="read")] == [("actors.actor", "")]


def test_who_reads_agreements_and_may_write_none_has_not_looked_at_the_list(manager, make_event):
    actor("Församlingen Ljuset", kind="faith_community")
    event, circle = make_event(), series.create(name="Kretsen", by=factories.user())
    for path in (f"{event.pk}/agreements/", f"series/{circle.pk}/agreements/"):
        assert "Församlingen Ljuset" not in manager.get(f"/staff/events/{path}").content.decode()
    assert not AuditEvent.objects.filter(verb="read").exists()


# Out as a file ---------------------------------------------------------------------------------------------------


def rows_of(response) -> list[list[object]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(response.content)).get_sheet_by_index(0).to_python()


def test_the_file_has_the_organizations_that_the_filters_leave_and_no_person(office):
    keeper = person(Role.EVENTS)
    keeper.name = "Marker Ansvarig"
    keeper.save()
    found = actor(
        "=Moskén",
        kind="faith_community",
        languages=["ar"],
        topics=[factories.topic()],
        needs="Tid för frågor",
        email="info@example.org",
        responsible=keeper,
    )
    contact(found, name="Marker Namn", role="Marker roll", email="marker@example.org", phone="070-999 99 99")
    actor("Skolan", kind="sfi")
    response = office.get(f"{LIST}export/?kind=faith_community")
    header, *rows = rows_of(response)
    assert len(rows) == 1
    assert re.fullmatch(r"attachment; filename\*?=.*\d{4}-\d\d-\d\d\.xlsx\"?", response["Content-Disposition"])
    assert {"'=Moskén", "العربية – arabiska", "Vård", "Tid för frågor", "info@example.org"} <= set(rows[0])
    told = json.dumps([header, rows], ensure_ascii=False, default=str)
    assert "arker" not in told
    assert "999" not in told
    told = AuditEvent.objects.get(verb="export")
    assert (told.kind, told.object_id) == ("actors.actor", "")
    assert told.note.startswith("1 rad")


def test_what_somebody_had_a_reason_to_write_leaves_in_no_file():
    found = actor(needs="Ring Anna på 070-123 45 67 eller anna@example.se", area="Norr")
    client = sign_in(person(Role.EVENTS))
    assert "Ring Anna på […] eller […]" in rows_of(client.get(f"{LIST}export/"))[1]
    assert found.needs.startswith("Ring Anna på 070")


def test_the_database_wants_a_name():
    with pytest.raises(IntegrityError, match="actor_has_a_name"), transaction.atomic():
        Actor.objects.create(kind="sfi")
    with pytest.raises(ValidationError):
        Actor(name="", kind="nonsense").full_clean()


def test_who_stood_in_the_register_before_it_kept_the_day_has_none():
    found = actor()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for migration in ("0001", "0002"):
        call_command("migrate", "actors", migration, verbosity=0)
    assert Actor.objects.get(pk=found.pk).created_at is None
    assert actor().created_at is not None
