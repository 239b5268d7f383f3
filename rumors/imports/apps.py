from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "rumors.imports"
    label = "imports"
