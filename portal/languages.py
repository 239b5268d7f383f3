"""The one table of languages. Everything that needs to know a language reads it here."""

import os
from dataclasses import dataclass
from typing import Final, Literal

from django.utils.functional import lazy
from django.utils.translation import gettext_noop, pgettext, pgettext_lazy

SOURCE: Final = "sv"

Direction = Literal["ltr", "rtl"]


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """There is one of each, in the catalog."""

    code: str
    """As in addresses and column names: `zh-hans`."""
    tag: str
    """BCP 47, for `lang`, `hreflang` and Content-Language: `zh-Hans`."""
    autonym: str
    english: str
    direction: Direction = "ltr"
    search_config: str = "simple"
    """PostgreSQL text search configuration; `simple` where it has no stemmer for the language."""
    fallbacks: tuple[str, ...] = (SOURCE,)
    """Where a missing text is looked for, in order."""
    script: Literal["latin", "cyrillic", "arabic", "ethiopic", "hebrew", "thai", "han"] = "latin"

    @property
    def in_both_scripts(self) -> str:
        """As staff find it, in its own script and in theirs: ትግርኛ – tigrinska. Lazy."""
        found: str = _in_both_scripts(self.autonym, self.english)
        return found

    @property
    def locale(self) -> str:
        """For Open Graph: as it is written in Sweden."""
        return f"{self.tag.partition('-')[0]}_SE"

    @property
    def column(self) -> str:
        return self.code.replace("-", "_")


def _named(autonym: str, english: str) -> str:
    name = pgettext("staff", english)
    return autonym if autonym.casefold() == name.casefold() else f"{autonym} – {name}"


_in_both_scripts = lazy(_named, str)


def _catalog(*languages: Language) -> dict[str, Language]:
    return {language.code: language for language in languages}


# Never kmr to ckb or back: another script and for most readers another language.
CATALOG: Final = _catalog(
    Language("sv", "sv", "Svenska", "Swedish", search_config="swedish", fallbacks=()),
    Language("en", "en", "English", "English", search_config="english"),
    Language("ar", "ar", "العربية", "Arabic", "rtl", "arabic", script="arabic"),
    Language("so", "so", "Soomaali", "Somali"),
    Language("fa", "fa", "فارسی", "Persian", "rtl", script="arabic"),
    Language("prs", "prs", "دری", "Dari", "rtl", fallbacks=("fa", SOURCE), script="arabic"),
    Language("ti", "ti", "ትግርኛ", "Tigrinya", script="ethiopic"),
    Language("kmr", "kmr", "Kurmancî", "Kurmanji"),
    Language("ckb", "ckb", "کوردیی ناوەندی", "Sorani", "rtl", script="arabic"),
    Language("tr", "tr", "Türkçe", "Turkish", search_config="turkish"),
    Language("pl", "pl", "Polski", "Polish"),
    Language("uk", "uk", "Українська", "Ukrainian", script="cyrillic"),
    Language("ru", "ru", "Русский", "Russian", search_config="russian", script="cyrillic"),
    Language("fi", "fi", "Suomi", "Finnish", search_config="finnish"),
    Language("bs", "bs", "Bosanski", "Bosnian"),
    Language("hr", "hr", "Hrvatski", "Croatian"),
    Language("sr", "sr", "Српски", "Serbian", search_config="serbian", script="cyrillic"),
    Language("es", "es", "Español", "Spanish", search_config="spanish"),
    Language("fr", "fr", "Français", "French", search_config="french"),
    Language("ro", "ro", "Română", "Romanian", search_config="romanian"),
    Language("ps", "ps", "پښتو", "Pashto", "rtl", script="arabic"),
    Language("ur", "ur", "اردو", "Urdu", "rtl", script="arabic"),
    Language("sq", "sq", "Shqip", "Albanian"),
    Language("am", "am", "አማርኛ", "Amharic", script="ethiopic"),
    Language("th", "th", "ไทย", "Thai", script="thai"),
    Language("zh-hans", "zh-Hans", "简体中文", "Simplified Chinese", script="han"),
    Language("fit", "fit", "Meänkieli", "Meänkieli", fallbacks=("fi", SOURCE)),
    Language("se", "se", "Davvisámegiella", "Northern Sámi"),
    Language("smj", "smj", "Julevsámegiella", "Lule Sámi"),
    Language("sma", "sma", "Åarjelsaemien", "Southern Sámi"),
    Language("rom", "rom", "Romani čhib", "Romani"),
    Language("yi", "yi", "ייִדיש", "Yiddish", "rtl", "yiddish", script="hebrew"),
)

DEFAULT_ACTIVE: Final = "sv en ar so fa prs ti kmr ckb tr pl uk ru es fr fi bs ps"


def parse_active(value: str) -> tuple[Language, ...]:
    """The languages that `PORTAL_LANGUAGES` names, in its order; raises ValueError with a sentence."""
    codes = list(dict.fromkeys(value.replace(",", " ").split()))
    unknown = [code for code in codes if code not in CATALOG]
    if unknown:
        raise ValueError(f"PORTAL_LANGUAGES names {', '.join(unknown)}; known are: {' '.join(CATALOG)}")
    if SOURCE not in codes:
        raise ValueError("PORTAL_LANGUAGES must contain sv: every text falls back to Swedish")
    return tuple(CATALOG[code] for code in codes)


ACTIVE: Final = parse_active(os.environ.get("PORTAL_LANGUAGES") or DEFAULT_ACTIVE)

LANGUAGES: Final = [(language.code, language.autonym) for language in ACTIVE]
CHOICES: Final = [(language.code, language.autonym) for language in CATALOG.values()]
"""Every language, for what may be said or written in any of them."""
LANGUAGES_BIDI: Final = [code for code, language in CATALOG.items() if language.direction == "rtl"]

STAFF: Final = ("sv", "en")
"""The languages of the staff pages."""


def get(code: str) -> Language:
    return CATALOG[code]


def chain(code: str, *, audience: str = "") -> tuple[str, ...]:
    """The languages to try for a reader of `code`, best first. Embassies read English before Swedish."""
    rest = CATALOG[code].fallbacks
    if audience == "embassies" and code not in STAFF:
        rest = (*(c for c in rest if c != SOURCE), "en", SOURCE)
    return (code, *rest)


def suffixed(field: str, code: str) -> str:
    """The column that holds `field` in a language: the only way to name one."""
    return f"{field}_{CATALOG[code].column}"


def extend_lang_info(lang_info: dict[str, dict[str, object]]) -> None:
    """Teach Django the languages it lacks; must run before apps load."""
    for language in CATALOG.values():
        lang_info.setdefault(
            language.code,
            {
                "bidi": language.direction == "rtl",
                "code": language.code,
                "name": language.english,
                "name_local": language.autonym,
            },
        )


# Django has no catalog for these; names of months and days come from ours.
WITHOUT_DJANGO_CATALOG: Final = ("so", "prs", "ti", "kmr", "ps", "am", "fit", "se", "smj", "sma", "rom", "yi")
_CALENDAR: Final = (
    gettext_noop("January"),
    gettext_noop("February"),
    gettext_noop("March"),
    gettext_noop("April"),
    gettext_noop("May"),
    gettext_noop("June"),
    gettext_noop("July"),
    gettext_noop("August"),
    gettext_noop("September"),
    gettext_noop("October"),
    gettext_noop("November"),
    gettext_noop("December"),
    gettext_noop("Monday"),
    gettext_noop("Tuesday"),
    gettext_noop("Wednesday"),
    gettext_noop("Thursday"),
    gettext_noop("Friday"),
    gettext_noop("Saturday"),
    gettext_noop("Sunday"),
)

# What staff call them; makemessages finds them here.
_NAMES: Final = (
    pgettext_lazy("staff", "Swedish"),
    pgettext_lazy("staff", "English"),
    pgettext_lazy("staff", "Arabic"),
    pgettext_lazy("staff", "Somali"),
    pgettext_lazy("staff", "Persian"),
    pgettext_lazy("staff", "Dari"),
    pgettext_lazy("staff", "Tigrinya"),
    pgettext_lazy("staff", "Kurmanji"),
    pgettext_lazy("staff", "Sorani"),
    pgettext_lazy("staff", "Turkish"),
    pgettext_lazy("staff", "Polish"),
    pgettext_lazy("staff", "Ukrainian"),
    pgettext_lazy("staff", "Russian"),
    pgettext_lazy("staff", "Finnish"),
    pgettext_lazy("staff", "Bosnian"),
    pgettext_lazy("staff", "Croatian"),
    pgettext_lazy("staff", "Serbian"),
    pgettext_lazy("staff", "Spanish"),
    pgettext_lazy("staff", "French"),
    pgettext_lazy("staff", "Romanian"),
    pgettext_lazy("staff", "Pashto"),
    pgettext_lazy("staff", "Urdu"),
    pgettext_lazy("staff", "Albanian"),
    pgettext_lazy("staff", "Amharic"),
    pgettext_lazy("staff", "Thai"),
    pgettext_lazy("staff", "Simplified Chinese"),
    pgettext_lazy("staff", "Meänkieli"),
    pgettext_lazy("staff", "Northern Sámi"),
    pgettext_lazy("staff", "Lule Sámi"),
    pgettext_lazy("staff", "Southern Sámi"),
    pgettext_lazy("staff", "Romani"),
    pgettext_lazy("staff", "Yiddish"),
)
