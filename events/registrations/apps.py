from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    name = "events.registrations"
    label = "registrations"

    def ready(self) -> None:
        from events.registrations import actions

        actions.announce()
