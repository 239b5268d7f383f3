from django.urls import path

from rumors.notices import views

staff = [
    path("rumors/notices/", views.rumor_notices, name="rumor_notices"),
]
