from django.apps import AppConfig


class ActorsConfig(AppConfig):
    name = "events.actors"

    def ready(self) -> None:
        from events.actors import actions

        actions.announce()
