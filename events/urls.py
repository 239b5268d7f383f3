from django.urls import path

from events import views

public = [
    path("events/", views.events, name="events"),
    path("events.ics", views.events_ics, name="events_ics"),
    path("events/<slug:slug>.ics", views.event_ics, name="event_ics"),
    path("events/<slug:slug>/", views.event, name="event"),
]
staff = [
    path("events/", views.staff_events, name="staff_events"),
    path("events/new/", views.new_event, name="new_event"),
    path("events/<int:pk>/", views.staff_event, name="staff_event"),
    path("events/<int:pk>/edit/", views.edit_event, name="edit_event"),
    path("events/<int:pk>/copy/", views.copy_event, name="copy_event"),
    path("events/<int:pk>/hand-in/", views.hand_in_event, name="hand_in_event"),
    path("events/<int:pk>/send-back/", views.send_back_event, name="send_back_event"),
    path("events/<int:pk>/publish/", views.publish_event, name="publish_event"),
    path("events/<int:pk>/cancel/", views.cancel_event, name="cancel_event"),
    path("events/<int:pk>/restore/", views.restore_event, name="restore_event"),
    path("events/<int:pk>/risks/", views.assess_event, name="assess_event"),
    path("events/<int:pk>/risks/approve/", views.approve_risks, name="approve_risks"),
]
