"""Tests about the repository itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.template.loader import get_template
from django.utils import translation
from django.utils.translation.trans_real import check_for_language

from portal import languages
from tests import messages

ROOT = Path(__file__).resolve().parent.parent
TRACKED = [
    ROOT / line
    for line in subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    if (ROOT / line).is_file()
]
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
PYTHON = [path for path in TRACKED if path.suffix == ".py"]
OWN_MODELS = [m for m in apps.get_models() if m.__module__.split(".")[0] in {"portal", "rumors", "events"}]


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_template_compiles_and_is_used(path):
    name = str(path.relative_to(ROOT / "templates"))
    get_template(name)
    # allauth asks for these by names of its own.
    if name.partition("/")[0] in {"account", "mfa", "socialaccount", "allauth"} or name == "429.html":
        return
    stem = re.sub(r"\.(html|txt)$", "", name)
    users = [p for p in [*PYTHON, *TEMPLATES] if p != path and (name in (t := text_of(p)) or f'"{stem}' in t)]
    assert users, f"nobody uses templates/{name}"


@pytest.mark.parametrize(("name", "most"), [("klarlagt", 20_000), ("staff", 16_000), ("calendar", 1_500)])
def test_a_stylesheet_knows_no_left_and_right_and_stays_small(name, most):
    path = ROOT / f"portal/static/css/{name}.css"
    css = re.sub(r"/\*.*?\*/", "", text_of(path), flags=re.DOTALL)
    physical = re.compile(
        r"(?<![-\w])((margin|padding|border|inset|scroll-\w+)-(left|right|top|bottom)|left|right|top|bottom|"
        r"(min-|max-)?(width|height)|text-align:\s*(left|right)|float)\s*:",
    )
    found = [match[0] for match in physical.finditer(css) if not css[: match.start()].rstrip().endswith("(")]
    assert found == []
    assert path.stat().st_size <= most


def test_script_on_public_pages_stays_small():
    """Whatever only staff get is named by their templates alone."""
    readers = {p for p in TEMPLATES if p.name != "staff.html" and not {"staff", "mfa", "account"} & set(p.parts)}
    users = {p for p in readers if 'extends "staff.html"' not in text_of(p)}
    names = {name for path in users for name in re.findall(r"js/(\w+\.js)", text_of(path))}
    assert names >= {"exit.js", "aloud.js"}
    assert sum((ROOT / "portal/static/js" / name).stat().st_size for name in names) <= 5_000


@pytest.mark.parametrize("path", [p for p in TEMPLATES if p.suffix == ".html"], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_template_has_inline_script_style_or_physical_direction(path):
    text = text_of(path)
    if "emails" in path.parts:
        return
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\b(src|type=\"application/))", text), path
    assert not re.search(r"https?://(?!www\.(w3|sitemaps)\.org)", text), f"{path} names a foreign host"


@pytest.mark.parametrize("code", languages.CATALOG)
def test_every_language_has_compiled_messages(code):
    assert check_for_language(code), f"locale/{code} has no django.mo: its addresses would answer 404"


@pytest.mark.parametrize("code", languages.CATALOG)
def test_every_translated_model_has_a_column_for_every_language(code):
    for label, field in [("facts.Fact", "title"), ("rumors.Rebuttal", "title"), ("events.Event", "title")]:
        apps.get_model(label)._meta.get_field(languages.suffixed(field, code))


def test_direction_is_known_to_django():
    for language in languages.CATALOG.values():
        with translation.override(language.code):
            assert translation.get_language_bidi() == (language.direction == "rtl"), language.code


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda m: m._meta.label)
def test_when_and_who_are_set_together(model):
    """A nullable `x_at` beside `x_by` needs a constraint that holds them together."""
    names = {field.name for field in model._meta.concrete_fields}
    for name in names:
        stem = name.removesuffix("_at")
        if name == stem or f"{stem}_by" not in names or not model._meta.get_field(name).null:
            continue
        constraints = [str(c.condition) for c in model._meta.constraints if isinstance(c, models.CheckConstraint)]
        assert any(f"{stem}_at" in c and f"{stem}_by" in c for c in constraints), f"{model._meta.label}.{stem}"


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda m: m._meta.label)
def test_constraints_are_sentences(model):
    for constraint in model._meta.constraints:
        assert len(constraint.name.split("_")) >= 3, constraint.name


def test_select_for_update_says_of_what():
    for path in PYTHON:
        if "tests" not in path.parts:
            for call in re.findall(r"select_for_update\([^)]*\)", text_of(path)):
                assert "of=" in call, f"{path}: {call}"


def test_nobody_runs_celery_in_the_same_process():
    assert not [p for p in PYTHON if p.name != "test_consistency.py" and "always" + "_eager" in text_of(p)]


def test_no_module_has_a_name_that_says_nothing():
    empty = {"utils", "common", "helpers", "core", "base", "services"}
    assert not [p for p in PYTHON if p.stem in empty or empty & set(p.relative_to(ROOT).parts[:-1])]


def test_no_committed_file_names_a_registry_or_a_path_of_this_machine():
    forbidden = re.compile(
        "|".join(
            [
                "files.python" + "hosted",
                "registry" + ".npmjs",
                "pypi" + r"\.org/simple",
                "/work" + "/main",
                "/root" + "/",
            ]
        )
    )
    named = [p for p in TRACKED if p.suffix not in {".ttf", ".woff2", ".png", ".mo"} and forbidden.search(text_of(p))]
    assert named == []


def test_modules_import_only_what_the_map_allows():
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_settings_are_those_of_the_language_table():
    assert settings.LANGUAGES == languages.LANGUAGES
    assert settings.LANGUAGES[0][0] == settings.LANGUAGE_CODE == languages.SOURCE


@pytest.mark.parametrize("language", [known for known in languages.ACTIVE if known.code != "en"], ids=lambda k: k.code)
def test_no_default_language_misses_a_public_string(language):
    assert [entry.msgid for entry in messages.missing(language.code, staff=language.code == "sv")] == []


@pytest.mark.parametrize("code", languages.CATALOG)
def test_numbers_and_placeholders_are_the_same_in_every_language(code):
    hard = re.compile(r"%\(\w+\)[sd]|\d+")
    for entry in messages.catalog(code):
        for text in [entry.msgstr, *list(entry.msgstr_plural.values())[-1:]]:
            if text and not entry.obsolete:
                assert sorted(hard.findall(text)) == sorted(hard.findall(entry.msgid_plural or entry.msgid)), (
                    entry.msgid
                )


@pytest.mark.parametrize("code", languages.CATALOG)
def test_every_catalog_says_whether_a_native_reader_has_checked_it(code):
    assert messages.catalog(code).metadata["X-Checked-By-Native-Reader"]


def test_a_form_that_is_included_alone_is_given_its_token():
    """`only` leaves the token out, and then every press of the button is refused."""
    templates = {path: path.read_text("utf-8") for path in (ROOT / "templates").rglob("*.html")}
    with_token = {str(path.relative_to(ROOT / "templates")) for path, text in templates.items() if "csrf_token" in text}
    forgotten = [
        (path.name, include[1])
        for path, text in templates.items()
        for include in re.finditer(r'{% include "([^"]+)"([^%]*) only %}', text)
        if include[1] in with_token and "csrf_token=" not in include[2]
    ]
    assert len(with_token) > 20
    assert forgotten == []
