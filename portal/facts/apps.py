from django.apps import AppConfig


class FactsConfig(AppConfig):
    name = "portal.facts"

    def ready(self) -> None:
        from portal.facts import actions

        actions.register()
