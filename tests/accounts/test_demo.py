import json
import stat
from unittest.mock import patch

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.urls import reverse

from portal.accounts import actions
from portal.accounts.models import Role, User
from tests.accounts.people import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path, monkeypatch):
    settings.DEMO = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # ten slow ones a run are too many
    monkeypatch.setenv("KLARLAGT_LOCAL", str(tmp_path / "local"))
    return tmp_path / "local"


def test_demo_logins_cover_every_role_and_sign_in(folder, capsys):
    call_command("demo_logins")

    path = folder / "demo-logins.json"
    logins = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {role for login in logins if len(login["roles"]) == 1 for role in login["roles"]} == set(Role.values)
    printed = capsys.readouterr().out
    for login in logins:
        assert f"{login['password']}  {', '.join(login['roles'])}" in printed
    client = browser()
    client.post(reverse("account_login"), {"login": logins[0]["email"], "password": logins[0]["password"]})
    assert client.get("/staff/").status_code == 200


def test_a_second_run_changes_nothing(folder):
    call_command("demo_logins")
    before = (folder / "demo-logins.json").stat().st_mtime_ns, list(User.objects.order_by("pk").values())

    call_command("demo_logins")

    assert before == ((folder / "demo-logins.json").stat().st_mtime_ns, list(User.objects.order_by("pk").values()))


@pytest.mark.parametrize("damage", ["users", "roles", "password", "file"])
def test_another_run_mends_what_does_not_match(folder, damage):
    call_command("demo_logins")
    path = folder / "demo-logins.json"
    kept = json.loads(path.read_text())
    editor = User.objects.get(email="redaktor@demo.example")
    if damage == "users":
        for user in User.objects.all():
            actions.change(user, email=f"old.{user.email}", roles=user.roles, by=None)
    elif damage == "roles":
        editor.groups.clear()
    elif damage == "password":
        editor.set_password("annat")
        editor.save()
    else:
        path.write_text("{torn")

    call_command("demo_logins")

    logins = {login["email"]: login for login in json.loads(path.read_text())}
    login = logins["redaktor@demo.example"]
    user = User.objects.get(email="redaktor@demo.example")
    assert user.check_password(login["password"])
    assert user.roles == {Role.EDITOR}
    if damage != "file":
        assert login["password"] == next(old["password"] for old in kept if old["email"] == login["email"])


def test_outside_demo_mode_it_refuses_with_one_sentence(folder, settings):
    settings.DEMO = False

    with pytest.raises(CommandError, match="demo mode only"):
        call_command("demo_logins")

    assert not folder.exists()


def errors(settings, *, host="", **values):
    for name, value in values.items():
        setattr(settings, name, value)
    with patch.dict(settings.DATABASES["default"], HOST=host):
        found = run_checks(app_configs=[apps.get_app_config("accounts")], include_deployment_checks=True)
    return [problem.msg for problem in found if problem.id.startswith("accounts.")]


@pytest.mark.parametrize("host", ["", "/run/klarlagt", "127.0.0.1", "localhost"])
def test_demo_mode_on_its_own_machine_passes_the_deploy_check(settings, host):
    assert errors(settings, host=host, DEMO=True, PUBLIC_URL="http://localhost:8000") == []


def test_demo_mode_with_a_real_database_or_address_fails_the_deploy_check(settings):
    found = errors(settings, host="db", DEMO=True, PUBLIC_URL="https://klarlagt.example.se")

    assert found == [
        "Demo mode is on although the database is on db.",
        "Demo mode is on although the site is called klarlagt.example.se.",
    ]
    assert errors(settings, host="db", DEMO=False) == []


def test_oidc_set_up_by_halves_is_one_clear_error(settings):
    oidc = {"ISSUER": "https://id.example", "CLIENT_ID": "", "CLIENT_SECRET": "x", "NAME": ""}

    assert errors(settings, OIDC=oidc) == ["Sign-in by OIDC is set up by halves: OIDC_CLIENT_ID, OIDC_NAME missing."]
