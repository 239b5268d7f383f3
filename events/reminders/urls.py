from django.urls import path

from events.reminders import views

staff = [
    path("events/reminders/", views.reminders, name="reminders"),
    path("events/reminders/new/", views.new_rule, name="new_rule"),
    path("events/reminders/<int:pk>/", views.edit_rule, name="edit_rule"),
    path("events/reminders/<int:pk>/remove/", views.remove_rule, name="remove_rule"),
    path("events/reminders/<int:pk>/<slug:language>/", views.rule_text, name="rule_text"),
    path("events/<int:pk>/reminders/", views.event_reminders, name="event_reminders"),
    path("events/<int:pk>/pause/", views.pause_event, name="pause_event"),
    path("events/<int:pk>/reminders/own/", views.own_reminders, name="own_reminders"),
    path("events/<int:pk>/reminders/share/", views.share_reminders, name="share_reminders"),
    path("events/<int:pk>/reminders/<int:rule>/<slug:language>/", views.preview, name="preview_reminder"),
]
