from django.apps import AppConfig


class ResponsesConfig(AppConfig):
    name = "rumors.responses"
    label = "responses"
