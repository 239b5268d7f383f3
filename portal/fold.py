"""One folding for the search index and for what people type into the search field.

The folded text is the recall layer: an exact hit always ranks above a folded one. So folding may throw away
differences that matter to a reader, as long as people who spell differently find each other. Hence:

- Swedish å ä ö lose their marks as well: someone with a foreign keyboard types "socialtjanst" and "var".
- Marks go where leaving them out is a habit of writers: on Latin, Cyrillic, Greek, Arabic and Hebrew letters.
  In Thai, the Indic scripts, Japanese and Ethiopic a mark is part of the letter's sound, and stays.
- Ethiopic letters that sound alike in Amharic are one, in Tigrinya too, where ሀ and ሐ, አ and ዐ do differ:
  writers mix the spellings, and the exact layer still tells them apart. Their first and fourth orders are one
  as well (ሀገር ሃገር, አብ ኣብ). ኸ stays apart from ሀ: in Tigrinya it comes from k.
- Sorani ڕ ڵ ۆ ێ ڤ become the letters people type when they lack the keys; every heh (ه ە ہ ھ ة) is one, and
  every yeh.
- Turkish I, İ, ı and i are one letter.
- Digits of every script become 0-9, apostrophes ', quotation marks ", hyphens and dashes -.
- What cannot be stored or seen goes: NUL and other controls, lone surrogates, joiners, bidi marks.
"""

import re
import unicodedata

_MARKS = (  # where the marks to drop stand; anything else in these ranges stays
    range(0x0300, 0x0370),  # Latin, Cyrillic, Greek
    range(0x0483, 0x048A),  # Cyrillic
    range(0x0591, 0x05C8),  # Hebrew
    range(0x0610, 0x061B),  # Arabic, as the next four
    range(0x064B, 0x0660),
    range(0x0670, 0x0671),
    range(0x06D6, 0x06EE),
    range(0x0890, 0x0900),
    range(0x1AB0, 0x1B00),  # extensions to the first
    range(0x1DC0, 0x1E00),
    range(0x20D0, 0x2100),  # enclosing signs, as on keycaps
    range(0x2DE0, 0x2E00),  # Cyrillic
    range(0xA66F, 0xA6A0),
    range(0xFE00, 0xFE10),  # variation selectors
    range(0xFE20, 0xFE30),
    range(0xE0100, 0xE01F0),
)
_APOSTROPHES = "`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u05f3\u1fef\u1ffd"
_APOSTROPHES += "\u2018\u2019\u201a\u201b\u2032\u2035\ua78c"
_QUOTATION_MARKS = "\u00ab\u00bb\u05f4\u201c\u201d\u201e\u201f"
_DASHES = "\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212"
_STROKES = dict(zip("đðłø\u0131ŧŋħǥʒґ", "ddloitnhgzг", strict=True)) | {"æ": "ae", "œ": "oe", "þ": "th"}
_ARABIC = {  # letter kept: letters that become it
    "\u064a": "\u0649\u0620\u06cc\u06cd\u06ce\u06d0\u06d2",  # yeh: alef maksura, Persian, Pashto, Sorani, Urdu
    "\u0643": "\u06a9\u06aa",  # kaf: Persian keheh, swash
    "\u06af": "\u06ab",  # gaf: Pashto
    "\u0627": "\u0671\u0672\u0673",  # alef: wasla, wavy hamza; madda and hamza are marks
    "\u0647": "\u0629\u06be\u06c1\u06c3\u06d5",  # heh: teh marbuta, do-chashmee, Urdu, Sorani and Uyghur
    "\u0648": "\u06c6\u06c7\u06ca\u06cb",  # waw: Sorani oe, others
    "\u0631": "\u0695",  # reh: Sorani
    "\u0644": "\u06b5",  # lam: Sorani
    "\u0641": "\u06a4",  # feh: Sorani veh
    "\u0646": "\u06ba",  # noon: Urdu ghunna
}
_YIDDISH = {"\u05f0": "\u05d5\u05d5", "\u05f1": "\u05d5\u05d9", "\u05f2": "\u05d9\u05d9"}  # digraphs
_TIBETAN = {"\u0f73": "\u0f71\u0f72", "\u0f75": "\u0f71\u0f74", "\u0f81": "\u0f71\u0f80"}  # two marks in one
_HOMOPHONES = (  # Ethiopic rows of eight: first code point, how many letters, first code point of the row they join
    (0x1210, 8, 0x1200),  # ሐ as ሀ
    (0x1280, 8, 0x1200),  # ኀ as ሀ
    (0x1220, 8, 0x1230),  # ሠ as ሰ
    (0x12D0, 7, 0x12A0),  # ዐ as አ
    (0x1340, 8, 0x1338),  # ፀ as ጸ
)
_FOURTH_ORDERS = {0x1203: 0x1200, 0x1213: 0x1200, 0x1283: 0x1200, 0x12A3: 0x12A0, 0x12D3: 0x12A0}


DIGITS = {  # of every script but ASCII
    point: str(unicodedata.decimal(chr(point)))
    for point in range(0x20000)
    if unicodedata.category(chr(point)) == "Nd" and point > 0x7F
}


def _table() -> dict[int, str | None]:
    """What becomes of one code point. No value holds a key, so a second pass changes nothing."""
    table: dict[int, str | None] = {**DIGITS}
    for point in (*range(0x20000), *range(0xE0000, 0xE0200)):
        char = chr(point)
        category = unicodedata.category(char)
        if category in {"Cf", "Cs"} or (category == "Cc" and not char.isspace()):  # joiners, bidi marks, NUL, ...
            table[point] = None
    table |= {p: None for marks in _MARKS for p in marks if unicodedata.category(chr(p)) in {"Mn", "Me"}}
    table |= dict.fromkeys((0x0640, 0x0674))  # tatweel, high hamza
    for letter, plain in (*_STROKES.items(), *_YIDDISH.items(), *_TIBETAN.items()):
        table[ord(letter)] = plain
    table[0x1361] = " "  # Ethiopic word space
    for kept, variants in (*_ARABIC.items(), ("'", _APOSTROPHES), ('"', _QUOTATION_MARKS), ("-", _DASHES)):
        table |= dict.fromkeys(map(ord, variants), kept)
    for start, length, joined in _HOMOPHONES:
        table |= {start + order: chr(joined + order) for order in range(length)}
    for fourth, first in _FOURTH_ORDERS.items():
        table[fourth] = chr(first)
    return table


_TABLE = _table()
_KEPT_MARKS = "".join(chr(p) for p in range(0x20000) if unicodedata.combining(chr(p)) and p not in _TABLE)
_FREQUENT_MARKS = "".join(mark for mark in _KEPT_MARKS if ord(mark) < 0x10000)
# The look ahead says the same in a way that `re` is eighteen times faster at: for this plane it has a table.
_MARK_RUN = re.compile(f"(?=[{_FREQUENT_MARKS}]|[\U00010000-\U0001ffff])[{_KEPT_MARKS}]{{20,}}")


def fold(text: str) -> str:
    """The text as the search compares it: for any text, the same for each of its normalization forms, and stable."""
    folded = _decompose(text.translate(_TABLE)).casefold()
    return " ".join(unicodedata.normalize("NFC", _decompose(folded)).split())


def _decompose(text: str) -> str:
    # Older Pythons sort a run of marks in quadratic time (python/cpython#149079): 80,000 take five seconds.
    # A run that comes sorted costs nothing, and NFKD would have sorted it by combining class all the same.
    text = _MARK_RUN.sub(lambda run: "".join(sorted(run[0], key=unicodedata.combining)), text)
    return unicodedata.normalize("NFKD", text).translate(_TABLE)
