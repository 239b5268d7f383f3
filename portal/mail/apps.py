from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "portal.mail"

    def ready(self) -> None:
        from portal.mail import actions, backend

        actions.register(backend.KIND, backend.render)
