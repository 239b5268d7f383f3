from django.urls import path

from events.agreements import views

staff = [
    path("events/<int:pk>/agreements/", views.event_agreements, name="event_agreements"),
    path("events/series/<int:pk>/agreements/", views.series_agreements, name="series_agreements"),
    path("events/agreements/<int:pk>/edit/", views.edit_agreement, name="edit_agreement"),
    path("events/<int:pk>/minutes/", views.minutes, name="minutes"),
    path("events/<int:pk>/minutes/publish/", views.publish_minutes, name="publish_minutes"),
    path("events/<int:pk>/minutes/hide/", views.hide_minutes, name="hide_minutes"),
]
