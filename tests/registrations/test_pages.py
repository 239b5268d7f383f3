import re
from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from events.attendance import actions as attendance
from events.attendance.models import CheckIn, How
from events.models import Event
from events.registrations import actions, rules
from events.registrations.models import Need, Registration, Reveal, State
from events.registrations.views import PER_HOUR
from portal import languages
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.mail.models import Delivery
from portal.public import form_token
from portal.questions.models import Question
from tests import factories
from tests.events.conftest import SECRET_LINK
from tests.events.test_pages import parsed, words
from tests.overtaken import overtaken
from tests.shown import as_shown


def test_a_reader_registers_without_cookies_and_is_thanked(public, form, make_event):
    event = make_event("sv", "ar")
    with time_machine.travel(timezone.now() - timedelta(minutes=1)):
        page = parsed(public.get(f"/ar/events/{event.slug}/register/"))
    token = next(i.get("value") for i in page.iter("input") if i.get("name") == "token")
    chosen = page.find(".//select[@name='language']//option[@selected]").get("value")
    sent = form(token=token, name="بو", question="ماذا بعد ذلك؟", language=chosen)
    response = public.post(f"/ar/events/{event.slug}/register/", sent, follow=True)
    assert response.redirect_chain == [(f"/ar/events/{event.slug}/register/thanks/", 302)]
    assert not response.cookies
    registration = Registration.objects.get()
    assert (registration.name, registration.email, registration.language) == ("بو", "bo@example.org", "ar")
    assert Question.objects.get().text == "ماذا بعد ذلك؟"
    assert Delivery.objects.get(kind=actions.CONFIRMATION).language == "ar"


def test_the_answer_is_the_same_for_who_has_a_seat_already(public, form, make_event):
    event = make_event("sv")
    answers = {public.post(f"/sv/events/{event.slug}/register/", form(), follow=True).content for _again in range(2)}
    assert len(answers) == 1
    assert Registration.objects.count() == 1


def test_a_form_that_was_open_for_too_long_keeps_what_was_typed(public, form, make_event):
    event = make_event("sv")
    with time_machine.travel(timezone.now() - timedelta(hours=5)):
        old = form_token("register")
    response = public.post(f"/sv/events/{event.slug}/register/", form(token=old, question="Vad händer sedan?"))
    assert response.status_code == 422
    page = parsed(response)
    values = {i.get("name"): i.get("value") for i in page.iter("input")}
    assert (values["name"], values["email"]) == ("Bo", "bo@example.org")
    assert "Vad händer sedan?" in words(page.find(".//textarea[@name='question']"))
    assert not Registration.objects.exists()
    again = public.post(f"/sv/events/{event.slug}/register/", form(token=values["token"]))
    assert again.status_code == 302
    assert Registration.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"website": "http://spam.example.org"},
        {"email": "not an address"},
        {"email": "\u017fara@example.org"},  # to Unicode a small S, but to no server
        {"language": "xx"},
        {"interpreter": "sv"},
        {"access": "19121212-1212"},
        {"party_size": "2"},
        {"name": ""},
        {"name": "19121212-1212"},
        {"question": "Mitt barn heter 19121212-1212"},
        {"name": "x" * 121},
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_sentence(public, form, make_event, fields):
    event = make_event("sv")
    response = public.post(f"/sv/events/{event.slug}/register/", form(**fields))
    assert response.status_code == 422
    summary = next(d for d in parsed(response).iter("div") if d.get("class") == "summary")
    assert words(summary.find("ul"))
    assert not Registration.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("headers", [{"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}])
def test_another_site_cannot_send_the_form(public, form, make_event, headers):
    event = make_event("sv")
    response = public.post(f"/sv/events/{event.slug}/register/", form(), headers=headers)
    assert response.status_code == 403
    assert not Registration.objects.exists()


def test_a_full_event_says_so_on_its_page_and_lets_people_wait(public, form, make_event):
    event = make_event("sv", capacity=1)
    actions.register(event, name="Eva", email="eva@example.org", language="sv")
    page = public.get(f"/en/events/{event.slug}/").content.decode()
    assert "All seats are taken. You can join the waiting list." in page
    asked = words(parsed(public.get(f"/en/events/{event.slug}/register/")).find(".//main"))
    assert "Whoever waits longest is offered the next free seat" in asked
    thanked = public.post(f"/en/events/{event.slug}/register/", form(), follow=True)
    # The page does not tell a stranger whether an address has a seat: the mail does.
    assert "whether you have a seat" in words(parsed(thanked).find(".//main"))
    assert Registration.objects.get(name="Bo").state == State.WAITING


def test_who_sends_the_form_faster_than_a_person_can_is_asked_again_and_loses_nothing(public, form, make_event):
    event = make_event("sv")
    response = public.post(f"/sv/events/{event.slug}/register/", form(token=form_token("register"), question="Varför?"))
    assert response.status_code == 422
    assert "Varför?" in response.content.decode()
    assert not Registration.objects.exists()


@pytest.mark.parametrize("valkey", ["up", "down"])
def test_a_class_of_85_behind_one_address_gets_through_and_a_flood_does_not(public, form, make_event, request, valkey):
    if valkey == "down":
        request.getfixturevalue("no_valkey")
    event = make_event("sv")
    answers = [
        public.post(f"/sv/events/{event.slug}/register/", form(email=f"p{number}@example.org")).status_code
        for number in range(PER_HOUR + 1)
    ]
    assert answers[:85] == [302] * 85
    assert answers[-1] == 429
    assert Registration.objects.count() == PER_HOUR


# Without an address --------------------------------------------------------------------------------------------


def test_without_an_address_there_is_a_code_that_leads_back(public, form, make_event):
    event = make_event("sv", "so")
    needs = {"interpreter": "so", "access": "Boos gaari-cuuryaan"}
    page = public.post(f"/so/events/{event.slug}/register/", form(email="", language="so", **needs), follow=True)
    registration = Registration.objects.get()
    code = rules.code_of(registration)
    assert code in page.content.decode()
    assert [need.kind for need in registration.needs.all()] == ["interpreter", "access"]
    assert not Delivery.objects.filter(key__startswith="event:").exists()
    assert code not in str(Registration.objects.values().get())
    found = f"/so/events/{event.slug}/registration/"
    token = form_token("find-registration")
    back = public.post(found, {"token": token, "code": f" {code.lower()} "})
    assert back.url == page.redirect_chain[-1][0]
    wrong = public.post(found, {"token": token, "code": "VXY34-679CD-FHJKM"})
    assert wrong.status_code == 422
    other = make_event("sv")
    assert public.post(f"/so/events/{other.slug}/registration/", {"token": token, "code": code}).status_code == 422


def test_the_same_form_sent_back_and_mended_is_another_registration_and_sent_twice_is_one(public, form, make_event):
    event = make_event("sv")
    sent = form(email="")
    for fields in (sent, sent, sent | {"name": "Eva"}):
        assert public.post(f"/sv/events/{event.slug}/register/", fields).status_code == 302
    assert sorted(Registration.objects.values_list("name", flat=True)) == ["Bo", "Eva"]


def test_what_is_asked_when_the_form_is_sent_again_is_kept_and_the_same_words_once(public, form, make_event):
    event = make_event("sv")
    address = f"/sv/events/{event.slug}/register/"
    first, second = form(), form(question="Finns det barnpassning?")
    # Somebody registers, remembers a question, presses twice, and mends it half an hour later.
    for fields in (first, second, second):
        public.post(address, fields)
    with time_machine.travel(timezone.now() + timedelta(minutes=30)):
        public.post(address, second | {"question": "Finns det barnpassning för tvååringar?"})
    asked = Question.objects.order_by("pk").values_list("text", flat=True)
    assert list(asked) == ["Finns det barnpassning?", "Finns det barnpassning för tvååringar?"]
    assert Registration.objects.count() == 1


def test_needs_that_are_filled_in_when_the_same_form_is_sent_again_are_kept(public, form, make_event):
    event = make_event("sv")
    address = f"/sv/events/{event.slug}/register/"
    sent = form(email="")
    public.post(address, sent)
    for _double_click in range(2):
        page = public.post(address, sent | {"interpreter": "so", "access": "En ramp"}, follow=True)
    assert [need.kind for need in Registration.objects.get().needs.all()] == ["interpreter", "access"]
    assert "En ramp" in page.content.decode()


def test_a_stranger_who_types_somebodys_address_changes_nothing_of_theirs(public, form, make_event):
    event = make_event("sv")
    address = f"/sv/events/{event.slug}/register/"
    public.post(address, form(access="En ramp"))
    public.post(address, form(access="En annan sak", language="ar"))
    held = Registration.objects.get()
    assert (held.language, held.needs.get().detail) == ("sv", "En ramp")


def test_a_form_whose_name_and_needs_are_mended_is_the_same_registration(public, form, make_event):
    event, sent = make_event("sv"), form()
    for fields in (sent, sent | {"name": "Bo Ek", "email": "Bo@example.org", "access": "Plats för rullstol"}):
        assert public.post(f"/sv/events/{event.slug}/register/", fields).status_code == 302
    held = Registration.objects.get()
    assert (held.name, held.needs.get().detail) == ("Bo Ek", "Plats för rullstol")


def test_a_closed_registration_shows_no_form(public, make_event):
    event = make_event("sv", registration_ends_at=timezone.now() - timedelta(minutes=1))
    page = public.get(f"/en/events/{event.slug}/register/").content.decode()
    assert "Registration is closed." in page
    assert "<form" not in page


def test_who_writes_until_registering_ends_keeps_their_words_and_learns_whom_to_ask(public, form, make_event):
    event = make_event("sv", contact_registration="Evenemang, 0980-319 200")
    sent = form(access="En plats\nnära dörren", question="Får jag <b>tolk</b>?")
    Event.objects.filter(pk=event.pk).update(registration_ends_at=timezone.now())
    answer = public.post(f"/sv/events/{event.slug}/register/", sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<form" not in page
    for kept in ("En plats<br>nära dörren", "Får jag &lt;b&gt;tolk&lt;/b&gt;?", "0980-319 200"):
        assert kept in page
    assert not Registration.objects.exists()


def test_an_event_by_invitation_says_nothing_of_registering(public, make_event):
    event = make_event("sv", registration_ends_at=None)
    page = words(parsed(public.get(f"/en/events/{event.slug}/")).find(".//main"))
    assert "Regist" not in page
    assert "by mail" not in page


# The private link ----------------------------------------------------------------------------------------------


@pytest.fixture
def seat(make_event):
    event = make_event("sv", "ar")
    registration = actions.register(event, name="Bo", email="bo@example.org", language="ar")
    return registration, f"/ar/events/{event.slug}/registration/{rules.private_token(registration)}/"


def test_the_private_page_is_kept_nowhere_and_found_by_nobody(public, seat):
    response = public.get(seat[1])
    assert response.headers["Cache-Control"] == "no-store"
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert parsed(response).get("dir") == "rtl"


def test_looking_at_every_link_cancels_nothing_and_the_button_does(public, seat):
    registration, url = seat
    for method in (public.get, public.head, public.options):
        method(url)
    registration.refresh_from_db()
    assert registration.canceled_at is None
    token = re.search(r'name="token" value="([^"]+)"', public.get(url).content.decode())[1]
    for wrong in ({"token": token}, {"token": token, "do": "anything"}):
        assert public.post(url, wrong).status_code == 422
    response = public.post(url, {"token": token, "do": "cancel"}, follow=True)
    registration.refresh_from_db()
    assert registration.canceled_at is not None
    assert 'value="cancel"' not in response.content.decode()
    public.post(url, {"token": token, "do": "regret"})
    registration.refresh_from_db()
    assert registration.state == State.CONFIRMED


def test_for_who_has_no_seat_nobody_works_on_what_they_need(public, seat):
    registration, url = seat
    actions.change(registration, language="ar", party_size=1, needs=[{"kind": "interpreter", "language": "so"}])
    told = "نعمل على ذلك"
    page = public.get(url).content.decode()
    assert "Soomaali" in page
    assert told in page
    actions.cancel(registration)
    page = public.get(url).content.decode()
    assert "Soomaali" in page
    assert told not in page


def test_canceling_with_an_old_page_asks_again_and_cancels_nothing(public, seat):
    registration, url = seat
    response = public.post(url, {"token": form_token("register"), "do": "cancel"})
    assert response.status_code == 422
    assert "<form" in response.content.decode()
    registration.refresh_from_db()
    assert registration.canceled_at is None


def test_a_forged_or_revoked_link_leads_nowhere(public, seat, make_event):
    registration, url = seat
    other = actions.register(make_event("sv"), name="Eva", email="eva@example.org", language="sv")
    token = rules.private_token(registration)
    number, digest = token.split("-", 1)
    assert len(digest) == 22  # 128 bits
    forged = [
        f"{other.pk}-{digest}",
        f"{number}-{digest[:-1]}",
        f"{number}-{'A' * 22}",
        f"{number}-",
        number,
        f"-{digest}",
        f"{number}٣-{digest}",
        f"{'9' * 40}-{digest}",
        f"{number}-{digest}é",
    ]
    for fake in forged:
        address = url.replace(token, fake)
        assert public.get(address).status_code == 404, fake
        assert public.post(address, {"token": form_token("registration")}).status_code == 404, fake
    assert public.get(url).status_code == 200
    Registration.objects.filter(pk=registration.pk).update(nonce="0" * 32)
    assert public.get(url).status_code == 404
    assert Registration.objects.confirmed().count() == 2


def test_the_link_to_join_is_shown_when_it_is_time_by_a_button_and_that_is_kept_without_an_address(public, make_event):
    event = make_event("sv", starts_in=timedelta(minutes=90))
    registration = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    url = f"/sv/events/{event.slug}/registration/{rules.private_token(registration)}/"
    press = {"token": form_token("registration"), "do": "reveal"}
    assert SECRET_LINK not in public.get(url).content.decode()
    assert SECRET_LINK not in public.post(url, press).content.decode()
    with time_machine.travel(event.starts_at - timedelta(minutes=30)):
        assert SECRET_LINK not in public.get(url).content.decode()
        press["token"] = form_token("registration")
        assert SECRET_LINK in public.post(url, press).content.decode()
    reveal = registration.reveals.get()
    assert {field.name for field in reveal._meta.concrete_fields} == {"id", "registration", "join_version", "at"}


def test_wishes_are_changed_on_ones_own_page_and_what_is_wrong_is_said_there(public, seat):
    registration, url = seat
    sent = {"token": form_token("registration"), "do": "change", "language": "so", "interpreter": "ti", "access": ""}
    answer = public.post(url, sent)
    assert answer.url.startswith("/so/events/")
    registration.refresh_from_db()
    assert (registration.language, registration.needs.get().language) == ("so", "ti")
    wrong = public.post(url, sent | {"access": "19121212-1212"})
    assert wrong.status_code == 422
    assert "19121212-1212" in wrong.content.decode()


def test_an_interpreter_whose_language_the_portal_has_left_out_is_still_needed_after_another_change(public, seat):
    registration, url = seat
    (left_out,) = {code for code, _name in languages.CHOICES[-1:]} - {each.code for each in languages.ACTIVE}
    Need.objects.create(registration=registration, kind=Need.Kind.INTERPRETER, language=left_out)
    public.post(url, as_shown(public.get(url)) | {"do": "change", "access": "Plats för rullstol"})
    needs = registration.needs.order_by("kind").values_list("language", "detail")
    assert list(needs) == [("", "Plats för rullstol"), (left_out, "")]


def test_saving_says_so_and_stays_in_the_language_of_the_page_unless_that_was_changed(public, seat):
    english, somali = (seat[1].replace("/ar/", f"/{code}/", 1) for code in ("en", "so"))
    sent = as_shown(public.get(english)) | {"do": "change"}
    same, other = (public.post(english, sent | {"language": code}, follow=True) for code in ("ar", "so"))
    assert urlsplit(same.redirect_chain[-1][0]).path == english
    assert urlsplit(other.redirect_chain[-1][0]).path == somali
    assert "It is done." in focused(same)
    assert "It is done." not in public.get(english).content.decode()
    # Whoever then does not delete everything after all has done nothing.
    asked = public.post(same.redirect_chain[-1][0], {"token": form_token("registration"), "do": "ask_erase"})
    assert "It is done." not in asked.content.decode()
    assert [link.get("href") for link in parsed(asked).iter("a") if words(link) == "No, keep it"] == ["?"]


@pytest.mark.parametrize(("do", "shown"), [("reveal", SECRET_LINK), ("ask_erase", "Delete everything about you?")])
def test_what_a_button_brings_forth_is_where_one_is_on_the_page(public, make_event, do, shown):
    event = make_event("sv", starts_in=timedelta(minutes=30))
    held = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    url = f"/en/events/{event.slug}/registration/{rules.private_token(held)}/"
    assert focused(public.get(url)) == ""
    assert shown in focused(public.post(url, {"token": form_token("registration"), "do": do}))


def focused(response) -> str:
    """What stands in the part of a page that the browser goes to when it has opened it."""
    return " ".join(words(part) for part in parsed(response).iter() if {"tabindex", "autofocus"} <= set(part.keys()))


@pytest.mark.parametrize("state", [State.WAITING, State.OFFERED])
@pytest.mark.parametrize("is_place_public", [True, False])
def test_a_place_that_everybody_may_read_stands_on_the_page_of_who_waits(public, make_event, state, is_place_public):
    event = make_event("sv", capacity=1, place="Stadsbiblioteket", is_online=False)
    Event.objects.update(is_place_public=is_place_public, risk_approved_at=timezone.now())
    seated, held = (
        actions.register(event, name=name, email=f"{name}@example.org", language="sv") for name in ("eva", "bo")
    )
    if state == State.OFFERED:
        actions.cancel(seated)
        actions.keep(timezone.now())
    page = public.get(f"/en/events/{event.slug}/registration/{rules.private_token(held)}/").content.decode()
    assert ("Stadsbiblioteket" in page) == is_place_public


def test_when_it_has_begun_nobody_has_a_place_in_the_waiting_list(public, make_event):
    event = make_event("sv", capacity=1)
    for name in ("eva", "bo"):
        held = actions.register(event, name=name, email=f"{name}@example.org", language="sv")
    with time_machine.travel(event.starts_at + timedelta(minutes=5)):
        page = public.get(f"/en/events/{event.slug}/registration/{rules.private_token(held)}/")
    assert "Your place in it" not in page.content.decode()


def test_who_has_a_code_is_led_to_their_registration_as_long_as_it_is_kept(public, make_event):
    event = make_event("sv")
    leads = {}
    for days in (1, 29, 31):
        cache.clear()
        with time_machine.travel(event.ends_at + timedelta(days=days)):
            page = public.get(f"/sv/events/{event.slug}/").content.decode()
        leads[days] = f'href="/sv/events/{event.slug}/registration/"' in page
    assert leads == {1: True, 29: True, 31: False}


def test_deleting_everything_asks_first_and_then_leaves_nothing(public, seat):
    registration, url = seat
    token = form_token("registration")
    # Only the page that asks has the form that does it.
    refused = public.post(url, {"token": token, "do": "erase"})
    assert refused.status_code == 422
    assert {"tabindex", "autofocus"} <= set(parsed(refused).find(".//*[@role='alert']").keys())
    asked = public.post(url, {"token": token, "do": "ask_erase"})
    assert 'value="erase"' in asked.content.decode()
    assert Registration.objects.filter(pk=registration.pk).exists()
    first, second = [public.post(url, erasing(asked)) for _double_click in range(2)]
    assert not list(parsed(first).find(".//main").iter("form"))
    assert not Registration.objects.filter(pk=registration.pk).exists()
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers.items() == first.headers.items()
    assert public.get(url).status_code == 404


def erasing(asked) -> dict[str, str]:
    """What the form sends that the page shows when it asks whether to delete everything."""
    forms = [form for form in parsed(asked).iter("form") if form.findall(".//button[@value='erase']")]
    return {"do": "erase"} | {field.get("name"): field.get("value") for field in forms[0].iter("input")}


def test_nobody_learns_by_deleting_which_links_there_are(public, seat, make_event):
    registration, url = seat
    other = actions.register(make_event("sv"), name="Eva", email="eva@example.org", language="sv")
    press = erasing(public.post(url, {"token": form_token("registration"), "do": "ask_erase"}))
    digest = rules.private_token(registration).partition("-")[2]
    own, others, nobodys = (
        url.replace(rules.private_token(registration), f"{pk}-{'A' * 22}")
        for pk in (registration.pk, other.pk, other.pk + 1)
    )
    for address in (own, others, nobodys, url.replace(digest, digest[:-1])):
        for fields in (press, press | {"token": form_token("registration")}):
            assert public.post(address, fields).status_code == 404, address
    # A link that was renewed leads nowhere, and nothing is deleted.
    Registration.objects.filter(pk=registration.pk).update(nonce="0" * 32)
    assert public.post(url, press).status_code == 404
    assert Registration.objects.count() == 2


def test_an_offer_is_taken_with_a_button_and_by_no_scanner(public, make_event):
    event = make_event("sv", capacity=1)
    first = actions.register(event, name="Eva", email="eva@example.org", language="sv")
    waiting = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    url = f"/en/events/{event.slug}/registration/{rules.private_token(waiting)}/"
    assert "Your place in it: 1." in words(parsed(public.get(url)).find(".//main"))
    actions.cancel(first)
    actions.keep(timezone.now())
    page = public.get(url).content.decode()
    assert "There is a seat for you." in page
    waiting.refresh_from_db()
    assert waiting.state == State.OFFERED
    public.post(url, {"token": form_token("registration"), "do": "accept"})
    waiting.refresh_from_db()
    assert waiting.state == State.CONFIRMED


# For staff -----------------------------------------------------------------------------------------------------


def test_staff_see_what_one_person_was_sent_and_act_for_them(staff, public, make_event):
    event = make_event("sv")
    registration = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    other = actions.register(make_event("sv"), name="Eva", email="eva@example.org", language="sv")
    office, base = staff(Role.EVENTS), f"/staff/events/{event.pk}/registrations/"
    page = office.get(f"{base}{registration.pk}/").content.decode()
    assert "Bekräftelse på en anmälan" in page
    assert office.get(f"{base}{other.pk}/").status_code == 404
    own = f"/sv/events/{event.slug}/registration/{rules.private_token(registration)}/"
    office.post(f"{base}{registration.pk}/change/", {"do": "link"})
    assert public.get(own).status_code == 404
    assert Delivery.objects.named(prefix=registration.key).count() == 2
    office.post(f"{base}{registration.pk}/change/", {"do": "cancel"})
    registration.refresh_from_db()
    assert registration.state == State.CANCELED
    asked = office.post(f"{base}{registration.pk}/change/", {"do": "ask_erase"}).content.decode()
    assert 'value="erase"' in asked
    office.post(f"{base}{registration.pk}/change/", {"do": "erase"})
    assert not Registration.objects.filter(pk=registration.pk).exists()


def test_who_has_registered_is_taken_out_as_a_file_and_the_log_says_how_many(staff, make_event):
    event = make_event("sv")
    need = [{"kind": "interpreter", "language": "ti"}]
    actions.register(event, name="=1+1", email="bo@example.org", language="ar", needs=need)
    actions.cancel(actions.register(event, name="Eva", email="eva@example.org", language="sv"))
    answer = staff(Role.EVENTS).get(f"/staff/events/{event.pk}/registrations/export/")
    rows = CalamineWorkbook.from_filelike(BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert [row[2] for row in rows[1:]] == ["bo@example.org"]
    assert rows[1][0] == "'=1+1"
    assert "ትግርኛ" in rows[1][4]
    assert AuditEvent.objects.about(event).get(verb="export_registrations").note == "1"


def test_when_it_is_over_no_new_private_link_is_promised(staff, make_event):
    event, client = make_event("sv"), staff(Role.EVENTS)
    held = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    page = f"/staff/events/{event.pk}/registrations/{held.pk}/"
    assert 'value="link"' in client.get(page).content.decode()
    begun = timezone.now() - timedelta(days=2)
    Event.objects.update(starts_at=begun, ends_at=begun + timedelta(hours=1), registration_ends_at=None)
    assert 'value="link"' not in client.get(page).content.decode()
    client.post(f"{page}change/", {"do": "link"})
    nonce = held.nonce
    held.refresh_from_db()
    assert held.nonce == nonce


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("do", ["cancel", "reveal", "change", "erase"])
def test_a_button_that_comes_right_after_everything_was_deleted_in_another_tab_finds_nothing_to_change(
    public, make_event, do
):
    event = make_event("sv", starts_in=timedelta(minutes=30))
    held = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    page = urlsplit(rules.private_url(held)).path
    fields = {"token": form_token("registration"), "do": do, "language": "sv", "interpreter": "", "access": ""}
    if do == "erase":
        fields = erasing(public.post(page, fields | {"do": "ask_erase"}))

    answer = overtaken(lambda: actions.erase(held), lambda: public.post(page, fields))
    assert answer.status_code == (200 if do == "erase" else 404)
    assert not Reveal.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["check-in", "link", "need"])
def test_who_deletes_everything_while_something_is_done_for_them_is_deleted_with_that(make_event, what):
    event = make_event("sv", starts_in=timedelta(minutes=20))
    needs = [{"kind": Need.Kind.INTERPRETER, "language": "ti"}]
    who = {"name": "Bo", "email": "bo@example.org", "language": "sv"}
    held, by = actions.register(event, is_invited=True, needs=needs, **who), factories.user()
    need = held.needs.get()
    done = {
        "check-in": lambda: attendance.check_in(held, how=How.LIST, by=by),
        "link": lambda: actions.reveal(held),
        "need": lambda: actions.settle_need(need, state=Need.State.CONFIRMED, by=by),
    }
    overtaken(done[what], lambda: actions.erase(held))
    assert not Registration.objects.exists()
    assert not Delivery.objects.filter(recipient=held.email).exists()
    # That somebody came stays.
    assert CheckIn.objects.count() == (what == "check-in")


@pytest.mark.django_db(transaction=True)
def test_a_need_of_somebody_who_is_just_deleting_everything_is_settled_for_nobody(make_event):
    needs = [{"kind": Need.Kind.INTERPRETER, "language": "ti"}]
    held = actions.register(make_event("sv"), name="Bo", email="bo@example.org", language="sv", needs=needs)
    need, by = held.needs.get(), factories.user()
    overtaken(lambda: actions.erase(held), lambda: actions.settle_need(need, state=Need.State.CONFIRMED, by=by))
    assert not Delivery.objects.filter(recipient=held.email).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["cancel", "link", "erase", "check-in", "need"])
def test_what_staff_do_for_somebody_who_is_just_deleting_everything_is_not_found(staff, make_event, what):
    needs = [{"kind": Need.Kind.INTERPRETER, "language": "ti"}]
    event, office = make_event("sv"), staff(Role.EVENTS)
    held = actions.register(event, name="Bo", email="bo@example.org", language="sv", needs=needs)
    of_person = f"/staff/events/{event.pk}/registrations/{held.pk}/"
    page, fields = f"{of_person}change/", {"do": what}
    if what == "check-in":
        page = reverse("check_in", args=[event.pk, held.pk])
    if what == "need":
        page, fields = reverse("settle_need", args=[held.needs.get().pk]), {"state": Need.State.CONFIRMED}
    answer = overtaken(lambda: actions.erase(held), lambda: office.post(page, fields))
    # Of what somebody needed there is nothing to do, and the list of needs says so.
    assert answer.status_code == (302 if what == "need" else 404)
