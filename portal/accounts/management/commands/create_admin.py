from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from portal.accounts import actions
from portal.accounts.models import Role, User


class Command(BaseCommand):
    help = "Make the first administrator and print the link that sets the password (once, within three days)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        email, name = options["email"].strip().lower(), options["name"].strip()
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address.") from None
        with transaction.atomic():
            if User.objects.filter(email=email).exists():
                raise CommandError(f"{email} has an account; an administrator can change its roles under /admin/.")
            user = actions.add(email=email, name=name[:120], roles=[Role.ADMIN], by=None)
        self.stdout.write(f"{user.name} is an administrator. Choose a password here:\n{actions.password_link(user)}")
