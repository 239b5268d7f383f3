from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "rumors.exports"
    label = "exports"
