from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "rumors.intake"
    label = "intake"
