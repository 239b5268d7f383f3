"""The register at work: a phone between two visits, an analyst, an editor and an approver, the security role."""

from time import monotonic

import pytest
from django.utils import timezone

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors.intake.models import Draft, Offer
from rumors.models import Rebuttal, Rumor, Sighting
from rumors.pairs import actions as pairs
from rumors.pairs.models import Pair
from tests import factories
from tests.rumors.conftest import CLAIM, log, published
from tests.rumors.test_pairs import ALIKE
from tests.stories.conftest import DESK

pytestmark = pytest.mark.django_db(transaction=True)


class Thumb:
    """Counts what a person does on a page, and how long the page makes them wait."""

    def __init__(self, page):
        self.page = page
        self.taps = self.letters = 0
        self.began = monotonic()

    def tap(self, role, name):
        self.taps += 1
        self.page.get_by_role(role, name=name).click()

    def choose(self, field, value):
        self.taps += 2  # opens the list, and takes one of it
        self.page.locator(f"[name={field}]").select_option(value)

    def write(self, field, text):
        self.taps += 1
        self.letters += len(text)
        self.page.locator(f"[name={field}]").fill(text)

    @property
    def seconds(self):
        """A tap takes two seconds and a letter a quarter of one on a small keyboard; the page took the rest."""
        return 2 * self.taps + self.letters / 4 + monotonic() - self.began


def test_a_known_rumor_takes_four_steps_and_a_new_one_hardly_more(open_browser, is_accessible):
    # Given a rumor that is known, with a published answer
    known = log(claim="Det sägs att barn tas utan att en domstol prövar det")
    published(rumor=known)
    phone = open_browser(Role.REPORTER)
    phone.goto("/staff/")
    # When a caseworker with a phone ... (1) opens the form
    thumb = Thumb(phone)
    thumb.tap("link", "Log what you heard")
    # (2) says what was heard, and is shown what is known of it while typing
    thumb.write("claim", "De säger att barn tas utan att en domstol prövar det")
    phone.get_by_role("heading", name="Is it one of these?").wait_for()
    shown = phone.locator("#known").inner_text()
    assert "Domstolen beslutar om vård utan samtycke" in shown
    assert "Shared words" in shown
    # (3) where
    thumb.choose("channel", "home_visit")
    # (4) and that this is it
    thumb.tap("button", "This is it")
    phone.wait_for_url(f"**/rumors/{known.pk}/logged/")
    assert thumb.taps == 5
    assert thumb.seconds < 40
    # Then it is one more sighting of it, and the page says what to answer
    assert Sighting.objects.filter(rumor=known).count() == 2
    assert Rumor.objects.count() == 1
    assert Offer.objects.get().is_taken
    receipt = phone.locator("main").inner_text()
    assert "Domstolen beslutar om vård utan samtycke" in receipt
    assert "No published answer" not in receipt
    is_accessible(phone)

    # When something new is heard
    thumb = Thumb(phone)
    thumb.tap("link", "Log another one")
    thumb.write("claim", "Zebror dansar på torget varje natt")
    thumb.choose("channel", "tiktok")
    thumb.tap("button", "Save, and see")
    phone.wait_for_url("**/logged/")
    # Then the claim, where, and one button were enough, and far less than a minute
    assert Rumor.objects.count() == 2
    assert thumb.taps == 5
    assert thumb.seconds < 40
    assert monotonic() - thumb.began < 20
    is_accessible(phone)


def test_the_form_is_accessible_while_it_shows_what_is_known(open_browser, is_accessible):
    log()
    phone = open_browser(Role.REPORTER)
    phone.goto("/staff/rumors/log/")
    phone.locator("[name=claim]").fill(CLAIM)
    phone.get_by_role("heading", name="Is it one of these?").wait_for()
    is_accessible(phone)


def test_without_a_connection_nothing_typed_is_lost(open_browser):
    phone = open_browser(Role.REPORTER)
    phone.goto("/staff/rumors/log/")
    status = phone.locator("[data-log-status]")
    phone.locator("[name=claim]").fill("Zebror dansar på torget")
    status.filter(has_text="saved for you").wait_for()
    # When the connection goes, on the way out of a cellar
    phone.context.set_offline(True)
    phone.locator("[name=channel]").select_option("home_visit")
    phone.locator("[name=claim]").fill("Zebror dansar på torget varje natt")
    status.filter(has_text="No connection").wait_for()
    phone.get_by_role("button", name="Save, and see").click()
    status.filter(has_text="sent as soon as there is one").wait_for()
    assert phone.locator("[name=claim]").input_value() == "Zebror dansar på torget varje natt"
    assert not Rumor.objects.exists()
    # Then it is sent when there is one
    phone.context.set_offline(False)
    phone.wait_for_url("**/logged/")
    assert Rumor.objects.get().claim == "Zebror dansar på torget varje natt"
    assert not Draft.objects.exists()


@pytest.mark.parametrize("failing", ["cut off", "bad gateway"])
def test_with_wifi_but_no_internet_nothing_typed_is_lost(open_browser, failing):
    phone = open_browser(Role.REPORTER)
    phone.goto("/staff/rumors/log/")
    status = phone.locator("[data-log-status]")
    gone = []

    def fail(route):
        gone.append(route.request.url)
        route.abort() if failing == "cut off" else route.fulfill(status=502, body="Bad gateway")

    # When the phone thinks that it has a connection, and the site does not answer
    phone.route("**/staff/rumors/log/**", fail)
    phone.locator("[name=claim]").fill("Zebror dansar på torget varje natt")
    phone.locator("[name=channel]").select_option("home_visit")
    status.filter(has_text="No connection").wait_for()
    assert phone.evaluate("navigator.onLine")
    phone.get_by_role("button", name="Save, and see").click()
    # Then the page stays, and says so
    status.filter(has_text="sent as soon as there is one").wait_for()
    assert all(url.endswith("/known/") for url in gone)
    assert phone.locator("[name=claim]").input_value() == "Zebror dansar på torget varje natt"
    assert not Rumor.objects.exists()
    # And it tries again by itself until the site answers
    phone.unroute("**/staff/rumors/log/**")
    phone.wait_for_url("**/logged/")
    assert Rumor.objects.get().claim == "Zebror dansar på torget varje natt"
    open_browser.complaints[:] = [said for said in open_browser.complaints if not said.endswith("/known/")]


def test_who_was_signed_out_is_told_so_and_loses_nothing(open_browser):
    phone = open_browser(Role.REPORTER)
    phone.goto("/staff/rumors/log/")
    phone.context.clear_cookies()
    phone.locator("[name=claim]").fill("Zebror dansar på torget")
    phone.locator("[data-log-status]").filter(has_text="You are signed out").wait_for()
    phone.get_by_role("button", name="Save, and see").click()
    phone.get_by_text("Zebror dansar på torget").first.wait_for()
    open_browser.complaints[:] = [said for said in open_browser.complaints if "status of 403" not in said]


def test_one_draft_on_two_devices_loses_nothing(open_browser):
    phone = open_browser(Role.REPORTER)
    phone.goto("/staff/rumors/log/")
    phone.locator("[name=claim]").fill("Zebror dansar på torget")
    phone.locator("[data-log-status]").filter(has_text="saved for you").wait_for()
    # Given the same draft at the desk, too
    desk = phone.context.new_page()
    desk.goto("/staff/rumors/log/")
    desk.get_by_role("link", name="Zebror dansar på torget").click()
    # When the phone sends it, and the desk writes on
    phone.locator("[name=channel]").select_option("phone")
    phone.get_by_role("button", name="Save, and see").click()
    phone.wait_for_url("**/logged/")
    desk.locator("[name=claim]").fill("Giraffer sjunger i kyrkan")
    desk.locator("[name=channel]").select_option("phone")
    # Then the desk is told so, and can save it as one more
    desk.locator("[data-log-status]").filter(has_text="is not in it").wait_for()
    desk.get_by_role("button", name="Save, and see").click()
    desk.get_by_text("Is it one more?").first.wait_for()
    assert desk.locator("[name=claim]").input_value() == "Giraffer sjunger i kyrkan"
    desk.get_by_role("button", name="Save, and see").click()
    desk.wait_for_url("**/logged/")
    claims = Rumor.objects.order_by("pk").values_list("claim", flat=True)
    assert list(claims) == ["Zebror dansar på torget", "Giraffer sjunger i kyrkan"]


def test_a_phone_that_was_closed_goes_on_where_it_was(open_browser):
    phone = open_browser(Role.REPORTER)
    phone.goto("/staff/rumors/log/")
    phone.locator("[name=claim]").fill("Zebror dansar på torget")
    phone.locator("[data-log-status]").filter(has_text="saved for you").wait_for()
    phone.goto("/staff/")
    phone.get_by_role("link", name="Log what you heard").click()
    phone.get_by_role("link", name="Zebror dansar på torget").click()
    assert phone.locator("[name=claim]").input_value() == "Zebror dansar på torget"


def test_without_script_it_takes_one_step_more(open_browser, is_accessible):
    known = log()
    phone = open_browser(Role.REPORTER, java_script_enabled=False)
    phone.goto("/staff/rumors/log/")
    phone.locator("[name=claim]").fill(CLAIM)
    phone.locator("[name=channel]").select_option("phone")
    phone.get_by_role("button", name="Save, and see").click()
    assert Rumor.objects.count() == 1
    phone.get_by_role("button", name="None of these").click()
    phone.wait_for_url("**/logged/")
    assert Rumor.objects.exclude(pk=known.pk).get().claim == CLAIM


def test_an_analyst_says_that_two_are_one_and_takes_it_back(open_browser, is_accessible, settings):
    settings.MATCH_MEANING = False
    one, other = log(original="Mahkeme yok", original_language="tr"), log(claim=ALIKE)
    pairs.compare_due(limit=10, now=timezone.now())
    analyst = open_browser(Role.EDITOR, viewport=DESK)
    # Given a suggestion
    analyst.goto("/staff/rumors/suggestions/")
    assert "Shared words" in analyst.locator("main").inner_text()
    is_accessible(analyst)
    # When it is confirmed, related first, then the same
    analyst.get_by_role("button", name="That is so").click()
    assert Pair.objects.get().state == "confirmed"
    analyst.goto(f"/staff/rumors/{other.pk}/relate/")
    analyst.get_by_label("The other rumor").fill(one.public_id)
    analyst.get_by_label("The same claim").check()
    analyst.get_by_role("button", name="Save").click()
    analyst.get_by_role("button", name=f"Let it repeat {one}").click()
    analyst.wait_for_url(f"**/rumors/{one.pk}/")
    # Then the sightings of both stand in one place
    assert Rumor.objects.as_rows().get(pk=one.pk).sightings_count == 2
    # And when it is undone, each has its own again
    analyst.get_by_role("button", name="Undo").click()
    assert Rumor.objects.as_rows().get(pk=one.pk).sightings_count == 1
    other.refresh_from_db()
    assert other.same_as is None
    is_accessible(analyst)


def test_an_answer_is_refused_mended_approved_and_read_in_three_languages(open_browser, is_accessible):
    fact = factories.published_fact("ar", "so", slug="domstolen")
    rumor = log()
    editor, approver = (open_browser(role, viewport=DESK) for role in (Role.EDITOR, Role.APPROVER))

    def write(page, language, **fields):
        page.goto(f"/staff/texts/rebuttal/{rebuttal.pk}/{language}/")
        for name, text in fields.items():
            # A translator has a box for each paragraph.
            boxes = page.locator(f"[name={name}]")
            parts = text.split("\n\n") if boxes.count() > 1 else [text]
            for place, part in enumerate(parts):
                boxes.nth(place).fill(part)
        page.get_by_role("button", name="Send for approval").click()
        page.wait_for_url("**/revisions/*/")

    def publish():
        approver.goto("/staff/")
        approver.locator("main .links a").first.click()
        approver.get_by_role("button", name="Approve and publish").click()
        approver.wait_for_selector(".notice")

    # Given a fact that answers the rumor
    editor.goto(f"/staff/rumors/{rumor.pk}/link/?fact={fact.slug}")
    editor.locator("[name=slug]").fill("domstolen-beslutar")
    editor.locator("main form button").last.click()
    editor.wait_for_url("**/texts/rebuttal/**")
    rebuttal = Rebuttal.objects.get()
    swedish = {
        "title": "Domstolen beslutar om vård utan samtycke",
        "answer": "En domstol beslutar. Kommunen ansöker.",
        "claim": "Du kanske har hört att ingen domstol behövs.",
        "explanation": "## Varför det är fel\n\nLagen kräver ett beslut av en domstol.",
    }
    # When the approver sends it back, and the editor has mended it
    write(editor, "sv", **swedish | {"answer": "Det stämmer inte."})
    approver.goto("/staff/")
    approver.locator("main .links a").first.click()
    approver.get_by_text("Send back with a reason").click()
    approver.get_by_label("Why?").fill("Säg vem som beslutar.")
    approver.get_by_role("button", name="Send back").click()
    assert not Rebuttal.objects.published().exists()
    write(editor, "sv", **swedish)
    publish()
    # And two others are written, each approved by somebody else
    write(
        editor,
        "ar",
        title="المحكمة هي التي تقرر الرعاية دون موافقة",
        answer="المحكمة تقرر. البلدية تقدم الطلب.",
        claim="ربما سمعت أنه لا حاجة إلى محكمة.",
        explanation="## لماذا هذا خطأ\n\nيشترط القانون قرارا من محكمة.",
    )
    publish()
    write(
        editor,
        "so",
        title="Maxkamaddu waxay go'aamisaa daryeelka aan la oggolayn",
        answer="Maxkamad ayaa go'aamisa. Degmadu way codsataa.",
        claim="Waxaa laga yaabaa inaad maqashay in aan maxkamad loo baahnayn.",
        explanation="## Sababta ay u khaldan tahay\n\nSharcigu wuxuu u baahan yahay go'aan maxkamadeed.",
    )
    publish()
    # Then each is read in its language, the truth first
    for code, title in [("sv", "Domstolen beslutar"), ("ar", "المحكمة هي"), ("so", "Maxkamaddu waxay")]:
        reader = open_browser()
        reader.goto(f"/{code}/rumors/domstolen-beslutar/")
        assert title in reader.locator("h1").inner_text()
        is_accessible(reader)
    rebuttal.refresh_from_db()
    assert [language.code for language in rebuttal.published_languages] == ["sv", "ar", "so"]


def test_a_threat_goes_to_the_security_role_and_nowhere_else(open_browser, is_accessible):
    phone = open_browser(Role.REPORTER)
    phone.goto("/staff/rumors/log/")
    phone.locator("[name=claim]").fill("Det sägs att kontoret ska besökas i natt")
    phone.locator("[name=original]").fill("Vi kommer till kontoret i natt, alla ska med")
    phone.locator("[name=channel]").select_option("phone")
    phone.get_by_label("It holds a threat against somebody").check()
    phone.get_by_role("button", name="Save, and see").click()
    phone.wait_for_url("**/staff/rumors/")
    # Then it is in nobody's list
    assert "kontoret" not in phone.locator("main").inner_text()
    security = open_browser(Role.SECURITY, viewport=DESK)
    security.goto("/staff/rumors/threats/")
    assert "kontoret ska besökas" not in security.locator("main").inner_text()
    is_accessible(security)
    security.locator("main .links a").first.click()
    assert "Vi kommer till kontoret" in security.locator("main").inner_text()
    security.get_by_label("What was done?").fill("Polisen och chefen vet.")
    security.locator("main form button").last.click()
    security.wait_for_url("**/threats/")
    handled = Sighting.objects.get()
    assert handled.handled_note == "Polisen och chefen vet."
    assert AuditEvent.objects.about(handled.rumor).filter(verb="read").exists()
