import re

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from portal import languages
from portal.revisions.exchange import documents, rules
from portal.revisions.models import text_hash
from tests import factories
from tests.exchange.files import N, download, filled, units

NAMES = ("title", "summary", "body")
# What a form lets through and `draft` keeps: no control characters, no white space at the ends.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\n\t {}[]()#*"), max_size=80)
PIECES = st.lists(
    TEXT | st.sampled_from(["## Vad händer?", "- ett\n- två", "Ring {{phone:bris}}, {{phone:police}}.", "Ja."]),
    min_size=1,
    max_size=6,
)


def one_text(pieces: list[str]) -> str:
    return "\n\n".join(pieces).strip()


def fields(title: str, summary: list[str], body: list[str]) -> dict[str, str]:
    return {"title": " ".join(title.split()), "summary": one_text(summary), "body": one_text(body)}


TEXTS = st.builds(fields, TEXT, PIECES, PIECES)


def sent(source, *, before=None, translated=None) -> documents.Incoming:
    """Written and read again."""
    outgoing = documents.Outgoing(
        kind="fact",
        object_id=12,
        revision_id=34,
        digest=text_hash(source),
        units=rules.units(NAMES, source, before=before, translated=translated),
        limits={"title": 160},
        state="final",
    )
    return documents.read(documents.write([outgoing], language=languages.get("ar")))[0]


@given(TEXTS)
def test_a_text_comes_back_as_it_went(source):
    back = sent(source, before=source, translated=source)
    assembled = rules.assemble(NAMES, source, back.targets)
    assert assembled == rules.Assembled(source, [], [])
    assert (back.kind, back.object_id, back.revision_id, back.digest) == ("fact", 12, 34, text_hash(source))


@given(TEXTS, TEXTS)
def test_a_translation_with_paragraphs_of_its_own_comes_back_too(source, translated):
    back = sent(source, before=source, translated=translated)
    assembled = rules.assemble(NAMES, source, back.targets)
    for name in NAMES:
        if source[name]:
            assert rules.paragraphs(assembled.fields[name]) == rules.paragraphs(translated[name])
    assert (assembled.missing, assembled.unknown) == ([], [])


@given(TEXTS, TEXTS)
def test_every_word_of_the_swedish_text_is_in_the_units_once(source, other):
    found = rules.units(NAMES, source, before=other, translated=other)
    assert "".join("".join(unit.source.split()) for unit in found) == "".join("".join(source[n].split()) for n in NAMES)


def test_paragraphs_are_kept_where_the_swedish_one_has_not_changed_even_when_it_has_moved():
    before = {"title": "T", "body": "ett\n\ntvå\n\ntre"}
    source = {"title": "T", "body": "noll\n\ntre\n\nett\n\ntvå, ändrad"}
    done = {"title": "t", "body": "1\n\n2\n\n3"}
    found = rules.units(["title", "body"], source, before=before, translated=done)
    assert [(unit.id, unit.target) for unit in found] == [
        ("title", "t"),
        ("body.1", ""),
        ("body.2", "3"),
        ("body.3", "1"),
        ("body.4", ""),
    ]


def test_the_gaps_of_a_list_come_from_the_swedish_text():
    source = {"body": "- ett\n\n  mer\n\n\n- två"}
    assembled = rules.assemble(["body"], source, {"body.1": "- one", "body.2": "more\n", "body.3": " - two"})
    assert assembled.fields == {"body": "- one\n\n  more\n\n\n- two"}


def test_a_long_run_of_spaces_is_cut_in_no_time():
    assert len(rules.paragraphs(" x" + " " * 500_000 + "\n\ny")) == 2
    assert rules.mask("a" + " " * 500_000 + "b").texts
    assert rules.mask("a" * 500_000).texts


# The file --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_file_is_xliff_as_the_standard_has_it():
    fact = factories.fact()
    body = (
        "## Rubrik\n\nRing {{phone:bris}} eller {{phone:police}}, [läs **mer**](https://example.org/?a=1&b=2)."
        "\n\n1–4 §§ <b>"
    )
    revision = factories.publish(fact, title="Får de ta mitt barn?", summary="Nej.", body=body)
    content = download(fact, language="zh-hans")
    root = etree.fromstring(content)
    assert content.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    assert root.tag == "{urn:oasis:names:tc:xliff:document:1.2}xliff"
    assert dict(root.attrib) == {"version": "1.2"}
    (file,) = root
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", file.attrib.pop("date"))
    assert dict(file.attrib) == {
        "original": f"fact/{fact.pk}",
        "source-language": "sv",
        "target-language": "zh-Hans",
        "datatype": "plaintext",
        "product-name": "Klarlagt",
        "product-version": str(revision.pk),
        "build-num": revision.digest,
        "tool-id": "klarlagt",
    }
    assert [etree.QName(child).localname for child in file] == ["header", "body"]
    assert [etree.QName(child).localname for child in file[0]] == ["tool", "note"]
    assert file[0][0].get("tool-id") == file.get("tool-id")
    assert [unit.get("id") for unit in file[1]] == ["title", "summary", "body.1", "body.2", "body.3"]
    for unit in file[1]:
        assert [etree.QName(child).localname for child in unit] == ["source", "target"]
        assert unit.get("{http://www.w3.org/XML/1998/namespace}space") == "preserve"
        assert dict(unit[1].attrib) == {"state": "needs-translation"}
    assert {unit.get("maxwidth") for unit in file[1]} == {"160", None}
    codes = [(code.get("id"), code.text) for code in file[1][3].iterfind("x:source/x:ph", N)]
    assert codes == [("1", "{{phone:bris}}"), ("2", "{{phone:police}}")]
    assert [text[0] for text in units(content)[f"fact/{fact.pk}"].values()] == [
        "Får de ta mitt barn?",
        "Nej.",
        *body.split("\n\n"),
    ]


@pytest.mark.django_db
def test_the_state_says_how_far_the_translation_is():
    fact = factories.fact()
    factories.publish(fact, title="Fråga?", summary="Svar.", body="Ett.\n\nTvå.")
    factories.publish(fact, "ar", title="سؤال؟", summary="جواب.", body="١.\n\n٢.")
    key = f"fact/{fact.pk}"
    assert {unit[2] for unit in units(download(fact))[key].values()} == {"final"}
    factories.publish(fact, title="Fråga?", summary="Svar.", body="Ett.\n\nTvå, ändrat.")
    assert units(download(fact))[key]["body.1"] == ("Ett.", "١.", "final")
    assert units(download(fact))[key]["body.2"] == ("Två, ändrat.", "", "needs-translation")
    factories.publish(fact, "en", title="Q?", summary="A.", body="One.\n\nTwo.", method="machine")
    assert units(download(fact, language="en"))[key]["title"] == ("Fråga?", "Q?", "needs-review-translation")
    assert b'state-qualifier="leveraged-mt"' in download(fact, language="en")


# What is refused -------------------------------------------------------------------------------------------------

GOOD = """<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"><file original="fact/1"
source-language="sv" target-language="ar" datatype="plaintext" product-version="1" build-num="abc"><body>
<trans-unit id="title"><source>A</source><target>B</target></trans-unit></body></file></xliff>"""
LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)


def refused(content: str | bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        documents.read(content.encode() if isinstance(content, str) else content)
    return " ".join(caught.value.messages)


def test_the_good_file_is_good():
    assert documents.read(GOOD.encode())[0].targets == {"title": "B"}


@pytest.mark.parametrize(
    "content",
    [
        LAUGHS + GOOD.replace(">B<", ">&j;<"),
        '<!DOCTYPE xliff [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + GOOD.replace(">B<", ">&f;<"),
        '<!DOCTYPE xliff SYSTEM "http://127.0.0.1:9/x.dtd">' + GOOD,
        '<?xml version="1.0"?>\n<!DOCTYPE xliff [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>' + GOOD,
    ],
    ids=["laughs", "file", "network", "parameter"],
)
def test_a_document_type_is_refused_whatever_it_declares(content):
    assert "dokumenttyp" in refused(content)


def test_a_document_type_in_another_encoding_is_refused():
    assert "UTF-8" in refused((LAUGHS + GOOD).encode("utf-16"))
    # A name of UTF-7 or the like is not believed: it is read as what it is.
    assert documents.read(b'<?xml version="1.0" encoding="UTF-16"?>' + GOOD.encode())[0].targets == {"title": "B"}


@pytest.mark.parametrize(
    ("content", "because"),
    [
        ("", "no XLIFF"),
        ("Hej!", "no XLIFF"),
        (GOOD[:-20], "no XLIFF"),
        (GOOD.replace(">B<", ">&nbsp;<"), "no XLIFF"),
        (GOOD.replace(">B<", ">&#0;<"), "no XLIFF"),
        ("<g>" * 1000 + "</g>" * 1000, "no XLIFF"),
        ("<html/>", "no XLIFF 1.2"),
        (GOOD.replace('version="1.2"', 'version="2.0"'), "no XLIFF 1.2"),
        (GOOD.replace("document:1.2", "document:2.0"), "no XLIFF 1.2"),
        (re.sub("<file.*</file>", "", GOOD, flags=re.DOTALL), "no text in this file"),
        (GOOD.replace("fact/1", "C:\\fact.docx"), "downloaded here"),
        (GOOD.replace("fact/1", "fact/1٢"), "downloaded here"),
        (GOOD.replace("fact/1", "fact/99999999999999999999"), "downloaded here"),
        (GOOD.replace('source-language="sv"', 'source-language="en"'), "not translated from Swedish"),
        (GOOD.replace('target-language="ar"', ""), "none of the languages"),
        (GOOD.replace('target-language="ar"', 'target-language="sv"'), "none of the languages"),
        (GOOD.replace('target-language="ar"', 'target-language="th"'), "none of the languages"),  # not active
        (GOOD.replace('target-language="ar"', 'target-language="fa-AF"'), "none of the languages"),
        (GOOD.replace('product-version="1"', ""), "which Swedish text"),
        (GOOD.replace('product-version="1"', 'product-version="1 OR 1"'), "which Swedish text"),
        (GOOD.replace('build-num="abc"', ""), "which Swedish text"),
        (re.sub("(<trans-unit.*</trans-unit>)", r"\1\1", GOOD, flags=re.DOTALL), "twice"),
        (re.sub("(<file.*</file>)", r"\1\1", GOOD, flags=re.DOTALL), "more than once"),
        (re.sub("(<file.*</file>)", lambda m: m[0] * 201, GOOD, flags=re.DOTALL), "200 texts at most"),
        (GOOD + "<!-- " + "x" * 6 * 1024 * 1024 + " -->", "too large"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(content, because):
    from django.utils import translation

    with translation.override("en"):
        assert because in refused(content)


def test_every_wrong_text_of_a_file_is_named():
    other = GOOD.replace("fact/1", "fact/2")
    files = "".join(re.findall("<file.*?</file>", GOOD + other.replace('"ar"', '"xx"'), re.DOTALL))
    both = re.sub("<file.*</file>", lambda _match: files.replace('build-num="abc"', "", 1), GOOD, flags=re.DOTALL)
    with pytest.raises(ValidationError) as caught:
        documents.read(both.encode())
    assert [message[:6] for message in caught.value.messages] == ["fact/1", "fact/2"]


# What tools make of it -------------------------------------------------------------------------------------------


def test_a_file_that_a_tool_has_made_its_own_is_read():
    tool = """\ufeff<?xml version="1.0" encoding="utf-8"?>\r
<?tool setting?>\r
<xliff xmlns:t="urn:tool" version="1.2" t:by="Tool" xmlns="urn:oasis:names:tc:xliff:document:1.2">\r
 <file original="fact/1" source-language="SV" target-language="AR" datatype="plaintext" product-version="7"\r
   build-num="abc" t:x="1">\r
  <header><t:doc-info>words</t:doc-info><note>A note.</note></header>\r
  <body><group id="g"><t:meta>more words</t:meta>\r
   <trans-unit id="title" t:conf="1"><source>Ring <ph id="1">{{phone:bris}}</ph> nu.</source>\r
    <seg-source><mrk mtype="seg" mid="0">Ring <ph id="1">{{phone:bris}}</ph> nu.</mrk></seg-source>\r
    <target state="translated"><mrk mtype="seg" mid="0">Call<!-- now --> <x id="1"/> <t:c>gone</t:c>&amp; <g\r
     id="2">go</g>.</mrk></target>\r
    <alt-trans><source>old</source><target>wrong</target></alt-trans><note>Hm.</note><t:log/></trans-unit>\r
   <trans-unit id="body"><source>Ett\ntvå</source><target><![CDATA[<one>\r
two]]></target></trans-unit></group></body></file></xliff>\r
"""
    (incoming,) = documents.read(tool.encode())
    assert incoming.targets == {"title": "Call {{phone:bris}} & go.", "body": "<one>\ntwo"}
    assert (incoming.revision_id, incoming.language.code) == (7, "ar")


def test_a_tool_that_drops_the_source_is_no_reason_to_fail():
    bare = GOOD.replace("<source>A</source>", "")
    assert documents.read(bare.encode())[0].targets == {"title": "B"}


def test_filling_a_file_in_keeps_numbers_to_call_wherever_the_translator_puts_them():
    source = {"title": "Ring {{phone:bris}} eller {{phone:police}}."}
    content = documents.write(
        [documents.Outgoing("fact", 1, 1, "abc", rules.units(["title"], source), {}, "final")],
        language=languages.get("ar"),
    )
    turned = content.replace(
        b'<target state="needs-translation"/>',
        '<target><ph id="2"/> أو <ph id="1">{{phone:bris}}</ph></target>'.encode(),
    )
    assert documents.read(turned)[0].targets == {"title": "{{phone:police}} أو {{phone:bris}}"}
    assert documents.read(filled(content, title="Ring {{phone:bris}}"))[0].targets == {"title": "Ring {{phone:bris}}"}
