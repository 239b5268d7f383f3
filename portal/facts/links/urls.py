from django.urls import path

from portal.facts.links import views

staff = [path("facts/links/<int:pk>/again/", views.check_again, name="check_link_again")]
