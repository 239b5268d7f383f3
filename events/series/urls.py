from django.urls import path

from events.series import views

staff = [
    path("events/series/", views.all_series, name="all_series"),
    path("events/series/new/", views.new_series, name="new_series"),
    path("events/series/<int:pk>/", views.series, name="series"),
    path("events/series/<int:pk>/edit/", views.edit_series, name="edit_series"),
]
