from django.apps import AppConfig


class PairsConfig(AppConfig):
    name = "rumors.pairs"
    label = "pairs"
