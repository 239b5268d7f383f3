from django.urls import path

from rumors.evidence import views

staff = [
    path("rumors/<int:pk>/evidence/", views.add_evidence, name="add_evidence"),
    path("rumors/evidence/<int:pk>/remove/", views.remove_evidence, name="remove_evidence"),
]
