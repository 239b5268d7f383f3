from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import django.contrib.admin.apps
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.translation import pgettext_lazy

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    verbose_name = pgettext_lazy("staff", "Accounts")


class Administration(django.contrib.admin.apps.AdminConfig):
    """Django's administration with our site class; installed in place of `django.contrib.admin`."""

    default = False
    default_site = "portal.accounts.adapters.Administration"


@register()
def single_sign_on_is_set_up_whole(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    missing = [f"OIDC_{name}" for name, value in settings.OIDC.items() if not value]
    if missing and len(missing) < len(settings.OIDC):
        return [
            Error(
                f"Sign-in by OIDC is set up by halves: {', '.join(missing)} missing.",
                hint="Set OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET and OIDC_NAME, or none of them.",
                id="accounts.E001",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def demo_stays_at_home(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Known passwords and relaxed second factors belong to one machine: its own database and its own address."""
    if not settings.DEMO:
        return []
    database = settings.DATABASES["default"].get("HOST", "")
    problems = []
    if database and not database.startswith("/") and database not in LOOPBACK:
        problems.append(f"the database is on {database}")
    if (host := urlsplit(settings.PUBLIC_URL).hostname) not in LOOPBACK:
        problems.append(f"the site is called {host}")
    return [
        Error(
            f"Demo mode is on although {problem}.",
            hint="Unset KLARLAGT_DEMO: it opens the site to everybody who knows a demo login.",
            id="accounts.E002",
        )
        for problem in problems
    ]
