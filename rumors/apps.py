from django.apps import AppConfig


class RumorsConfig(AppConfig):
    name = "rumors"

    def ready(self) -> None:
        from rumors import actions

        actions.register()
