from django.urls import path

from rumors.exports import views

staff = [
    path("rumors/export/", views.export_rumors, name="export_rumors"),
    path("rumors/export/<int:pk>/", views.rumor_export, name="rumor_export"),
    path("rumors/export/<int:pk>/file/", views.download_export, name="download_export"),
    path("rumors/export/<int:pk>/forget/", views.forget_export, name="forget_export"),
]
