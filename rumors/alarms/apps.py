from django.apps import AppConfig


class AlarmsConfig(AppConfig):
    name = "rumors.alarms"
    label = "alarms"
