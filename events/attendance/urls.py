from django.urls import path

from events.attendance import views

public = [
    path("events/<slug:slug>/feedback/", views.feedback, name="feedback"),
    path("events/<slug:slug>/feedback/thanks/", views.feedback_thanks, name="feedback_thanks"),
]
staff = [
    path("events/<int:pk>/attendance/", views.attendance, name="attendance"),
    path("events/<int:pk>/feedback/", views.event_feedback, name="event_feedback"),
    path("events/<int:pk>/check-in/", views.check_in_list, name="check_in_list"),
    path("events/<int:pk>/check-in/one-more/", views.walk_in, name="walk_in"),
    path("events/<int:pk>/check-in/one-less/", views.undo_walk_in, name="undo_walk_in"),
    path("events/<int:pk>/check-in/<int:registration>/", views.check_in, name="check_in"),
    path("events/<int:pk>/check-in/<int:registration>/undo/", views.undo_check_in, name="undo_check_in"),
    path("events/check-in/<str:token>/", views.scan_check_in, name="scan_check_in"),
]
