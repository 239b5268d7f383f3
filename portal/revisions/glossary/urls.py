from django.urls import path

from portal.revisions.glossary import views

public = [path("words/", views.words, name="words")]
staff = [
    path("words/", views.staff_words, name="staff_words"),
    path("words/new/", views.new_word, name="new_word"),
    path("words/print/<slug:language>/", views.print_words, name="print_words"),
    path("words/<int:pk>/", views.staff_word, name="staff_word"),
    path("words/<int:pk>/edit/", views.edit_word, name="edit_word"),
    path("words/<int:pk>/delete/", views.delete_word, name="delete_word"),
    path("words/<int:pk>/<slug:language>/", views.wording, name="wording"),
    path("words/<int:pk>/<slug:language>/approve/", views.approve_wording, name="approve_wording"),
]
