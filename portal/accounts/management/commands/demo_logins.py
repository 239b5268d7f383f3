import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal.accounts import actions
from portal.accounts.models import Role, User

PEOPLE: Final = (
    ("vardag", "Demo Vardag", (Role.REPORTER, Role.EDITOR, Role.TRANSLATOR, Role.EVENTS)),
    ("rapportor", "Demo Rapportör", (Role.REPORTER,)),
    ("redaktor", "Demo Redaktör", (Role.EDITOR,)),
    ("oversattare", "Demo Översättare", (Role.TRANSLATOR,)),
    ("granskare", "Demo Granskare", (Role.APPROVER,)),
    ("evenemang", "Demo Evenemang", (Role.EVENTS,)),
    ("sakerhet", "Demo Säkerhet", (Role.SECURITY,)),
    ("chef", "Demo Chef", (Role.MANAGER,)),
    ("revisor", "Demo Revisor", (Role.AUDITOR,)),
    ("admin", "Demo Administratör", (Role.ADMIN,)),
)
"""One person for every role, and first the one who does a bit of everything but approve their own text."""


class Command(BaseCommand):
    help = "Make one demo login per role, keep their random passwords in .local/demo-logins.json, and print them."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo logins exist in demo mode only (KLARLAGT_DEMO=1, as `make run` sets it).")
        path = Path(os.environ.get("KLARLAGT_LOCAL") or settings.BASE_DIR / ".local") / "demo-logins.json"
        kept = self._read(path)
        with transaction.atomic():
            logins = [
                self._login(f"{word}@demo.example", name, roles, kept.get(f"{word}@demo.example", {}))
                for word, name, roles in PEOPLE
            ]
            if logins != list(kept.values()):
                self._write(path, logins)
        width = max(len(login["email"]) for login in logins)
        for login in logins:
            self.stdout.write(f"{login['email']:{width}}  {login['password']}  {', '.join(login['roles'])}")

    @staticmethod
    def _login(email: str, name: str, roles: tuple[Role, ...], kept: dict[str, Any]) -> dict[str, Any]:
        password = kept.get("password") or secrets.token_urlsafe(12)
        user = User.objects.filter(email=email).first() or actions.add(email=email, name=name, roles=roles, by=None)
        if user.roles != set(roles) or not user.is_active:
            actions.change(user, roles=roles, is_active=True, by=None)
        # Comparing with the stored hash instead of hashing again keeps later starts fast.
        if kept.get("stored") != user.password:
            actions.set_password(user, password)
        return {
            "email": email,
            "name": user.name,
            "roles": [str(role) for role in roles],
            "password": password,
            "stored": user.password,
        }

    @staticmethod
    def _read(path: Path) -> dict[str, dict[str, Any]]:
        try:
            return {login["email"]: login for login in json.loads(path.read_text("utf-8"))}
        except (OSError, ValueError, KeyError, TypeError):
            return {}  # a missing or torn file is written anew, with new passwords

    @staticmethod
    def _write(path: Path, logins: list[dict[str, Any]]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".demo-logins-")  # made readable to its owner only
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(logins, file, ensure_ascii=False, indent=2)
        Path(name).replace(path)
