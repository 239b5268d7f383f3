"""A caseworker logs what was heard between two visits, an editor answers it, the public reads the answer."""

import pytest
from playwright.sync_api import expect

from portal.accounts.models import Role
from rumors.models import Rumor, Sighting
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_rumor_is_logged_answered_and_read(open_browser, is_accessible):
    # Given a published fact
    factories.published_fact("ar", slug="domstolen")
    # And a caseworker with a phone
    phone = open_browser(Role.REPORTER)
    phone.goto("/staff/")
    phone.get_by_role("link", name="Log what you heard").click()

    # When the words hold a personal number
    phone.locator("[name=claim]").fill("Påståendet att ingen domstol behövs för barnet 850709-9805")
    phone.locator("[name=channel]").select_option("home_visit")
    phone.get_by_role("button", name="Save, and see").click()
    # Then it is refused, the number is not repeated in the message, and nothing typed is lost
    assert "personal identity number" in phone.locator(".summary").inner_text()
    assert "850709" not in phone.locator(".summary").inner_text()
    assert "850709-9805" in phone.locator("[name=claim]").input_value()
    assert not Rumor.objects.exists()
    is_accessible(phone)

    # When it is taken out
    phone.locator("[name=claim]").fill("Påståendet att ingen domstol behövs")
    phone.get_by_role("button", name="Save, and see").click()
    phone.wait_for_url("**/logged/")
    # Then the rumor stands in the register with its first sighting
    rumor = Rumor.objects.get()
    assert Sighting.objects.get().channel == "home_visit"
    is_accessible(phone)

    # When an editor links the fact as its answer and writes it
    desk = open_browser(Role.EDITOR, viewport={"width": 1280, "height": 800})
    desk.goto(f"/staff/rumors/{rumor.pk}/link/")
    desk.get_by_role("link", name="Fråga sv?").or_(desk.get_by_role("button", name="Fråga sv?")).first.click()
    desk.locator("[name=slug]").fill("domstolen-beslutar")
    desk.locator("main form button").last.click()
    desk.wait_for_url("**/texts/rebuttal/**")
    desk.locator("[name=title]").fill("Domstolen beslutar om vård utan samtycke")
    desk.locator("[name=answer]").fill("Förvaltningsrätten avgör. Kommunen ansöker.")
    desk.locator("[name=claim]").fill("Du kanske har hört att ingen domstol behövs.")
    desk.locator("[name=explanation]").fill("## Varför det är fel\n\nLagen kräver ett domstolsbeslut.")
    desk.get_by_role("button", name="Send for approval").click()
    desk.wait_for_url("**/revisions/*/")
    # Then the editor cannot approve it alone
    expect(desk.get_by_role("button", name="Approve")).to_have_count(0)

    # When a second person approves it
    approver = open_browser(Role.APPROVER, viewport={"width": 1280, "height": 800})
    approver.goto("/staff/")
    approver.locator("main .links a").first.click()
    is_accessible(approver)
    approver.get_by_role("button", name="Approve and publish").click()
    approver.wait_for_selector(".notice")

    # Then everybody reads the truth as the title, and the claim only after it
    reader = open_browser()
    reader.goto("/sv/rumors/domstolen-beslutar/")
    assert reader.locator("h1").inner_text() == "Domstolen beslutar om vård utan samtycke"
    text = reader.locator("main").inner_text()
    assert text.index("Förvaltningsrätten avgör") < text.index("Du kanske har hört")
    is_accessible(reader)
