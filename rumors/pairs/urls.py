from django.urls import path

from rumors.pairs import views

staff = [
    path("rumors/<int:pk>/merge/", views.merge_rumor, name="merge_rumor"),
    path("rumors/<int:pk>/relate/", views.relate, name="relate"),
    path("rumors/<int:rumor_pk>/pairs/<int:pk>/", views.settle_pair, name="settle_pair"),
    path("rumors/merges/<int:pk>/undo/", views.undo_merge, name="undo_merge"),
]
