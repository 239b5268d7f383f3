"""Who came: ticked off on a phone or on paper, scanned, or counted; and the numbers outlive the names."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from events.attendance import actions, rules
from events.attendance.models import CheckIn, Count, How
from events.models import Event
from events.registrations import actions as registrations
from events.registrations.models import Registration
from events.registrations.rules import CHECK_IN, check_in_code, private_url
from portal import secret_links
from portal.accounts.models import Role
from tests import factories
from tests.accounts.people import browser
from tests.overtaken import closing, is_waited_for
from tests.registrations.test_register import at_once, register

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(make_event):
    return make_event("sv", place="Biblioteket", largest_party=4)


def test_two_at_the_door_who_press_the_same_button_check_in_once(event, staff):
    seat = register(event, "mira")
    url = reverse("check_in", args=[event.pk, seat.pk])
    for client in (staff(Role.EVENTS), staff(Role.EVENTS)):
        client.post(url)
    assert rules.attendance(event).best == "1"


@pytest.mark.django_db(transaction=True)
def test_eight_at_the_same_moment_check_in_once(make_event):
    event = make_event("sv", place="Biblioteket", largest_party=4)
    seat, by = register(event, "mira", party_size=3), factories.user()
    made = at_once(8, lambda _place: actions.check_in(seat, how=How.LIST, by=by))
    assert len({each.pk for each in made}) == 1
    assert rules.attendance(event).best == "3"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["change", "cancel"])
def test_who_is_checked_in_can_change_their_own_registration_at_the_same_moment(make_event, act):
    """The one holds the registration and points at the event, the other holds the event and writes the registration."""
    event = make_event("sv", starts_in=timedelta(hours=1))
    seat, by = register(event, "mira"), factories.user()
    acts = {
        "change": lambda: registrations.change(seat, language="ar", party_size=1, needs=[]),
        "cancel": lambda: registrations.cancel(seat),
    }

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            actions.check_in(seat, how=How.LIST, by=by)
            other = pool.submit(closing, acts[act])
            while not is_waited_for():
                assert not other.done()
        assert other.exception(20) is None
    assert CheckIn.objects.get().registration == seat


def test_fewer_of_a_party_may_come_and_a_check_in_can_be_taken_back(event, staff):
    seat, client = register(event, "mira", party_size=4), staff(Role.EVENTS)
    client.post(reverse("check_in", args=[event.pk, seat.pk]), {"party": "2"})
    assert rules.attendance(event).best == "2"
    for _again in range(2):
        client.post(reverse("undo_check_in", args=[event.pk, seat.pk]))
    assert rules.attendance(event).best == ""


@pytest.mark.parametrize("wrong", ["0", "-2", "tre", "1001"])
@pytest.mark.parametrize("how", How.values[:2])
def test_a_number_that_cannot_be_is_refused_with_a_sentence_and_nobody_is_counted(event, staff, how, wrong):
    seat = register(event, "mira", party_size=4)
    url = reverse("check_in", args=[event.pk, seat.pk]) if how == How.LIST else scan_address(seat)
    page = staff(Role.EVENTS).post(url, {"party": wrong}, follow=True).content.decode()
    assert not CheckIn.objects.exists()
    assert "Säg hur många det var." in page
    assert 'name="party"' in page


def test_somebody_is_found_by_the_first_letters_of_any_word(event, staff):
    for name in ("Mira Sandhav", "Abdi Mirsad", "Bo Ek"):
        register(event, name, email="")
    page = staff(Role.EVENTS).get(reverse("check_in_list", args=[event.pk]), {"q": "mir"}).content.decode()
    assert ("Mira Sandhav" in page, "Abdi Mirsad" in page, "Bo Ek" in page) == (True, True, False)


def test_after_a_check_in_the_letters_stay(event, staff):
    seat = register(event, "mira")
    response = staff(Role.EVENTS).post(reverse("check_in", args=[event.pk, seat.pk]), {"q": "mi"})
    assert response.headers["Location"] == reverse("check_in_list", args=[event.pk]) + "?q=mi"


def test_who_walks_in_is_counted_without_a_name_and_can_be_taken_back(event, staff):
    client = staff(Role.EVENTS)
    for _more in range(3):
        client.post(reverse("walk_in", args=[event.pk]))
    client.post(reverse("undo_walk_in", args=[event.pk]))
    assert rules.attendance(event).by_way == {How.WALK_IN: 2}
    assert not Registration.objects.exists()


def test_nobody_without_a_seat_is_checked_in(event):
    seat = register(event, "mira")
    registrations.cancel(seat)
    with pytest.raises(actions.NoSeatError):
        actions.check_in(seat, how=How.LIST, by=factories.user())
    assert not CheckIn.objects.exists()


def own_page(registration) -> str:
    return urlsplit(private_url(registration)).path


def code(registration) -> str:
    return secret_links.token(CHECK_IN, registration.pk, registration.nonce)


def scan_address(registration) -> str:
    return reverse("scan_check_in", args=[code(registration)])


def test_the_code_of_ones_own_page_leads_staff_to_a_button_and_opening_it_changes_nothing(event, staff):
    seat = register(event, "mira", party_size=2)
    page = browser().get(own_page(seat)).content.decode()
    assert "<svg" in page
    assert check_in_code(seat) in page
    client, url = staff(Role.EVENTS), scan_address(seat)
    assert "mira" in client.get(url).content.decode()
    assert not CheckIn.objects.exists()
    client.post(url)
    made = CheckIn.objects.get()
    assert (made.registration, made.how, made.party) == (seat, How.SCAN, 2)


@pytest.mark.parametrize(("starts_in", "is_warned"), [(timedelta(days=3), True), (-timedelta(minutes=5), False)])
def test_at_the_door_of_another_day_it_says_which_day_it_is(make_event, staff, starts_in, is_warned):
    event = make_event("sv", place="Biblioteket")
    seat = register(event, "mira")
    starts_at = timezone.now() + starts_in
    Event.objects.filter(pk=event.pk).update(
        registration_ends_at=starts_at, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1)
    )
    client = staff(Role.EVENTS)
    for url in (scan_address(seat), reverse("check_in_list", args=[event.pk])):
        page = client.get(url).content.decode()
        assert ("är inte i dag" in page) == is_warned
        assert "Här" in page


def test_the_code_is_of_no_use_to_anybody_else(event, staff):
    seat = register(event, "mira")
    url = scan_address(seat)
    assert "/staff/login/" in browser().get(url).headers["Location"]
    assert staff(Role.REPORTER).get(url).status_code == 403
    token = code(seat)
    assert browser().get(f"/sv/events/{event.slug}/registration/{token}/").status_code == 404
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert staff(Role.EVENTS).get(reverse("scan_check_in", args=[forged])).status_code == 404


def test_there_is_no_code_where_there_is_no_door(make_event):
    seat = register(make_event("sv"), "mira")
    assert "<svg" not in browser().get(own_page(seat)).content.decode()


def test_numbers_stay_when_names_are_deleted(event):
    seat, by = register(event, "mira", party_size=3), factories.user()
    actions.check_in(seat, how=How.SCAN, by=by)
    late = event.ends_at + Registration.KEEP_AFTER_EVENT + timedelta(days=1)
    assert registrations.purge(now=late) == 1
    assert (rules.attendance(event).best, rules.attendance(event).by_way) == ("3", {How.SCAN: 3})
    assert CheckIn.objects.get().registration is None


def test_the_newest_of_each_way_of_counting_is_told_the_most_exact_first(event, staff):
    client, url = staff(Role.EVENTS), reverse("attendance", args=[event.pk])
    for sent in (
        {"method": "band", "band": "25"},
        {"method": "estimate", "number": "40"},
        {"method": "estimate", "number": "45"},
    ):
        client.post(url, sent)
    known = rules.attendance(event)
    assert [(count.method, str(count)) for count in known.counts] == [("estimate", "45"), ("band", "25–49")]
    assert known.best == "45"
    client.post(url, {"method": "list", "number": "41"})
    assert rules.attendance(event).best == "41"
    assert "41" in client.get(url).content.decode()


@pytest.mark.parametrize(
    "sent", [{"method": "band", "number": "30"}, {"method": "heads"}, {"method": "heads", "number": "-1"}]
)
def test_a_count_says_how_many(event, staff, sent):
    assert staff(Role.EVENTS).post(reverse("attendance", args=[event.pk]), sent).status_code == 422
    assert not Count.objects.exists()


def test_a_manager_reads_numbers_and_writes_none(event, staff):
    client, url = staff(Role.MANAGER), reverse("attendance", args=[event.pk])
    client.post(url, {"method": "heads", "number": "30"})
    assert not Count.objects.exists()
