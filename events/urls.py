from django.urls import path

from events import views

public = [
    path("events/", views.events, name="events"),
    path("events.ics", views.events_ics, name="events_ics"),
    path("events/<slug:slug>.ics", views.event_ics, name="event_ics"),
    path("events/<slug:slug>/", views.event, name="event"),
    path("events/<slug:slug>/register/", views.register, name="register"),
    path("events/<slug:slug>/register/thanks/", views.registered, name="registered"),
    path("events/<slug:slug>/registration/<str:token>/", views.registration, name="registration"),
]
staff = [
    path("events/", views.staff_events, name="staff_events"),
    path("events/new/", views.new_event, name="new_event"),
    path("events/<int:pk>/", views.staff_event, name="staff_event"),
    path("events/<int:pk>/edit/", views.edit_event, name="edit_event"),
    path("events/<int:pk>/program/<slug:language>/", views.event_program, name="event_program"),
    path("events/<int:pk>/registrations/", views.event_registrations, name="event_registrations"),
]
