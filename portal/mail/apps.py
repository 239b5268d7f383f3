from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "portal.mail"

    def ready(self) -> None:
        from django.utils.translation import pgettext_lazy

        from portal.mail import actions, backend, models

        actions.register(
            models.ACCOUNT,
            backend.render,
            label=pgettext_lazy("staff", "What somebody needs to sign in"),
            if_twice=pgettext_lazy("staff", "the same link comes twice, and works once."),
        )
