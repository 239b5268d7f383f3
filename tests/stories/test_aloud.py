"""A parent who does not read easily has a text read aloud. Headless Chromium has no voice, so the browser's own
interface is stood in for; every line of ours runs. The page is in English and its text in Swedish: the text decides."""

import pytest
from playwright.sync_api import expect

from portal.facts import actions
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

# What speaks only writes down what it was told; `next()` says that a sentence has ended.
STUB = """
window.heard = [];
window.cancelled = 0;
const voices = VOICES;
const stub = {
  getVoices: () => window.late ? [] : voices,
  speak(one) { window.current = one; window.heard.push(one.text); },
  cancel() { window.cancelled++; window.current?.onerror({ error: "canceled" }); window.current = null; },
};
window.next = () => { const one = window.current; window.current = null; one.onend(); };
window.late = LATE;
window.arrive = () => { window.late = false; stub.onvoiceschanged(); };
Object.defineProperty(window, "speechSynthesis", { value: stub });
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""
SWEDISH = '{ lang: "sv_SE", localService: true, name: "Alva" }'
ARABIC = '{ lang: "ar-EG", localService: true, name: "Layla" }'
DISTANT = '{ lang: "sv-SE", localService: false, name: "Far away" }'
BODY = """## Så går det till

Kommunen **ansöker. Domstolen** beslutar enligt 2 §, t.ex. i dag. Är du orolig? Ring {{phone:social}}!

- Först ett.
- Sedan två.
"""


@pytest.fixture
def fact(db):
    made = factories.fact(slug="domstolen")
    actions.edit(made, by=factories.user(), sources=[{"title": "LVU", "sfs": "1990:52"}])
    factories.publish(made, title="Vem beslutar?", summary="En domstol. Ingen annan.", body=BODY)
    factories.publish(made, "ar", title="من يقرر؟", summary="المحكمة. لا أحد غيرها.", body="نص أول. هل فهمت؟ نعم.")
    return made


@pytest.fixture
def reads(open_browser, fact):
    def opened(path: str, *voices: str, late: bool = False, **options):
        page = open_browser(**options)
        stub = STUB.replace("VOICES", f"[{', '.join(voices)}]").replace("LATE", str(late).lower())
        page.add_init_script(stub)
        page.goto(path)
        return page

    return opened


def heard(page) -> list[str]:
    return [" ".join(text.split()) for text in page.evaluate("window.heard")]


def marked(page) -> str:
    return "".join(page.locator(".said").all_text_contents()).strip()


def test_a_text_is_read_sentence_by_sentence_and_the_one_being_read_is_marked(reads, is_accessible):
    page = reads("/en/facts/domstolen/", DISTANT, ARABIC, SWEDISH)
    before = page.locator("article").inner_text()
    # Nothing is said before it is asked for
    assert heard(page) == []
    page.get_by_role("button", name="Read aloud").click()
    voice = page.evaluate("[window.current.voice.name, window.current.lang]")
    assert voice == ["Alva", "sv_SE"]
    shown = []
    while page.evaluate("!!window.current"):
        shown.append(" ".join(marked(page).split()))
        assert page.locator(".said").first.evaluate(
            "e => { const b = e.getBoundingClientRect(); return b.top >= 0 && b.top < innerHeight }"
        )
        page.evaluate("next()")
    said = [
        "Vem beslutar?", "En domstol.", "Ingen annan.", "Så går det till", "Kommunen ansöker.",
        "Domstolen beslutar enligt 2 §, t.ex. i dag.", "Är du orolig?",
        "Ring 0 9 8 0 3 1 9 2 0 0 !", "Först ett.", "Sedan två.",
    ]  # fmt: skip
    assert heard(page) == said
    assert shown == [*said[:7], "Ring 0980-319 200!", *said[8:]]
    # At the end all is as it was, and the text reads the same
    expect(page.locator(".said")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert page.locator("article").inner_text().split() == before.split()
    assert page.locator("article .prose a.phone").get_attribute("href") == "tel:0980319200"
    is_accessible(page)


def test_it_can_be_paused_gone_on_with_and_stopped(reads, is_accessible):
    page = reads("/en/facts/domstolen/", SWEDISH)
    page.get_by_role("button", name="Read aloud").click()
    page.evaluate("next()")
    is_accessible(page)
    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("window.cancelled") == 1
    assert marked(page) == "En domstol."
    page.get_by_role("button", name="Go on").click()
    assert heard(page) == ["Vem beslutar?", "En domstol.", "En domstol."]
    page.get_by_role("button", name="Stop").click()
    assert page.evaluate("window.cancelled") == 2
    assert marked(page) == ""
    assert page.evaluate("document.activeElement.textContent") == "Read aloud"
    page.get_by_role("button", name="Read aloud").click()
    assert heard(page)[-1] == "Vem beslutar?"


def test_the_voice_stops_when_the_reader_leaves(reads):
    page = reads("/en/facts/domstolen/", SWEDISH)
    page.get_by_role("button", name="Read aloud").click()
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert page.evaluate("window.cancelled") == 1
    assert marked(page) == ""
    expect(page.get_by_role("button", name="Read aloud")).to_be_visible()


def test_the_voice_is_that_of_the_text(reads):
    page = reads("/ar/facts/domstolen/", SWEDISH, ARABIC)
    page.locator("[data-aloud] button").first.click()
    while page.evaluate("!!window.current"):
        assert page.evaluate("window.current.lang") == "ar-EG"
        page.evaluate("next()")
    assert heard(page)[-3:] == ["نص أول.", "هل فهمت؟", "نعم."]


@pytest.mark.parametrize("voices", [[ARABIC], [ARABIC, DISTANT]], ids=["another language", "only far away"])
def test_a_device_without_a_voice_for_the_language_says_so(reads, is_accessible, voices):
    page = reads("/en/facts/domstolen/", *voices)
    expect(page.get_by_text("has no voice for this language")).to_be_visible()
    expect(page.get_by_role("button", name="Read aloud")).to_have_count(0)
    assert page.evaluate("document.activeElement === document.body")
    assert heard(page) == []
    is_accessible(page)


def test_voices_that_come_late_are_waited_for_and_nothing_begins_by_itself(reads):
    page = reads("/en/facts/domstolen/", SWEDISH, late=True)
    page.get_by_role("button", name="Read aloud").click()
    expect(page.get_by_text("has no voice for this language")).to_be_visible()
    assert page.evaluate("document.activeElement.textContent").endswith("has no voice for this language.")
    page.evaluate("arrive()")
    assert heard(page) == []
    expect(page.get_by_text("has no voice")).to_have_count(0)
    page.get_by_role("button", name="Read aloud").click()
    assert heard(page) == ["Vem beslutar?"]


def test_a_voice_that_fails_says_so_and_one_that_is_interrupted_waits(reads):
    page = reads("/en/facts/domstolen/", SWEDISH)
    page.get_by_role("button", name="Read aloud").click()
    page.evaluate("window.current.onerror({ error: 'interrupted' })")
    page.get_by_role("button", name="Go on").click()
    page.evaluate("window.current.onerror({ error: 'language-unavailable' })")
    expect(page.get_by_text("has no voice for this language")).to_be_visible()
    assert marked(page) == ""


def test_sentences_are_found_without_the_browsers_help_too(reads):
    page = reads("/en/facts/domstolen/", SWEDISH)
    page.evaluate("Intl.Segmenter = undefined")
    page.get_by_role("button", name="Read aloud").click()
    while page.evaluate("!!window.current"):
        page.evaluate("next()")
    told = heard(page)
    assert told[:5] == ["Vem beslutar?", "En domstol.", "Ingen annan.", "Så går det till", "Kommunen ansöker."]
    assert told[-1] == "Sedan två."


def test_without_script_or_speech_nothing_of_it_is_shown(open_browser, fact):
    mute = open_browser()
    mute.add_init_script("Object.defineProperty(window, 'speechSynthesis', { value: undefined })")
    for page in (open_browser(java_script_enabled=False), mute):
        page.goto("/en/facts/domstolen/")
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("[data-aloud]")).to_have_count(1)
        assert page.locator("[data-aloud]").bounding_box() is None
