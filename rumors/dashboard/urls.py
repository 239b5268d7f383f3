from django.urls import path

from rumors.dashboard import views

staff = [path("rumors/dashboard/", views.rumor_dashboard, name="rumor_dashboard")]
