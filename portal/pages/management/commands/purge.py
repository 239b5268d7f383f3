"""What the clock does every six hours, by hand; or what it would do, without doing it."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal.pages import actions, rules


class Command(BaseCommand):
    help = "Deletes everything whose retention has run out (docs/retention.md), as the clock does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and change nothing")
        parser.add_argument(
            "--at", type=date.fromisoformat, metavar="2026-12-24", help="with --dry-run: by the end of that day"
        )

    def handle(self, *, dry_run: bool, at: date | None, **_: Any) -> None:
        if at and not dry_run:
            raise CommandError("--at needs --dry-run: nothing goes before its time.")
        now = rules.evening(at) if at else timezone.now()
        done = actions.rehearse(now=now) if dry_run else actions.purge(now=now)
        for part, number in done.counts.items():
            if number:
                self.stdout.write(f"{number:8} {part}")
        if not any(done.counts.values()):
            self.stdout.write("Nothing is old enough.")
        if done.failed:
            raise CommandError(f"Failed, the log says where: {', '.join(done.failed)}.")
