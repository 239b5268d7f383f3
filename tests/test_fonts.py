from portal import fonts
from portal.pages.starter import FOLDER


def test_our_fonts_can_write_every_starter_text():
    texts = list(FOLDER.rglob("*.md"))
    assert len(texts) > 100
    assert {str(path): missing for path in texts if (missing := fonts.unprintable(path.read_text("utf-8")))} == {}


def test_characters_without_a_glyph_are_found():
    assert fonts.unprintable("LVU 6 § ላ می‌تواند ئێمە\u200f 112\n") == ""
    assert fonts.unprintable("简体 ☎ 112") == "☎体简"
