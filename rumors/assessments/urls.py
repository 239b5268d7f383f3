from django.urls import path

from rumors.assessments import views

staff = [
    path("rumors/<int:pk>/assess/", views.assess, name="assess"),
    path("rumors/<int:pk>/abcde/", views.abcde, name="abcde"),
    path("rumors/<int:pk>/abcde/confirm/", views.confirm_attribution, name="confirm_attribution"),
]
