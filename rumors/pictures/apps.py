from django.apps import AppConfig


class PicturesConfig(AppConfig):
    name = "rumors.pictures"
    label = "pictures"
