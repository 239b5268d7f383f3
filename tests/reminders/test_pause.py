"""All mail about one event is held back, and that of others leaves."""

from django.utils import timezone

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.mail.models import Delivery, Pause
from tests.mail.test_staff import words
from tests.registrations.test_register import register


def due() -> list[str]:
    return list(Delivery.objects.due(timezone.now()).order_by("recipient").values_list("recipient", flat=True))


def test_an_events_mail_is_held_back_from_its_page_and_let_go_again(make_event, staff):
    event, other = make_event("sv"), make_event("sv")
    register(event, "ana")
    register(other, "bo")
    desk = staff(Role.EVENTS)
    address = f"/staff/events/{event.pk}/pause/"
    assert f'<a href="{address}">' in words(desk.get(f"/staff/events/{event.pk}/"))
    # One message is told of before anything is held back.
    assert "1 mejl som ska gå ut inom ett dygn väntar." in words(desk.get(address))
    assert due() == ["ana@example.org", "bo@example.org"]

    page = words(desk.post(address, {"reason": "Salen har brunnit"}, follow=True))
    assert due() == ["bo@example.org"]
    assert "Salen har brunnit" in page
    assert f'<a href="{address}">' not in page
    assert "Salen har brunnit" not in words(desk.get(f"/staff/events/{other.pk}/"))
    assert f"<bdi>{event.title_sv}</bdi>" in words(desk.get("/staff/mail/"))

    # The button on the event's own page is one that works.
    assert 'name="csrfmiddlewaretoken"' in page.partition("Salen har brunnit")[2].partition("</form>")[0]
    desk.post("/staff/mail/resume/", {"prefix": Pause.objects.get().prefix})
    assert due() == ["ana@example.org", "bo@example.org"]
    assert "Salen har brunnit" not in words(desk.get(f"/staff/events/{event.pk}/"))
    told = AuditEvent.objects.filter(verb__in=["pause", "resume"]).order_by("pk").values_list("verb", "note")
    assert list(told) == [("pause", "Salen har brunnit"), ("resume", "Salen har brunnit")]


def test_without_a_reason_nothing_is_held_back(make_event, staff):
    event = make_event("sv")
    response = staff(Role.EVENTS).post(f"/staff/events/{event.pk}/pause/", {"reason": " "})
    assert response.status_code == 422
    assert "id_reason" in words(response)
    assert not Pause.objects.exists()
