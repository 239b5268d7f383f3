from django.apps import AppConfig


class AssignmentsConfig(AppConfig):
    name = "rumors.assignments"
    label = "rumor_assignments"
