from django.urls import path

from events.registrations import views

public = [
    path("events/<slug:slug>/register/", views.register, name="register"),
    path("events/<slug:slug>/register/thanks/", views.registered, name="registered"),
    path("events/<slug:slug>/registration/", views.find_registration, name="find_registration"),
    path("events/<slug:slug>/registration/<str:token>/", views.registration, name="registration"),
]
staff = [
    path("events/needs/", views.needs, name="needs"),
    path("events/needs/<int:pk>/settle/", views.settle_need, name="settle_need"),
    path("events/<int:pk>/registrations/", views.event_registrations, name="event_registrations"),
    path("events/<int:pk>/registrations/export/", views.export_registrations, name="export_registrations"),
    path("events/<int:pk>/registrations/<int:registration>/", views.event_registration, name="event_registration"),
    path(
        "events/<int:pk>/registrations/<int:registration>/change/",
        views.change_registration,
        name="change_registration",
    ),
]
