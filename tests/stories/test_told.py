"""A parent asks something on a phone, keeps the code on paper, and reads the answer that two people gave."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from playwright.sync_api import expect

from portal.accounts.models import Role
from portal.questions.models import Question
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_parent_asks_in_somali_and_reads_the_answer_with_the_code(open_browser, is_accessible):
    # Given a published fact
    factories.published_fact()
    # And a parent with a phone, who opens the form and thinks for a while
    phone = open_browser(locale="so")
    with time_machine.travel(timezone.now() - timedelta(minutes=2), tick=False):
        phone.goto("/so/tell-us/")
    # Then the numbers to call stand before everything that can be filled in
    assert phone.locator('main a[href="tel:112"]').first.bounding_box()["y"] < 500
    is_accessible(phone)

    # When she writes a personal number
    phone.locator("textarea").fill("Wiilkayga 850709-9805 miyaa la qaadayaa?")
    phone.locator("main form button").click()
    # Then the number is refused beside the field, nothing she wrote is lost, and the list of faults has the focus
    # (autofocus comes after the page is painted)
    phone.locator(".summary:focus").wait_for()
    assert "850709" not in phone.locator(".summary").inner_text()
    assert phone.locator("textarea").input_value() == "Wiilkayga 850709-9805 miyaa la qaadayaa?"
    assert phone.locator("textarea").get_attribute("aria-invalid") == "true"
    assert not Question.objects.exists()
    is_accessible(phone)

    # When she takes it out and sends it again at once
    phone.locator("textarea").fill("Wiilkayga miyaa la qaadayaa?")
    phone.locator("main form button").click()
    # Then she gets a code, which fits on one line
    code = phone.locator("main code").inner_text()
    assert phone.locator("main code").bounding_box()["height"] < 70
    assert len(code) == 17
    assert Question.objects.get().language == "so"
    is_accessible(phone)

    # When she looks before anybody has answered, with small letters and spaces
    phone.goto("/so/tell-us/")
    phone.locator('main a[href="/so/tell-us/answer/"]').click()
    is_accessible(phone)
    phone.locator("[name=code]").fill(code.lower().replace("-", " "))
    phone.locator("main form button").click()
    # Then she is told to come back
    assert "Jawaabtu weli halkan ma taallo" in phone.locator("main").inner_text()

    # When an editor answers in words
    desk = open_browser(Role.EDITOR, viewport={"width": 1280, "height": 800})
    desk.goto("/staff/questions/")
    is_accessible(desk)
    desk.get_by_role("link", name="Wiilkayga miyaa la qaadayaa?").click()
    is_accessible(desk)
    desk.locator("[name=outcome][value=answered]").check()
    desk.locator("[name=answer]").fill("Maya. Maxkamad ayaa go'aamisa. Wac 070-123 45 67.")
    desk.locator("form[action$='/settle/'] button").click()
    # Then the guard asks why the number may stand there
    desk.locator("[name=guard_reason]").select_option("organization")
    is_accessible(desk)
    desk.locator("form[action$='/settle/'] button").click()
    # And the editor cannot approve it alone
    desk.get_by_role("link", name="1 answer waits for approval").click()
    desk.get_by_role("link", name="Wiilkayga miyaa la qaadayaa?").click()
    desk.wait_for_load_state()
    expect(desk.get_by_role("button", name="Approve")).to_have_count(0)

    # When a second person approves it
    approver = open_browser(Role.APPROVER)
    approver.goto("/staff/questions/?outcome=proposed")
    approver.get_by_role("link", name="Wiilkayga miyaa la qaadayaa?").click()
    is_accessible(approver)
    approver.get_by_role("button", name="Approve").click()
    approver.wait_for_selector(".notice")

    # Then the parent reads it with the code
    phone.goto("/so/tell-us/answer/")
    phone.locator("[name=code]").fill(code)
    phone.locator("main form button").click()
    assert "Maxkamad ayaa go'aamisa" in phone.locator("main [lang=so]").inner_text()
    assert phone.context.cookies() == []
    is_accessible(phone)


def test_the_back_button_leads_to_the_form_and_asks_nothing_twice(open_browser, is_accessible):
    phone = open_browser(java_script_enabled=False, locale="ti")
    phone.goto("/ti/")
    with time_machine.travel(timezone.now() - timedelta(minutes=2), tick=False):
        phone.goto("/ti/tell-us/")
    phone.locator("textarea").fill("ናይ ብሓቂ ድዩ?")
    phone.locator("main form button").click()
    first = phone.locator("main code").inner_text()
    phone.go_back()
    expect(phone.locator("textarea")).to_be_visible()
    assert Question.objects.count() == 1
    # When something else is sent from there
    phone.locator("textarea").fill("ካልእ ሕቶ")
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        phone.locator("main form button").click()
        second = phone.locator("main code").inner_text()
    # Then it is another question with another code
    assert first != second
    assert set(Question.objects.values_list("text", flat=True)) == {"ናይ ብሓቂ ድዩ?", "ካልእ ሕቶ"}
