from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "rumors.notices"
    label = "notices"

    def ready(self) -> None:
        from rumors.notices import actions

        actions.announce()
