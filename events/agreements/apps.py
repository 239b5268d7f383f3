from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "events.agreements"
    label = "agreements"
