from django.urls import path

from rumors.assignments import views

staff = [path("rumors/<int:pk>/assign/", views.assign_rumor, name="assign_rumor")]
