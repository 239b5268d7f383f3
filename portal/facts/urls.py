from django.urls import path

from portal.facts import views
from portal.facts.links import urls as links

public = [
    path("parents/", views.parents, name="parents"),
    path("children/", views.children, name="children"),
    path("embassies/", views.embassies, name="embassies"),
    path("facts/<slug:slug>/", views.fact, name="fact"),
    path("facts/<slug:slug>/handout.pdf", views.handout, name="handout"),
    path("facts/<slug:slug>/card.png", views.card, name="card"),
]
staff = [
    path("facts/", views.staff_facts, name="staff_facts"),
    path("facts/new/", views.new_fact, name="new_fact"),
    path("facts/topics/", views.topics, name="staff_topics"),
    path("facts/topics/new/", views.topic, name="new_topic"),
    path("facts/topics/<int:pk>/", views.topic, name="staff_topic"),
    path("facts/links/", views.links, name="staff_links"),
    *links.staff,
    path("facts/<int:pk>/", views.staff_fact, name="staff_fact"),
    path("facts/<int:pk>/edit/", views.edit_fact, name="edit_fact"),
]
short = [path("f/<int:pk>", views.short, name="short")]
