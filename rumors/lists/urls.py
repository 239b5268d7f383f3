from django.urls import path

from rumors.lists import views

staff = [
    path("rumors/", views.staff_rumors, name="staff_rumors"),
    path("rumors/filters/save/", views.save_filter, name="save_filter"),
    path("rumors/filters/<int:pk>/delete/", views.forget_filter, name="forget_filter"),
]
