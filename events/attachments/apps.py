from django.apps import AppConfig


class AttachmentsConfig(AppConfig):
    name = "events.attachments"
    label = "attachments"
