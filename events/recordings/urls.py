from django.urls import path

from events.recordings import views

staff = [
    path("events/<int:pk>/recording/", views.recording, name="recording"),
    path("events/<int:pk>/recording/consents/", views.note_consents, name="note_consents"),
    path("events/<int:pk>/recording/show/", views.show_recording, name="show_recording"),
    path("events/<int:pk>/recording/hide/", views.hide_recording, name="hide_recording"),
    path("events/<int:pk>/recording/remove/", views.remove_recording, name="remove_recording"),
]
