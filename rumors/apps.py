from django.apps import AppConfig


class RumorsConfig(AppConfig):
    name = "rumors"

    def ready(self) -> None:
        from rumors import actions  # noqa: PLC0415 - models are there only now

        actions.register()
