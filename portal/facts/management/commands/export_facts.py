from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import languages
from portal.facts import folder


class Command(BaseCommand):
    help = "Write every published fact into a new folder, one Markdown file per language, as import_facts reads them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--languages",
            nargs="+",
            choices=[code for code in languages.CATALOG if code != languages.SOURCE],
            default=[],
            metavar="CODE",
            help="only these beside Swedish, without which no folder is whole",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = folder.write(options["folder"], options["languages"])
        except OSError as error:
            raise CommandError(f"Nothing more was written: {error}") from None
        self.stdout.write(f"{count} files written to {options['folder']}.")
