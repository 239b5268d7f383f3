from django.apps import AppConfig


class ProgramsConfig(AppConfig):
    name = "events.programs"
    label = "programs"

    def ready(self) -> None:
        from events.programs import actions

        actions.announce()
