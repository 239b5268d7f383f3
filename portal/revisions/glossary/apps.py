from django.apps import AppConfig


class GlossaryConfig(AppConfig):
    name = "portal.revisions.glossary"
