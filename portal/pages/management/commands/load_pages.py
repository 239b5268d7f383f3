"""Gives the standing pages their first text, where they have none: a site must not open without them."""

from typing import Any

from django.core.management.base import BaseCommand

from portal.pages import starter


class Command(BaseCommand):
    help = "Loads the accessibility statement and the privacy page, unless they have a text already."

    def handle(self, *args: Any, **options: Any) -> None:
        made = starter.load_pages()
        self.stdout.write(f"Standing pages: {made} texts made.")
