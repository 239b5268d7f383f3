from django.urls import path

from events.outreach import views

staff = [
    path("events/outreach/", views.outreach, name="outreach"),
    path("events/outreach/log/", views.log_session, name="log_session"),
    path("events/outreach/log/keep/", views.keep_session, name="keep_session"),
    path("events/outreach/log/throw-away/", views.throw_session_away, name="throw_session_away"),
    path("events/outreach/<int:pk>/", views.outreach_session, name="outreach_session"),
    path("events/outreach/<int:pk>/edit/", views.edit_session, name="edit_session"),
    path("events/outreach/<int:pk>/ask/", views.ask_session, name="ask_session"),
    path("events/outreach/<int:pk>/safety/", views.session_safety, name="session_safety"),
]
