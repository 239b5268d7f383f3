from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "rumors.dashboard"
    label = "dashboard"
