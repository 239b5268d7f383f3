from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "portal.revisions.exchange"
