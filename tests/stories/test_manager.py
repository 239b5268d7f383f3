"""The head of the social services sees what is spreading, keeps a report for the board, and opens it again."""

import pytest
from playwright.sync_api import expect

from portal.accounts.models import Role
from portal.reports.models import Report
from tests.dashboard.conftest import acted, heard, logged
from tests.stories.conftest import DESK

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_manager_looks_keeps_a_report_and_finds_it_again(open_browser, is_accessible):
    # Given a rumor that was heard, acted upon and heard again
    rumor = logged(60, area="Öster", original_language="ar")
    heard(rumor, *[50] * 6, 20, 3, area="Öster", language="ti")
    acted(rumor, 40)

    # When a manager opens the figures on a phone
    phone = open_browser(Role.MANAGER)
    phone.goto("/staff/rumors/dashboard/")
    # Then the bars and their numbers stand there
    expect(phone.get_by_role("img", name="Sightings per week")).to_have_count(1)
    expect(phone.get_by_role("img", name="ትግርኛ – Tigrinya 8")).to_have_count(1)
    phone.get_by_text("The same in numbers").first.click()
    expect(phone.get_by_role("row", name="week").first).to_be_visible()
    expect(phone.get_by_role("row", name="Öster 9")).to_have_count(1)
    is_accessible(phone)

    # When they count a month of a report, and keep it
    desk = open_browser(Role.MANAGER, viewport=DESK)
    desk.goto("/staff/reports/")
    desk.get_by_role("button", name="Count").click()
    expect(desk.get_by_text("It is not kept")).to_be_visible()
    is_accessible(desk)
    desk.get_by_label("What you call it").fill("For the board")
    desk.get_by_role("button", name="Keep this report").click()
    desk.wait_for_url("**/staff/reports/*/")
    # Then it has its name, and nothing to compare it with
    report = Report.objects.get()
    expect(desk.get_by_role("heading", name="For the board")).to_have_count(1)
    expect(desk.get_by_text("no earlier report")).to_be_visible()
    is_accessible(desk)
    # And it can be fetched
    with desk.expect_download() as waiting:
        desk.get_by_role("link", name="Fetch for Excel").click()
    assert waiting.value.suggested_filename == f"rapport-{report.pk}-{report.first}-{report.last}.xlsx"
    desk.goto("/staff/reports/")
    expect(desk.get_by_role("link", name="For the board")).to_have_count(1)
