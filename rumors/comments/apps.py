from django.apps import AppConfig


class CommentsConfig(AppConfig):
    name = "rumors.comments"
    label = "rumor_comments"
