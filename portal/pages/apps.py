from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "portal.pages"

    def ready(self) -> None:
        from portal.pages import actions

        actions.register()
