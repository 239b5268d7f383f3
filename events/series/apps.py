from django.apps import AppConfig


class SeriesConfig(AppConfig):
    name = "events.series"
    label = "series"
