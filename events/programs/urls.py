from django.urls import path

from events.programs import views

staff = [
    path("events/<int:pk>/program/", views.program, name="program"),
    path("events/<int:pk>/program/<slug:language>/", views.program_titles, name="program_titles"),
]
