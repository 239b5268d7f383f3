from django.apps import AppConfig


class LinksConfig(AppConfig):
    name = "portal.facts.links"
    label = "links"
