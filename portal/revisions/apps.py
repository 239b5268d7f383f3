from django.apps import AppConfig


class RevisionsConfig(AppConfig):
    name = "portal.revisions"

    def ready(self) -> None:
        from portal.revisions import actions

        actions.announce()
