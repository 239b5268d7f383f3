from django.urls import path

from portal.questions import views

public = [
    path("tell-us/", views.tell_us, name="tell_us"),
    path("tell-us/thanks/", views.told, name="told"),
]
staff = [
    path("questions/", views.staff_questions, name="staff_questions"),
    path("questions/missed/", views.ask_missed, name="ask_missed"),
    path("questions/<int:pk>/", views.question, name="staff_question"),
]
