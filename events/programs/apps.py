from django.apps import AppConfig


class ProgramsConfig(AppConfig):
    name = "events.programs"
    label = "programs"
