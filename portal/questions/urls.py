from django.urls import path

from portal.questions import views

public = [
    path("tell-us/", views.tell_us, name="tell_us"),
    path("tell-us/answer/", views.told_answer, name="told_answer"),
]
staff = [
    path("questions/", views.staff_questions, name="staff_questions"),
    path("questions/missed/", views.ask_missed, name="ask_missed"),
    path("questions/missing/", views.missing_facts, name="missing_facts"),
    path("questions/<int:pk>/", views.staff_question, name="staff_question"),
    path("questions/<int:pk>/settle/", views.settle_question, name="settle_question"),
    path("questions/<int:pk>/approve/", views.approve_answer, name="approve_answer"),
    path("questions/<int:pk>/reopen/", views.reopen_question, name="reopen_question"),
]
