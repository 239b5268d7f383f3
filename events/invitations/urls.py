from django.urls import path

from events.invitations import views

public = [
    path("invitation/<str:token>/", views.invitation, name="invitation"),
]
staff = [
    path("events/<int:pk>/invitations/", views.event_invitations, name="event_invitations"),
    path("events/<int:pk>/invitations/invite/", views.invite, name="invite"),
    path("events/<int:pk>/invitations/invite-by-hand/", views.invite_by_hand, name="invite_by_hand"),
    path("events/invitations/<int:pk>/", views.staff_invitation, name="staff_invitation"),
    path("events/invitations/<int:pk>/send-again/", views.send_invitation_again, name="send_invitation_again"),
    path("events/invitations/<int:pk>/withdraw/", views.withdraw_invitation, name="withdraw_invitation"),
    path("events/actors/coverage/", views.coverage, name="coverage"),
    path("events/actors/coverage/export/", views.export_coverage, name="export_coverage"),
]
