from django.urls import path

from events.attachments import views

public = [
    path("events/<slug:slug>/attachments/<int:pk>/", views.attachment, name="attachment"),
]
staff = [
    path("events/<int:pk>/attachments/", views.attachments, name="attachments"),
    path("events/<int:pk>/attachments/add/", views.add_attachment, name="add_attachment"),
    path("events/<int:pk>/attachments/<int:attachment>/", views.staff_attachment, name="staff_attachment"),
    path("events/<int:pk>/attachments/<int:attachment>/remove/", views.remove_attachment, name="remove_attachment"),
]
