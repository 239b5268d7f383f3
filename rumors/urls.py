from django.urls import path

from rumors import views

public = [
    path("rumors/", views.rumors, name="rumors"),
    path("rumors/<slug:slug>/", views.rumor, name="rumor"),
    path("rumors/<slug:slug>/card.png", views.rumor_card, name="rumor_card"),
]
staff = [
    path("rumors/threats/", views.threats, name="threats"),
    path("rumors/threats/<int:pk>/", views.threat, name="threat"),
    path("rumors/narratives/", views.narratives, name="narratives"),
    path("rumors/narratives/new/", views.narrative, name="new_narrative"),
    path("rumors/narratives/<int:pk>/", views.narrative, name="narrative"),
    path("rumors/rebuttals/<int:pk>/", views.staff_rebuttal, name="staff_rebuttal"),
    path("rumors/rebuttals/<int:pk>/confirm/", views.confirm_rebuttal, name="confirm_rebuttal"),
    path("rumors/<int:pk>/", views.staff_rumor, name="staff_rumor"),
    path("rumors/sightings/<int:pk>/picture/", views.sighting_picture, name="sighting_picture"),
    path("rumors/sightings/<int:pk>/preview/", views.sighting_picture, {"is_preview": True}, name="sighting_preview"),
    path("rumors/<int:pk>/sight/", views.sight_rumor, name="sight_rumor"),
    path("rumors/<int:pk>/edit/", views.edit_rumor, name="edit_rumor"),
    path("rumors/<int:pk>/rate/", views.rate_rumor, name="rate_rumor"),
    path("rumors/<int:pk>/move/", views.move_rumor, name="move_rumor"),
    path("rumors/<int:pk>/approve/", views.approve_rumor, name="approve_rumor"),
    path("rumors/<int:pk>/watch/", views.watch_rumor, name="watch_rumor"),
    path("rumors/<int:pk>/link/", views.link_fact, name="link_fact"),
]
