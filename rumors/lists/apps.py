from django.apps import AppConfig


class ListsConfig(AppConfig):
    name = "rumors.lists"
    label = "rumor_lists"
