"""A check that blocks without reason stops a translator; one that does not block sends readers to a wrong number."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal import languages, markup
from portal.pages.starter import texts
from portal.revisions.checks import BLOCKING, MESSAGES, compare, hard_facts
from portal.revisions.glossary.rules import Entry, Words

ABOUT_NUMBERS = {
    *("number_missing", "number_added", "number_in_words", "section_missing", "section_signs"),
    *("phone_missing", "phone_added"),
}


def found(source, text, language="ar", terms=()):
    return compare({"body": source}, {"body": text}, language=language, words=Words(language, tuple(terms)))


def codes(source, text, language="ar", terms=()):
    return {finding.code for finding in found(source, text, language, terms)}


def alone(text, language="sv"):
    return {finding.code for finding in compare(None, {"body": text}, language=language)}


def blocks(source, text, language="ar"):
    return any(finding.is_blocking for finding in found(source, text, language))


# Numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "source", "text"),
    [
        ("ar", "Under 2020 hade 27 300 barn vård.", "في عام ٢٠٢٠ كان ٢٧٬٣٠٠ طفل في الرعاية."),
        ("ar", "27 300 barn, 73 %.", "27،300 طفل، ٪73."),
        ("en", "27 300 barn, 73 procent.", "27,300 children, 73%."),
        ("tr", "27 300 barn, 73 %.", "27.300 çocuk, %73."),
        ("fr", "27 300 barn.", "27\u202f300 enfants."),
        ("ti", "27 300 barn.", "27300 ቆልዑ።"),
        ("ti", "27 300 barn under 2020.", "፪፼፸፫፻ ቆልዑ ኣብ ፳፻፳።"),
        ("am", "LVU (1990:52)", "LVU (1990፡52)"),
        ("am", "LVU (1990:52)", "LVU (፲፱፻፺፡፶፪)"),
        ("en", "1,8 år mot 3,6 år.", "1.8 years against 3.6 years."),
        ("fa", "1,8 år mot 3,6 år.", "۱٫۸ سال در برابر ۳٫۶ سال."),
        ("so", "1,5 miljoner", "1.5 milyan"),
        ("en", "1 234 567,50 kronor", "1,234,567.50 kronor"),
        ("ar", "Läget den 3 november 2026.", "الوضع في ٣ نوفمبر ٢٠٢٦."),
        ("fi", "Läget den 3 november 2026.", "Tilanne 3. marraskuuta 2026."),
        ("en", "Barn födda 1991–2020.", "Children born from 1991 to 2020."),
        ("ar", "Enligt LVU (1990:52) 1–4, 36 och 39 §§.", "بموجب LVU (1990:52) المواد 1-4 و36 و39."),
        ("en", "Enligt LVU (1990:52) 1–4 §§.", "Under Sections 1 to 4 of LVU (1990:52)."),
        ("fa", "Enligt LVU (۱۹۹۰:۵۲), 13 §.", "طبق LVU (1990:52)، مادهٔ 13."),
        ("so", "Enligt LVU (1990:52), 13 §.", "Sida ku qoran LVU (1990:52), qodobka 13."),
        ("en", "Enligt 26 kap. 1 § OSL.", "Under Chapter 26, Section 1 of OSL."),
        ("en", "Enligt 36,39 §§.", "Under Sections 36 and 39."),
        ("en", "Kl. 8.30–10.00", "At 08:30–10:00"),
        ("ti", "Minst var 6:e månad.", "እንተ ወሓደ ኣብ ነፍሲ ወከፍ 6 ኣዋርሕ።"),
        ("en", "Talet står i art. 2021-8-7516.", "The figure is in art. 2021-8-7516."),
        ("zh-hans", "Under 2020 hade 27 300 barn vård.", "2020年有27,300名儿童得到照护。"),
        ("th", "Under 2020 hade 27 300 barn vård.", "ในปี ๒๐๒๐ มีเด็ก ๒๗,๓๐๐ คน"),
        ("ar", "Läget 2026-11-03.", "\u200eالوضع في 2026-11-03\u200f."),
    ],
)
def test_the_same_numbers_in_the_way_of_another_language(language, source, text):
    assert ABOUT_NUMBERS & codes(source, text, language) == set()


@pytest.mark.parametrize(
    ("source", "text", "code"),
    [
        ("27 300 barn", "27 800 طفل", "number_missing"),
        ("27 300 barn", "27 طفل و 300", "number_missing"),
        ("1,8 år", "18 سنة", "number_missing"),
        ("73 % av alla", "معظم الجميع", "number_missing"),
        ("5 % av alla", "خمسة بالمئة من الجميع", "number_missing"),
        ("LVU (1990:52)", "LVU (52:1990)", "number_missing"),
        ("LVU (1990:52)", "LVU", "number_missing"),
        ("10 000 barn", "طفل 1 000", "number_missing"),
        ("Enligt 6 § LVU.", "بموجب المادة السادسة من LVU.", "section_missing"),
        ("Enligt 1–4 §§ LVU.", "بموجب المواد 2-4 من LVU.", "section_missing"),
        ("Det står i paragraf 6 och 7.", "هذا في المادة 6.", "section_missing"),
        ("Enligt 26 kap. 1 § OSL.", "بموجب المادة 26 من OSL.", "section_missing"),
    ],
)
def test_a_number_that_is_missing_blocks(source, text, code):
    findings = found(source, text)
    assert code in {finding.code for finding in findings if finding.is_blocking}
    assert findings[0].is_blocking  # the worst first


@pytest.mark.parametrize(
    ("language", "source", "text"),
    [
        ("en", "Inom 1 vecka.", "Within one week."),
        ("so", "Inom 4 veckor.", "Afar toddobaad gudahood."),
        ("ti", "Steg 12 av 12.", "መበል ዓሰርተው ክልተ"),
        ("fa", "Omkring 10 000 placeringar.", "حدود ۱۰ هزار مورد."),
        ("ar", "50 000 barn om året är fel.", "الرقم 50 ألف طفل في السنة خطأ."),
        ("en", "Omkring 50 tusen.", "About 50,000."),
        ("fa", "I snitt 1,8 år.", "به‌طور میانگین ۱/۸ سال."),
        ("fr", "Kl. 8.30.", "À 8 h 30."),
        ("fi", "Läget 2026-11-03.", "Tilanne 3. marraskuuta 2026."),
    ],
)
def test_a_number_that_may_be_written_in_words_only_warns(language, source, text):
    assert ABOUT_NUMBERS & codes(source, text, language) == {"number_in_words"}
    assert not blocks(source, text, language)


def test_a_section_is_not_satisfied_by_a_count_of_months():
    source = "Enligt 6 § inom 6 månader."
    assert ABOUT_NUMBERS & codes(source, "Under Section 6 within six months.", "en") == {"number_in_words"}
    assert ABOUT_NUMBERS & codes(source, "Under the sixth within six months.", "en") == {
        "number_in_words",
        "section_missing",
    }


def test_the_finding_names_the_field_and_what_was_found():
    source = {"title": "Hur många?", "summary": "27 300 barn under 2020.", "body": "Under 2020."}
    text = {"title": "كم عددهم؟", "summary": "27 300 طفل.", "body": "في عام 2020، 15 طفلًا."}
    findings = compare(source, text, language="ar")
    assert [(f.code, f.field) for f in findings] == [("number_missing", "summary"), ("number_added", "body")]
    assert "2020" in findings[0].message
    assert "15" in findings[1].message


def test_a_number_may_move_to_another_field():
    source = {"summary": "27 300 barn.", "body": "Under 2020."}
    assert compare(source, {"summary": "أطفال", "body": "27 300 طفل في عام 2020."}, language="ar") == []


def test_no_more_than_a_few_examples_are_shown():
    message = found(" och ".join(map(str, range(20, 40))), "لا شيء")[0].message
    assert "20, 21, 22 …" in message
    assert "23" not in message


def test_section_signs_are_counted_where_a_text_uses_them():
    source = "Enligt 6 §, 7 § och 8 §."
    assert codes(source, "بموجب 6 §، 7 §، 8 §.") == set()
    assert codes(source, "بموجب 6 §، 7 §، 8.") == {"section_signs"}
    assert codes(source, "بموجب المواد 6 و7 و8.") == set()


def test_numbers_of_list_items_are_none_of_the_text():
    assert codes("1. ett barn\n2. två barn", "1. طفل\n2. طفلان") == set()
    assert codes("1. ett barn\n2. två barn", "١. طفل\n\n٢. طفلان") == {"lists"}


# Phone numbers and links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Ring {{phone:bris}}.", "اتصلوا {{ phone:bris }}."),
        ("Ring 020-50 50 50.", "اتصلوا ٠٢٠-٥٠ ٥٠ ٥٠."),
        ("Ring 020-50 50 50.", "Call +46 20 50 50 50."),
        ("Ring 0980-319 200.", "0980319200"),
        ("Ring 0980-319 200.", "[اتصلوا](tel:+46980319200)"),
        ("Ring 116 111 eller 114 14.", "116111 ,11414"),
        ("Ring 112.", "اتصلوا ١١٢."),
        ("Se [lagen](https://www.riksdagen.se/sv/lvu/).", "انظروا [القانون](https://www.riksdagen.se/ar/lvu)."),
        ("Se [lagen](https://lagen.example/a).", "انظروا https://lagen.example/a، ثم"),
        ("Se [barn](/sv/facts/barn/).", "انظروا [الأطفال](/ar/facts/barn/)."),
        ("Se [barn](/sv/facts/barn/).", "انظروا [الأطفال](https://klarlagt.example.org/ar/facts/barn/)."),
        ("Se https://x.example/Småland.", "انظروا <https://x.example/Småland>"),
        ("Se [https://x.example](https://x.example).", "انظروا [هنا](https://x.example)"),
        ("Skriv till hjalp@kommun.example.", "اكتبوا إلى [hjalp@kommun.example](mailto:hjalp@kommun.example)."),
    ],
)
def test_the_same_number_to_call_and_the_same_link(source, text, settings):
    settings.PUBLIC_URL = "https://klarlagt.example.org"
    assert codes(source, text) == set()


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("Ring {{phone:bris}}.", "اتصلوا.", {"phone_missing"}),
        ("Ring {{phone:bris}}.", "{{phone:social}}", {"phone_missing", "phone_added"}),
        ("Ring {{phone:bris}}.", "116 111", {"phone_missing", "phone_added"}),
        ("Ring 020-50 50 50.", "اتصلوا 50 50 50-020.", {"phone_missing", "number_added"}),
        ("Se [lagen](https://x.example/a).", "القانون", {"link_missing"}),
        ("Se [lagen](https://x.example/a).", "[b](https://x.example/b)", {"link_missing", "link_added"}),
        ("Se [lagen](/sv/facts/a/).", "[b](/ar/facts/b/)", {"link_missing", "link_added"}),
        ("Skriv till hjalp@kommun.example.", "اكتبوا إلينا.", {"link_missing"}),
    ],
)
def test_another_number_to_call_or_another_link_blocks(source, text, expected):
    assert codes(source, text) == expected
    assert blocks(source, text)


# What may stay ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("## Rubrik\n\n### Under", "## عنوان\n\n### تحت", set()),
        ("## Rubrik\n\n### Under", "## عنوان\n\n## تحت", {"headings"}),
        ("## Rubrik", "\u200f## عنوان", {"headings", "invisible"}),
        ("- ett\n- två", "* واحد\n* اثنان", set()),
        ("- ett\n- två", "- واحد", {"lists"}),
        ("- ett\n- två", "1. واحد\n2. اثنان", {"lists"}),
    ],
)
def test_headings_and_list_items_are_counted(source, text, expected):
    assert codes(source, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("# Rubrik", "#### Rubrik", "##Rubrik", "<b>fet</b>", "rad<br>rad", "<!-- x -->", "`kod`", "```\nkod\n```"),
        *("> citat", "a\n\n---\n\nb", "|a|b|\n|---|---|\n|c|d|", "![bild](/a.png)", "[a](ftp://x.example)"),
        *("[a](javascript:b)", "[a] (https://x.example)", "** fet**", "~~bort~~"),
    ],
)
def test_markup_that_readers_do_not_get_is_named(text):
    assert alone(text) == {"markup"}


@pytest.mark.parametrize(
    "text",
    [
        "## Rubrik\n\n### Under\n\n- **fet** och *kursiv*\n- [länk](https://x.example)\n\n1. ett\n2. två\n\nrad\\\nrad",
        *("5 < 6 och 7 > 3", "A & B, 5 * 3, a_b_c", "Så här! [länk] och (parentes)", "fem – sex\u00a0%"),
    ],
)
def test_markup_that_readers_get_is_none(text):
    assert alone(text) == set()


@pytest.mark.parametrize("character", [*"\u00ad\u200b\u200e\u200f\u202b\u2060\u2067\ufeff", "\u200c", "\u200d"])
def test_characters_that_nobody_can_see_are_named(character):
    [finding] = compare(None, {"title": "T", "body": f"kommu{character}nen"}, language="sv")
    assert (finding.code, finding.field, finding.is_blocking) == ("invisible", "body", False)
    assert f"U+{ord(character):04X}" in finding.message
    assert "kommu|nen" in finding.message
    assert character not in finding.message


@pytest.mark.parametrize("language", ["fa", "prs", "ps", "ckb", "ur"])
def test_joiners_belong_to_the_spelling_of_some_languages(language):
    assert alone("می\u200cتواند ه\u200d", language) == set()
    assert alone("می\u200cتواند", "ar") == {"invisible"}


def test_stretched_letters_are_named():
    assert alone("الخدمـــات", "ar") == {"kashida"}


def test_letters_that_our_fonts_lack_are_named():
    [finding] = compare(None, {"body": "Ring ☎ nu"}, language="sv")
    assert (finding.code, "☎ U+260E black telephone" in finding.message) == ("glyphs", True)


@pytest.mark.parametrize(
    ("source", "text", "is_same"),
    [
        ("Vad är LVU?", "Vad är LVU?", True),
        ("Vad är LVU?", "VAD ÄR\u00a0LVU?", True),
        ("Tolk på mötet", "Tulkki kokouksessa", False),
        ("LVU (1990:52)", "LVU (1990:52)", False),
        ("Bris: {{phone:bris}}", "Bris: {{phone:bris}}", False),
        ("IVO, JO, BO och Bris", "IVO, JO, BO ja Bris", False),
        ("Du får tolk.\n\nDu får alltid ha tolk.", "Saat tulkin.\n\nDu får alltid ha tolk.", True),
        ("Du får tolk.\n\nSe sidan.", "Saat tulkin.\n\nSe sidan.", False),
    ],
)
def test_what_was_left_in_swedish_is_named(source, text, is_same):
    assert ("same_as_source" in codes(source, text, "fi")) == is_same


def term(forms, use=(), avoid=()) -> Entry:
    return Entry(hash(forms), forms, use or forms, avoid, "", "")


CARE = term(("vård*",), ("رعاية",))
GUARDIAN = term(("vårdnadshavare*",), ("ولي الأمر",), ("حارس",))
COURT = term(("förvaltningsrätten",), ("administrative court*",), ("tribunal*", "court of law"))


@pytest.mark.parametrize(
    ("source", "text", "language", "terms", "expected"),
    [
        ("Vården ges hemma.", "الرعاية في البيت.", "ar", [CARE], set()),
        ("Vården ges hemma.", "العناية في البيت.", "ar", [CARE], {"term_missing"}),
        ("Vårdplanen finns.", "الخطة.", "ar", [CARE], {"term_missing"}),
        ("Öppenvården finns.", "هذه.", "ar", [CARE], set()),
        ("En vårdnadshavare.", "لِوليّ الأمر.", "ar", [CARE, GUARDIAN], set()),
        ("En vårdnadshavare.", "الحارس.", "ar", [CARE, GUARDIAN], {"term_missing", "term_to_avoid"}),
        ("Ett barn.", "الحارس.", "ar", [GUARDIAN], set()),
        ("Till Förvaltningsrätten.", "To the Administrative  Courts.", "en", [COURT], set()),
        ("Till förvaltningsrätten.", "To the tribunals.", "en", [COURT], {"term_missing", "term_to_avoid"}),
        ("Vård.", "Care.", "en", [term(("vård",), ("Care",))], set()),
    ],
)
def test_the_words_of_the_glossary_are_used(source, text, language, terms, expected):
    assert codes(source, text, language, terms) == expected


def test_a_swedish_text_is_checked_by_itself():
    text = "## 27 300 barn\n\nVården enligt LVU (1990:52) 6 §. Ring {{phone:bris}}."
    assert compare(None, {"title": "Vad är LVU?", "body": text}, language="sv", words=Words("sv", (CARE,))) == []


def test_a_field_that_is_not_translated_yet_is_left_out():
    source = {"title": "Hur många?", "body": "27 300 barn"}
    assert compare(source, {"title": "كم؟", "body": " "}, language="ar") == []


# Within Swedish --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("27 300 barn", "27\u00a0300 barn", True),
        ("Ring {{phone:bris}}.", "Ring {{ phone:bris }}!", True),
        ("Ring {{phone:bris}}.", "Ring {{phone:social}}.", False),
        ("1 800 barn", "1,800 barn", False),
        ("1,8 år", "18 år", False),
        ("13 §", "13 §§", False),
        ("13 §", "13", False),
        ("1. ett\n2. två", "1. ett\n2. två\n3. tre", False),
        ("https://x.example/sv/a", "https://x.example/en/a", False),
        ("[a](/sv/facts/a/)", "[a](/sv/facts/b/)", False),
        ("[https://x.example/a](https://x.example/a)", "[https://x.example/b](https://x.example/a)", False),
        ("Ring 112 eller 114 14.", "Ring 114 14 eller 112.", True),
    ],
)
def test_a_spelling_keeps_all_hard_facts(before, after, is_same):
    assert (hard_facts({"body": before}) == hard_facts({"body": after})) == is_same


# Everything that is there ----------------------------------------------------------------------------------------

FIELDS = {"title", "summary", "answer", "public_claim"}


def starter_pairs():
    """(name, language, Swedish fields, translated fields) of every text that comes with the portal."""
    for kind in ("facts", "rumors", "events", "pages"):
        for versions in texts(kind):
            fields = {
                code: {name: str(value) for name, value in file.meta.items() if name in FIELDS} | {"body": file.body}
                for code, file in versions.items()
            }
            source = fields.pop(languages.SOURCE)
            yield from ((f"{kind}/{versions['sv'].key}", code, source, text) for code, text in fields.items())


PAIRS = list(starter_pairs())


def test_no_starter_text_is_accused():
    assert len(PAIRS) > 100
    found = {
        (name, code): findings
        for name, code, source, text in PAIRS
        if (findings := compare(source, text, language=code) + compare(None, source, language="sv"))
    }
    assert found == {}


def test_every_number_and_token_cut_out_of_a_starter_text_is_missed():
    cut = 0
    for name, code, source, text in PAIRS:
        for field, value in text.items():
            for match in re.finditer(r"\{\{.*?\}\}|(?<![\d .,:–-])\d{2,}(?:[ .,:]\d+)*(?![\d–-])", value):
                if match[0].isdigit() and int(match[0]) <= 12:
                    continue
                without = text | {field: value[: match.start()] + value[match.end() :]}
                assert any(f.is_blocking for f in compare(source, without, language=code)), (name, code, match)
                cut += 1
    assert cut > 300


# Any text --------------------------------------------------------------------------------------------------------

SCRIPTS = [str.maketrans("0123456789", digits) for digits in ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९")]
WORD = st.sampled_from("barn vård och kap procent paragraf lag inom år الطفل ሰሙን kommunen".split())
NUMBER = st.one_of(
    st.integers(13, 10**7).map(str),
    st.from_regex(r"[1-9]\d{0,2}( \d{3}){1,2}|[1-9]\d{0,2},\d|(19|20)\d\d:[1-9]\d{1,2}|[1-9]\d %", fullmatch=True),
)
PHONE = st.one_of(
    st.sampled_from(["{{phone:bris}}", "{{phone:social}}"]),
    st.from_regex(r"0[1-9]\d{1,2}-\d{3} \d{3}|11[2-9] \d{3}", fullmatch=True),
)
LINK = st.from_regex(r"https://[a-z]{3,8}\.example/[a-z]{1,5}|\[läs\]\(/sv/facts/[a-z]{1,5}/\)", fullmatch=True)
FACT = st.one_of(NUMBER, PHONE, LINK, st.integers(1, 39).map("{} §".format))
SENTENCE = st.tuples(WORD, FACT, WORD).map(" ".join)


@given(st.lists(SENTENCE, min_size=1, max_size=8).map("\n\n".join), st.sampled_from(SCRIPTS))
def test_the_digits_of_another_script_make_no_difference(text, script):
    other = re.sub(r"https://\S+|\{\{.*?\}\}|(\d)", lambda m: m[0].translate(script) if m[1] else m[0], text)
    assert ABOUT_NUMBERS & codes(text, other) == set()


@given(st.lists(SENTENCE, max_size=5), FACT, st.lists(SENTENCE, max_size=5))
@example(["barn 10 000 barn"], "10 000", [])
@example([], "1 %", ["barn 1 § barn"])
def test_whatever_is_cut_out_is_missed(before, fact, after):
    whole = "\n\n".join([*before, f"barn {fact} barn", *after])
    without = "\n\n".join([*before, "barn  barn", *after])
    assert blocks(whole, without)
    assert not blocks(whole, whole)
    assert not blocks(without, whole)


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["\u200b", "\u0640"]), st.sampled_from(["ar", "fa"]))
def test_nothing_invisible_slips_through(before, after, character, language):
    text = before + character + after
    assert {"\u200b": "invisible", "\u0640": "kashida"}[character] in alone(text, language)


ANYTHING = st.one_of(
    st.text(st.characters(), max_size=80),
    st.text("0123456789٣፲፼ .,:'+-/§%{}[]()<>#*_`~|!@\\&;\n\thwtp\u200b\u0640", max_size=80),
)


@given(ANYTHING, ANYTHING, st.sampled_from(sorted(languages.CATALOG)))
def test_any_text_can_be_checked(source, text, language):
    terms = [term((source[:9],), (text[:5],), (text[5:9],))]
    for finding in [*found(source, text, language, terms), *compare(None, {"body": text}, language=language)]:
        assert finding.code in MESSAGES
        assert finding.is_blocking == (finding.code in BLOCKING)
        assert finding.message
    assert not any(finding.is_blocking for finding in found(text, text, language))
    assert hard_facts({"body": text}) == hard_facts({"body": text})


# Speed -----------------------------------------------------------------------------------------------------------


def long(text, length=20_000):
    return (f"{text}\n\n" * (length // len(text)))[:length]


def seconds(call):
    best = float("inf")
    for _ in range(3):
        markup.outline.cache_clear()
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def test_a_long_text_takes_little_more_than_reading_its_markup():
    """As a ratio, for a busy machine; 50 ms for the pair where it was written, 17 of them for the markup."""
    [(source, text)] = [
        (s["body"], t["body"]) for name, code, s, t in PAIRS if (name, code) == ("facts/lvu-i-korthet", "ar")
    ]
    source, text = long(source), long(text)
    terms = [term((f"ord{n}", f"orden{n}"), (f"wort{n}",), (f"vort{n}",)) for n in range(100)]
    reading = seconds(lambda: (markup.outline(source), markup.outline(text)))
    assert seconds(lambda: found(source, text, terms=terms)) < 8 * reading


@pytest.mark.parametrize(
    "piece",
    ["1,0000", "0 ", "1 och ", "1.", "1/2 ", "§ 1 ", "+46 ", "a@", "https://", "{{", "፼", "\u200b", "|---", "<a "],
)
def test_no_text_takes_long(piece):
    short, fourfold = (long(piece, length) for length in (2_000, 8_000))
    # Four times the time, and not sixteen times.
    assert seconds(lambda: found(fourfold, fourfold, "fa")) < 9 * seconds(lambda: found(short, short, "fa")) + 0.005
