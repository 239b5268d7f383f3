from django.urls import path

from rumors.alarms import views

staff = [
    path("rumors/alarms/", views.alarms, name="alarms"),
    path("rumors/alarms/seen/", views.see_alarm, name="see_alarm"),
    path("rumors/alarms/unseen/", views.unsee_alarm, name="unsee_alarm"),
]
