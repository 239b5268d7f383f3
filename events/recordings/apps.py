from django.apps import AppConfig


class RecordingsConfig(AppConfig):
    name = "events.recordings"
    label = "recordings"
