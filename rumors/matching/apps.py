from django.apps import AppConfig


class MatchingConfig(AppConfig):
    name = "rumors.matching"
    label = "matching"
