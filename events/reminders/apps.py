from django.apps import AppConfig


class RemindersConfig(AppConfig):
    name = "events.reminders"
    label = "reminders"

    def ready(self) -> None:
        from events.reminders import actions

        actions.announce()
