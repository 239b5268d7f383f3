from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"

    def ready(self) -> None:
        from events import actions  # noqa: PLC0415 - models are there only now

        actions.announce()
