from django.urls import path

from rumors.intake import views

staff = [
    path("rumors/log/", views.log_rumor, name="log_rumor"),
    path("rumors/log/known/", views.known_rumors, name="known_rumors"),
    path("rumors/log/drafts/delete/", views.throw_draft_away, name="throw_draft_away"),
    path("rumors/log/question/<int:pk>/", views.log_rumor, name="log_from_question"),
    path("rumors/log/question/<int:pk>/known/", views.known_rumors, name="known_to_question"),
    path("rumors/suggestions/", views.suggestions, name="suggestions"),
    path("rumors/<int:pk>/logged/", views.logged_rumor, name="logged_rumor"),
]
