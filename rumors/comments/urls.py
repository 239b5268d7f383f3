from django.urls import path

from rumors.comments import views

staff = [
    path("rumors/<int:pk>/comment/", views.comment_rumor, name="comment_rumor"),
    path("rumors/comments/<int:pk>/take-back/", views.take_comment_back, name="take_comment_back"),
]
