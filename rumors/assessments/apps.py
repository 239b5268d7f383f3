from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "rumors.assessments"
    label = "assessments"
