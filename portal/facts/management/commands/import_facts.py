from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction
from django.utils import translation

from portal.accounts.models import User
from portal.facts import folder, rules


class Command(BaseCommand):
    help = "Take in a folder of Markdown files as drafts; nothing is published. See docs/operations.md for its form."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--by", required=True, metavar="EMAIL", help="an editor: whose drafts they will be")
        parser.add_argument("--dry-run", action="store_true", help="say what would be made, and make nothing")

    @translation.override("en")
    def handle(self, *args: Any, **options: Any) -> None:
        by = User.objects.filter(email=options["by"].strip().lower(), is_active=True).first()
        if by is None or not rules.may_take_in(by):
            raise CommandError(f"{options['by']} is nobody who may write facts: the account of an editor is needed.")
        try:
            with transaction.atomic():
                report = folder.take_in(options["folder"], by=by)
                transaction.set_rollback(options["dry_run"])
        except folder.FolderError as error:
            raise CommandError(
                f"{error}\nNothing was changed. Mend these {len(error.mistakes)} and try again."
            ) from None
        except IntegrityError:
            raise CommandError("Somebody made the same at the same time. Nothing was changed: try again.") from None
        self.stdout.write("\n".join(report.lines()))
        if options["dry_run"]:
            self.stdout.write("This was a dry run: nothing was changed.")
