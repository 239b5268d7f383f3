"""Logging what was heard: the form, the guard on it, the number, the receipt."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors import actions
from rumors.models import Rumor, Sighting
from rumors.pairs import actions as pairs
from rumors.vocabulary import Priority, Sensitivity, Status
from tests.accounts.people import browser, person, sign_in
from tests.pictures.conftest import sent
from tests.pictures.images import file_of, screenshot
from tests.pictures.images import opened as opened_image
from tests.rumors.conftest import CLAIM, log

pytestmark = pytest.mark.django_db

# Nobody's: the number that the tax agency gives as its example of a test number.
NUMBER = "189001019802"
URL = "/staff/rumors/log/"


def form(**values) -> dict[str, str]:
    return {
        "claim": CLAIM,
        "original": "Mahkeme yok",
        "original_language": "tr",
        "channel": "home_visit",
        "heard_how": "told",
        "seen_on": timezone.localdate().isoformat(),
        "area": "Väster",
        "url": "",
        "claim_type": "law_says",
        "topic": "",
        "priority": "high",
        "sensitivity": "internal",
    } | values


def in_digits(number: str, zero: str) -> str:
    return "".join(chr(ord(zero) + int(char)) if char.isdecimal() else char for char in number)


def test_the_form_makes_a_rumor_and_its_first_sighting(as_reporter, reporter):
    response = as_reporter.post(URL, form(url="https://video.example.org/1"))
    rumor = Rumor.objects.get()
    assert response.headers["Location"] == f"/staff/rumors/{rumor.pk}/logged/"
    assert (rumor.claim, rumor.original_language, rumor.status) == (CLAIM, "tr", Status.NEW)
    assert (rumor.logged_by, rumor.sensitivity) == (reporter, Sensitivity.INTERNAL)
    sighting = rumor.sightings.get()
    assert (sighting.language, sighting.original, sighting.channel) == ("tr", "Mahkeme yok", "home_visit")
    assert (sighting.area, sighting.url) == ("Väster", "https://video.example.org/1")


def test_a_few_fields_are_enough(as_reporter):
    """What a phone sends when only the claim and the place were filled in."""
    page = as_reporter.get(URL).content.decode()
    sent = dict(re.findall(r'<input type="date" name="(\w+)" value="([^"]+)"', page))
    sent |= {"claim": CLAIM, "channel": "phone"}
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"\s+selected', options)
        sent.setdefault(name, chosen[1] if chosen else "")
    assert sent["seen_on"] == timezone.localdate().isoformat()
    as_reporter.post(URL, sent)
    rumor = Rumor.objects.get()
    assert (rumor.priority, rumor.sensitivity, rumor.original_language) == ("medium", "internal", "sv")


def test_the_claim_comes_first_on_the_page_and_the_rest_is_folded(as_reporter):
    page = as_reporter.get(URL).content.decode().partition("<main")[2]
    places = [
        page.index(f'name="{name}"')
        for name in ("claim", "original", "original_language", "channel", "heard_how", "seen_on", "area", "url")
    ]
    assert places == sorted(places)
    folded = page[page.index("<details") : page.index("</details>")]
    assert 'name="sensitivity"' in folded
    assert 'name="claim"' not in folded


@pytest.mark.parametrize("field", ["claim", "original", "area", "url"])
@pytest.mark.parametrize(
    "zero", ["0", "٠", "۰", "०", "０"], ids=["latin", "arabic", "persian", "devanagari", "fullwidth"]
)
def test_a_personal_number_is_refused_in_every_field_and_script(as_reporter, field, zero):
    number = in_digits(NUMBER, zero)
    value = f"https://example.org/{NUMBER}" if field == "url" else f"Om {number} sägs det"
    response = as_reporter.post(URL, form(**{field: value}))
    page = response.content.decode()
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {field}
    assert not Rumor.objects.exists()
    # In its own field, where nothing typed is lost, and nowhere else.
    assert page.count(NUMBER if field == "url" else number) == 1
    assert "Mahkeme yok" in page or field == "original"


@pytest.mark.parametrize(
    "number", ["900101-9802", "900101+9802", "18900101–9802", "9 0 0 1 0 1 9 8 0 2", "900161-9809"]
)
def test_no_separator_hides_a_number(as_reporter, number):
    assert as_reporter.post(URL, form(original=f"text {number}")).context["form"].errors.keys() == {"original"}
    assert not Rumor.objects.exists()


def test_digits_that_are_no_number_of_anybody_pass(as_reporter):
    as_reporter.post(URL, form(original="text 900101-9803, 27 300 barn"))
    assert Rumor.objects.get().original == "text 900101-9803, 27 300 barn"


@pytest.mark.parametrize(
    "text", ["Ring 070-123 45 67", "Skriv till nagon@example.org", "Dnr 2026-123", "Bor på Storgatan 12"]
)
def test_what_may_point_at_a_person_needs_a_reason(as_reporter, text):
    assert "guard_reason" not in as_reporter.get(URL).content.decode()
    first = as_reporter.post(URL, form(original=text))
    assert first.status_code == 422
    assert first.context["form"].errors.keys() == {"original", "guard_reason"}
    assert 'name="guard_reason"' in first.content.decode()
    assert text in first.content.decode()
    assert not Rumor.objects.exists()
    second = as_reporter.post(URL, form(original=text, guard_reason="no_client"))
    assert second.status_code == 302
    assert Rumor.objects.get().original == text


def test_a_reason_lets_no_personal_number_through(as_reporter):
    response = as_reporter.post(URL, form(original=f"070-123 45 67, {NUMBER}", guard_reason="no_client"))
    assert response.status_code == 422
    assert not Rumor.objects.exists()


def test_a_reason_stays_chosen_when_something_else_is_missing(as_reporter):
    page = as_reporter.post(URL, form(claim="", original="070-123 45 67", guard_reason="no_client")).content.decode()
    assert re.search(r'value="no_client"\s+selected', page)


def test_an_address_is_no_district(as_reporter):
    response = as_reporter.post(URL, form(area="Storgatan 12", guard_reason="no_client"))
    assert response.context["form"].errors.keys() == {"area"}
    assert not Rumor.objects.exists()


@pytest.mark.parametrize("day", ["3026-01-01", "0202-01-05", "i går", ""])
def test_a_day_that_cannot_be_is_refused_beside_its_field(as_reporter, day):
    response = as_reporter.post(URL, form(seen_on=day))
    assert response.context["form"].errors.keys() == {"seen_on"}


@pytest.mark.parametrize(
    "values",
    [
        {"claim": "x" * 301},
        {"channel": "pigeon"},
        {"url": "javascript:alert(1)"},
        {"topic": "99999999999999999999"},
        {"original": "a\x00b"},
    ],
)
def test_bad_values_are_refused_with_a_sentence(as_reporter, values):
    response = as_reporter.post(URL, form(**values))
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == values.keys()
    assert not Rumor.objects.exists()


def test_numbers_are_counted_within_the_year_of_stockholm(reporter):
    with time_machine.travel(datetime(2026, 12, 31, 22, 30, tzinfo=UTC), tick=False):
        last = log(by=reporter)
    with time_machine.travel(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), tick=False):
        first = log(by=reporter)
        second = log(by=reporter)
    assert [r.public_id for r in (last, first, second)] == ["R-2026-0001", "R-2027-0001", "R-2027-0002"]


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_get_ten_numbers():
    reporter = person(Role.REPORTER)

    def one(_number: int) -> str:
        try:
            return log(by=reporter).public_id
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        numbers = list(pool.map(one, range(30)))
    assert sorted(numbers) == [f"R-{timezone.localdate().year}-{number:04d}" for number in range(1, 31)]


@pytest.mark.parametrize(("priority", "days"), [(Priority.HIGH, 2), (Priority.MEDIUM, 15), (Priority.LOW, 30)])
def test_the_priority_says_when_it_is_due_and_so_does_another_one_later(editor, priority, days):
    rumor = log(priority=priority)
    assert abs(rumor.due_at - rumor.logged_at - timedelta(days=days)) < timedelta(minutes=1)
    other = log(priority=Priority.LOW if priority != Priority.LOW else Priority.HIGH)
    assert actions.edit(other, by=editor, priority=priority).due_at == other.logged_at + timedelta(days=days)


def test_the_audit_log_holds_no_words_of_a_rumor(editor):
    secret_words = "MARKÖR-ALFA"
    rumor = log(claim=f"{secret_words} ett", original=f"{secret_words} två", area=secret_words)
    actions.edit(rumor, by=editor, claim=f"{secret_words} tre", priority="low")
    actions.rate(rumor, verdict="false", basis=f"{secret_words} fyra", by=editor)
    actions.move(rumor, status="out_of_scope", reason=f"{secret_words} fem", by=editor)
    events = AuditEvent.objects.about(rumor)
    assert [event.verb for event in events] == ["move", "rate", "edit", "log"]
    assert not [event for event in events if secret_words in f"{event.changes}{event.note}"]
    assert events[2].changes["claim"] == ["…", "…"]
    assert events[0].changes["status"] == ["new", "out_of_scope"]


# Added to an earlier one ------------------------------------------------------------------------------------------


def test_what_was_logged_as_new_can_be_added_to_the_earlier_one_from_the_receipt(as_reporter, reporter):
    earlier = log()
    fresh = log(by=reporter, original="Mahkeme yok", original_language="tr")
    receipt = as_reporter.get(f"/staff/rumors/{fresh.pk}/logged/")
    assert receipt.context["known"].ids == [earlier.pk]
    assert f'name="into" value="{earlier.pk}"' in " ".join(receipt.content.decode().split())
    response = as_reporter.post(f"/staff/rumors/{fresh.pk}/merge/", {"into": earlier.pk})
    assert response.headers["Location"] == f"/staff/rumors/{earlier.pk}/"
    fresh.refresh_from_db()
    assert (fresh.status, fresh.same_as) == (Status.DUPLICATE, earlier)
    assert fresh.ended_at is not None
    seen = Sighting.objects.with_repeats(earlier).values_list("original", flat=True)
    assert sorted(seen) == ["", "Mahkeme yok"]
    assert Rumor.objects.as_rows().get(pk=earlier.pk).sightings_count == 2


def test_only_a_fresh_one_of_ones_own_is_added_to_another(as_reporter, reporter, editor):
    earlier = log()
    foreign, sighted, moved, itself = log(), log(by=reporter), log(by=reporter), log(by=reporter)
    actions.sight(sighted, channel="phone", seen_on=timezone.localdate(), by=editor)
    actions.move(moved, status=Status.SCREENED, by=editor)
    for rumor, into in [(foreign, earlier), (sighted, earlier), (moved, earlier), (itself, itself)]:
        as_reporter.post(f"/staff/rumors/{rumor.pk}/merge/", {"into": into.pk})
        rumor.refresh_from_db()
        assert rumor.same_as is None
    assert Sighting.objects.filter(rumor=earlier).count() == 1


@pytest.mark.parametrize("into", ["", "x", "-1", "99999999999999999999999999", "٣٣٣٣٣"])
def test_a_rumor_that_is_not_there_cannot_be_merged_into(as_reporter, reporter, into):
    rumor = log(by=reporter)
    assert as_reporter.post(f"/staff/rumors/{rumor.pk}/merge/", {"into": into}).status_code == 404
    rumor.refresh_from_db()
    assert rumor.status == Status.NEW


def test_a_sighting_can_be_added_later_but_not_to_a_duplicate(as_reporter, reporter):
    earlier, fresh = log(), log(by=reporter)
    seen = {
        "channel": "tiktok",
        "heard_how": "seen_online",
        "language": "ar",
        "seen_on": "2026-01-02",
        "original": "",
        "area": "",
        "url": "",
    }
    as_reporter.post(f"/staff/rumors/{earlier.pk}/sight/", seen)
    assert earlier.sightings.filter(channel="tiktok", language="ar").count() == 1
    pairs.merge(fresh, into=earlier, by=reporter)
    refused = as_reporter.post(f"/staff/rumors/{fresh.pk}/sight/", seen)
    assert str(earlier) in " ".join(refused.context["form"].non_field_errors())
    assert fresh.sightings.count() == 1


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("sight", "original"),
        ("sight", "area"),
        ("sight", "url"),
        ("edit", "claim"),
        ("edit", "original"),
        ("rate", "basis"),
        ("move", "reason"),
    ],
)
def test_every_other_form_has_the_guard_too(path, field):
    client = sign_in(person(Role.EDITOR))
    rumor = log()
    value = f"https://example.org/{NUMBER}" if field == "url" else f"om {NUMBER}"
    sent = form(language="sv", verdict="false", basis="LVU", status="out_of_scope", reason="Nej") | {field: value}
    sent |= {f"initial-{field}": ""}  # what the form was opened with
    response = client.post(f"/staff/rumors/{rumor.pk}/{path}/", sent)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert response.content.decode().count(NUMBER) == 1
    rumor.refresh_from_db()
    assert NUMBER not in f"{rumor.claim}{rumor.original}{rumor.verdict_basis}{rumor.status_reason}"


def test_a_form_that_is_sent_twice_makes_one_rumor(as_reporter):
    """A double click, the back button, a phone that tries again."""
    page = as_reporter.get(URL).content.decode()
    form_id = re.search(r'name="form_id" value="([^"]+)"', page)[1]

    answers = [as_reporter.post(URL, form(form_id=form_id)) for _ in range(2)]

    assert {answer.headers["Location"] for answer in answers} == {f"/staff/rumors/{Rumor.objects.get().pk}/logged/"}
    assert Sighting.objects.count() == 1
    as_reporter.post(URL, form(form_id=str(uuid4()), offered=str(Rumor.objects.get().pk)))
    assert Rumor.objects.count() == 2


def test_a_form_that_is_refused_keeps_its_id(as_reporter):
    page = as_reporter.get(URL).content.decode()
    form_id = re.search(r'name="form_id" value="([^"]+)"', page)[1]

    refused = as_reporter.post(URL, form(form_id=form_id, claim=""))

    assert refused.status_code == 422
    assert f'name="form_id" value="{form_id}"' in refused.content.decode()


def test_a_sighting_that_is_sent_twice_is_one(as_reporter):
    rumor = log()
    url = f"/staff/rumors/{rumor.pk}/sight/"
    form_id = re.search(r'name="form_id" value="([^"]+)"', as_reporter.get(url).content.decode())[1]
    before = rumor.sightings.count()

    for _ in range(2):
        assert as_reporter.post(url, form(language="sv", form_id=form_id)).status_code == 302

    assert rumor.sightings.count() == before + 1


def opened(client, url) -> dict[str, str]:
    """The fields of a form as a browser would send them back untouched."""
    form = client.get(url).context["form"]
    return {name: field.value() or "" for name, field in fields_of(form) if field.value() != []}


def fields_of(form):
    for bound in form:
        yield bound.html_name, bound
        yield f"initial-{bound.html_name}", bound


def test_two_who_change_a_rumor_at_once_keep_what_the_other_changed():
    rumor = log(priority=Priority.MEDIUM)
    url = f"/staff/rumors/{rumor.pk}/edit/"
    first, second = (sign_in(person(Role.EDITOR)) for _ in range(2))
    mine, theirs = opened(first, url), opened(second, url)

    first.post(url, mine | {"priority": "high"})
    second.post(url, theirs | {"claim": "Påståendet, bättre sagt"})

    rumor.refresh_from_db()
    assert (rumor.priority, rumor.claim) == (Priority.HIGH, "Påståendet, bättre sagt")


def test_the_last_of_two_who_change_the_same_is_asked_first():
    rumor = log()
    url = f"/staff/rumors/{rumor.pk}/edit/"
    first, second = (sign_in(person(Role.EDITOR)) for _ in range(2))
    mine, theirs = opened(first, url), opened(second, url)

    first.post(url, mine | {"claim": "Det sägs att A.", "priority": "high"})
    asked = second.post(url, theirs | {"claim": "Det sägs att B.", "area": "x"})

    rumor.refresh_from_db()
    assert (rumor.claim, rumor.priority) == ("Det sägs att A.", Priority.HIGH)
    (error,) = asked.context["form"].errors["claim"]
    assert "Det sägs att A." in error
    again = {name: field.value() or "" for name, field in fields_of(asked.context["form"]) if field.value() != []}
    assert again["claim"] == "Det sägs att B."
    sent = {**again, "initial-claim": asked.context["form"].data["initial-claim"]}
    assert second.post(url, sent).status_code == 302
    rumor.refresh_from_db()
    assert (rumor.claim, rumor.priority) == ("Det sägs att B.", Priority.HIGH)


def test_what_else_is_known_of_a_sighting_is_kept(as_reporter):
    told = {"precision": "week", "archive_url": "https://archive.example.org/1", "country": "Tyskland"}
    told |= {"audience": "parents", "spreader": "influencer", "reached": "1200"}
    as_reporter.post(URL, form(**told))
    sighting = Sighting.objects.get()
    assert {name: str(getattr(sighting, name)) for name in told} == told
    page = as_reporter.get(sighting.rumor.get_absolute_url()).content.decode()
    for word in ("Omkring den veckan", "Tyskland", "föräldrar", "influencer", "1200", "https://archive.example.org/1"):
        assert word in page, word


# Screenshots ----------------------------------------------------------------------------------------------------------


def test_a_screenshot_comes_with_a_sighting_and_is_for_who_may_see_it(as_reporter, security, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    picture = file_of(screenshot(), "PNG")
    as_reporter.post(URL, form(picture=sent(picture)))
    sighting = Sighting.objects.get()
    path = f"/staff/rumors/sightings/{sighting.pk}/"
    assert f"{path}preview/" in as_reporter.get(sighting.rumor.get_absolute_url()).content.decode()
    answer = as_reporter.get(f"{path}picture/")
    assert answer["Content-Disposition"].startswith("attachment")
    assert sighting.rumor.public_id in answer["Content-Disposition"]
    assert opened_image(b"".join(answer.streaming_content)).size == screenshot().size

    actions.edit(sighting.rumor, by=security, sensitivity=Sensitivity.SECRET)
    for kind in ("picture", "preview"):
        assert as_reporter.get(f"{path}{kind}/").status_code == 404
        assert b"".join(sign_in(security).get(f"{path}{kind}/").streaming_content)
    assert AuditEvent.objects.about(sighting.rumor).filter(verb="read", by=security).count() == 2


def test_a_file_that_is_no_picture_is_refused_and_nothing_typed_is_lost(as_reporter, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    answer = as_reporter.post(URL, form(picture=sent(b"<svg onload=alert(1)>", "x.png")))
    assert "picture" in answer.context["form"].errors
    assert CLAIM in answer.content.decode()
    assert not Rumor.objects.exists()


def test_a_screenshot_goes_with_the_words_when_a_rumor_is_old(as_reporter, editor, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    as_reporter.post(URL, form(original="", picture=sent(file_of(screenshot(), "PNG"))))
    rumor = Rumor.objects.get()
    now = timezone.now()
    Rumor.objects.filter(pk=rumor.pk).update(status=Status.OUT_OF_SCOPE, ended_at=now - 2 * Rumor.KEEP_WORDS)
    assert actions.purge(now=now) == 1
    assert rumor.sightings.get().picture is None
    assert actions.purge(now=now) == 0


def test_a_screenshot_that_was_lost_when_the_session_had_ended_is_asked_for_again(as_reporter):
    """What was typed can be sent again by the page, the file cannot: nothing is saved silently without it."""
    sent_late = form() | {"picture": sent(file_of(screenshot(), "PNG"))}
    kept = browser().post(URL, sent_late, headers={"origin": "http://testserver", "sec-fetch-site": "same-origin"})
    assert kept.status_code == 403
    assert 'name="picture_lost" value="yes"' in kept.content.decode()
    again = as_reporter.post(URL, form(picture_lost="yes"))
    assert again.context["form"].errors.keys() == {"picture"}
    assert not Rumor.objects.exists()
    as_reporter.post(URL, form(picture_lost="yes") | {"picture": sent(file_of(screenshot(), "PNG"))})
    assert Sighting.objects.get().picture is not None
