from django.apps import AppConfig


class InvitationsConfig(AppConfig):
    name = "events.invitations"
    label = "invitations"

    def ready(self) -> None:
        from events.invitations import actions

        actions.announce()
