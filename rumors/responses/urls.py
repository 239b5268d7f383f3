from django.urls import path

from rumors.responses import views

staff = [
    path("rumors/<int:pk>/respond/", views.respond, name="respond"),
    path("rumors/responses/<int:pk>/finish/", views.finish_response, name="finish_response"),
    path("rumors/responses/<int:pk>/drop/", views.drop_response, name="drop_response"),
]
