from django.urls import path

from events.actors import views

staff = [
    path("events/actors/", views.staff_actors, name="staff_actors"),
    path("events/actors/new/", views.new_actor, name="new_actor"),
    path("events/actors/export/", views.export_actors, name="export_actors"),
    path("events/actors/<int:pk>/", views.actor, name="actor"),
    path("events/actors/<int:pk>/edit/", views.edit_actor, name="edit_actor"),
    path("events/actors/<int:pk>/delete/", views.delete_actor, name="delete_actor"),
    path("events/actors/<int:pk>/contacts/new/", views.new_contact, name="new_contact"),
    path("events/actors/contacts/<int:pk>/edit/", views.edit_contact, name="edit_contact"),
    path("events/actors/contacts/<int:pk>/delete/", views.delete_contact, name="delete_contact"),
    path("events/actors/helpers/", views.helpers, name="helpers"),
    path("events/actors/helpers/new/", views.new_helper, name="new_helper"),
    path("events/actors/helpers/<int:pk>/edit/", views.edit_helper, name="edit_helper"),
    path("events/actors/helpers/<int:pk>/delete/", views.delete_helper, name="delete_helper"),
]
