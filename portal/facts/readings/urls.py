from django.urls import path

from portal.facts.readings import views

staff = [path("facts/opinions/<int:pk>/forget/", views.forget_comment, name="forget_comment")]
