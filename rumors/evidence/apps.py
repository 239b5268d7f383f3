from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "rumors.evidence"
    label = "rumor_evidence"
