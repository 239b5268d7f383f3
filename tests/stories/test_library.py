"""A text from its first draft to readers in Persian and Tigrinya, through the hands of those who write, approve and
translate it."""

import re

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from portal.accounts.models import Role
from portal.facts.models import Fact
from portal.revisions.models import Edition, EditLock, Revision
from tests import factories
from tests.stories.conftest import DESK, PHONE

pytestmark = pytest.mark.django_db(transaction=True)

BODY = "Du får en tolk inom 3 dagar. Det kostar inget.\n\nRing {{phone:social}} och säg vilket språk du talar."


def write(page, title, summary, body):
    page.get_by_label("question").fill(title)
    page.get_by_label("answer in two sentences").fill(summary)
    page.get_by_label("text", exact=True).fill(body)


def test_an_editor_writes_an_approver_publishes_and_a_dangerous_change_reaches_everybody(open_browser, is_accessible):
    topic = factories.topic()
    editor, approver = (open_browser(role, viewport=DESK) for role in (Role.EDITOR, Role.APPROVER))

    # Given an editor who makes a new fact
    editor.goto("/staff/facts/new/")
    editor.get_by_label("Audience").select_option("parents")
    editor.get_by_label("Topic").select_option(str(topic.pk))
    editor.get_by_label("Address", exact=True).fill("tolk")
    editor.get_by_role("button", name="Save").click()
    # When the Swedish text is sent for approval
    write(editor, "Får jag en tolk?", "Ja, du får en tolk. Det är gratis.", BODY)
    editor.get_by_role("button", name="Send for approval").click()
    # Then it says that it waits, and a colleague may see how it will look
    assert "Waiting for approval" in editor.locator(".state").first.inner_text()
    preview = editor.get_by_role("link", name="Preview link").get_attribute("href")
    stranger = open_browser(viewport=PHONE)
    stranger.goto(preview)
    assert stranger.locator("h1").inner_text() == "Får jag en tolk?"
    is_accessible(editor)

    # When an approver comments on it and sends it back
    approver.goto("/staff/facts/library/")
    approver.get_by_role("link", name="Får jag en tolk?").click()
    approver.get_by_label("Comment", exact=True).fill("Säg hur snabbt det går.")
    approver.get_by_role("button", name="Comment").click()
    approver.get_by_text("Send back with a reason").click()
    approver.get_by_label("Why?").fill("Skriv hur lång tid det tar.")
    approver.get_by_role("button", name="Send back").click()
    # Then the editor finds it on the list, mends it and sends it again
    editor.goto("/staff/translations/")
    editor.get_by_role("link", name="Får jag en tolk?").click()
    assert "Säg hur snabbt det går." in editor.locator("main").inner_text()
    editor.get_by_role("link", name="Go on writing").click()
    assert "Skriv hur lång tid det tar." in editor.locator(".notice.bad").inner_text()
    editor.get_by_label("answer in two sentences").fill("Ja, inom 3 dagar. Det är gratis.")
    editor.get_by_role("button", name="Send for approval").click()
    # And the approver sees what changed and publishes it
    approver.goto(editor.url)
    approver.get_by_role("link", name="Compare with the version before").click()
    assert approver.locator("ins").first.inner_text().strip()
    is_accessible(approver)
    approver.goto(editor.url)
    approver.get_by_role("button", name="Approve and publish in Svenska").click()
    reader = open_browser(viewport=PHONE, java_script_enabled=False)
    reader.goto("/sv/facts/tolk/")
    assert "inom 3 dagar" in reader.locator(".answer").inner_text()

    # Given a Persian translation of it
    fact = Fact.objects.get()
    persian = {
        "title": "آیا مترجم می‌گیرم؟",
        "summary": "بله، ظرف 3 روز. رایگان است.",
        "body": "ظرف 3 روز مترجم می‌گیرید. هزینه‌ای ندارد.\n\nبا {{phone:social}} تماس بگیرید و زبان خود را بگویید.",
    }
    factories.publish(fact, "fa", **persian)
    reader.goto("/fa/facts/tolk/")
    assert reader.locator("article").get_attribute("dir") == "rtl"
    # When the editor changes something that is dangerous to read as it was
    editor.goto(f"/staff/texts/fact/{fact.pk}/sv/")
    editor.get_by_label("answer in two sentences").fill("Ja, inom 14 dagar. Det är gratis.")
    editor.get_by_label("text", exact=True).fill(BODY.replace("3 dagar", "14 dagar"))
    editor.get_by_label("Something important changed").check()
    editor.get_by_label("What has changed?").fill("Det tar längre tid nu.")
    editor.get_by_label("Dangerous if old").check()
    editor.get_by_role("button", name="Send for approval").click()
    approver.goto(editor.url)
    approver.get_by_role("button", name="Approve and publish in Svenska").click()
    # Then a Persian reader gets the Swedish text, marked as such
    cache.clear()  # a page may be fifteen seconds old, here and in the browser
    reader.goto("/fa/facts/tolk/?seen=2")
    assert reader.locator("[data-fallback=sv] .answer").inner_text().startswith("Ja, inom 14 dagar")
    assert Edition.objects.get(language="fa").held_by is not None
    is_accessible(reader)


def test_a_translator_is_asked_translates_paragraph_by_paragraph_and_loses_nothing(open_browser, is_accessible):
    fact = factories.fact(slug="tolk")
    factories.publish(fact, title="Får jag en tolk?", summary="Ja. Det är gratis.", body=BODY)
    tigrinya = {
        "title": "ተርጓሚ እረክብ ዶ?",
        "summary": "እወ። ብናጻ እዩ።",
        "body": "ኣብ ውሽጢ 3 መዓልታት ተርጓሚ ትረክብ። ዋጋ የብሉን።\n\nናብ {{phone:social}} ደውል።",
    }
    factories.publish(fact, "ti", **tigrinya)
    changed = BODY.replace("3 dagar", "14 dagar") + "\n\nTolken har tystnadsplikt."
    factories.publish(
        fact, title="Får jag en tolk?", summary="Ja. Det är gratis.", body=changed, change_note="Ny tid för tolk."
    )

    # Given a mother who reads the text before it is renewed
    mother = open_browser(viewport=PHONE, java_script_enabled=False)
    mother.goto("/ti/facts/tolk/")
    notice = mother.locator("article .notice").first
    assert notice.get_attribute("lang") == "ti"
    assert "Ny tid för tolk." in notice.inner_text()
    # When she asks for both texts
    mother.locator('article .notice a[href="?with=sv"]').click()
    # Then the Swedish text stands below hers on a phone, and beside it on a wide screen
    hers, swedish = mother.locator("article").nth(0), mother.locator('article[lang="sv"]')
    assert swedish.bounding_box()["y"] > hers.bounding_box()["y"]
    mother.set_viewport_size(DESK)
    assert swedish.bounding_box()["y"] == hers.bounding_box()["y"]
    mother.set_viewport_size(PHONE)
    is_accessible(mother)

    # Given a translator who opens the page for Tigrinya
    translator = open_browser(Role.TRANSLATOR, viewport=DESK)
    translator.goto(f"/staff/texts/fact/{fact.pk}/ti/")
    # Then what changed stands marked beside the translation that there is, and the new paragraph is empty
    assert translator.locator(".pair.to-do del").inner_text() == "3"
    assert translator.locator(".pair.to-do ins").inner_text() == "14"
    boxes = translator.locator('textarea[name="body"]')
    assert boxes.nth(0).input_value().startswith("ኣብ ውሽጢ 3")
    assert boxes.nth(2).input_value() == ""
    # When she types, what she typed is kept while she does
    boxes.nth(0).fill("ኣብ ውሽጢ 14 መዓልታት ተርጓሚ ትረክብ። ዋጋ የብሉን።")
    translator.locator("[data-writing-status]").filter(has_text=re.compile(r"\w")).wait_for()
    with translator.expect_response(re.compile("/writing/"), timeout=20_000):
        pass
    assert "14" in str(EditLock.objects.get().typed)
    # And it is there again after the window was closed by mistake
    again = translator.context.new_page()
    again.runs_script = True
    translator.close()
    again.goto(f"/staff/texts/fact/{fact.pk}/ti/")
    assert again.locator('textarea[name="body"]').nth(0).input_value().startswith("ኣብ ውሽጢ 14")
    # When the last paragraph is missing and it is sent all the same
    again.locator('textarea[name="body"]').nth(2).fill("ተርጓሚ ምስጢር ይሕሉ።")
    is_accessible(again)
    again.get_by_role("button", name="Send for approval").click()
    assert "Waiting for approval" in again.locator(".state").first.inner_text()
    revision = Revision.objects.of(fact).filter(language="ti").first()
    assert revision.fields["body"].count("\n\n") == 2

    # When somebody else approves it
    approver = open_browser(Role.APPROVER, viewport=PHONE)
    approver.goto(f"/staff/revisions/{revision.pk}/")
    approver.get_by_role("button", name="Approve and publish in ትግርኛ").click()
    # Then the mother's page says nothing of being old any more
    cache.clear()
    mother.goto("/ti/facts/tolk/?seen=2")
    expect(mother.locator("article .notice")).to_have_count(0)
    assert "14" in mother.locator("article .prose").inner_text()
    is_accessible(approver)
