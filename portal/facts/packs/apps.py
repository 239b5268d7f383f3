from django.apps import AppConfig


class PacksConfig(AppConfig):
    name = "portal.facts.packs"
    label = "packs"

    def ready(self) -> None:
        from portal.facts.packs import actions

        actions.announce()
