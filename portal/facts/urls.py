from django.urls import path

from portal.facts import views
from portal.facts.links import urls as links

public = [
    path("parents/", views.parents, name="parents"),
    path("children/", views.children, name="children"),
    path("facts/<slug:slug>/", views.fact, name="fact"),
    path("facts/<slug:slug>/helpful/", views.helpful, name="helpful"),
    path("facts/<slug:slug>/helpful/thanks/", views.helped, name="helped"),
    path("facts/<slug:slug>/handout.pdf", views.handout, name="handout"),
    path("facts/<slug:slug>/card.png", views.card, name="card"),
    path("print/", views.printing, name="print"),
    path("handout.pdf", views.handouts, name="handouts"),
]
staff = [
    path("facts/", views.staff_facts, name="staff_facts"),
    path("facts/new/", views.new_fact, name="new_fact"),
    path("facts/library/", views.library, name="library"),
    path("facts/matrix/", views.matrix_page, name="matrix"),
    path("facts/export.zip", views.export, name="export_facts"),
    path("facts/topics/", views.topics, name="staff_topics"),
    path("facts/topics/new/", views.topic, name="new_topic"),
    path("facts/topics/<int:pk>/", views.topic, name="staff_topic"),
    path("facts/links/", views.links, name="staff_links"),
    *links.staff,
    path("facts/<int:pk>/", views.staff_fact, name="staff_fact"),
    path("facts/<int:pk>/edit/", views.edit_fact, name="edit_fact"),
    path("facts/<int:pk>/confirm/", views.confirm_fact, name="confirm_fact"),
]
short = [
    path("f/<int:pk>", views.short, name="short"),
    path("f/<slug:slug>", views.short, name="short"),
]
