from django.urls import path

from events.programs import views

public = [
    path("events/<slug:slug>/speakers/<int:pk>/", views.speaker_photo, name="speaker_photo"),
]
staff = [
    path("events/<int:pk>/program/", views.program, name="program"),
    path("events/<int:pk>/program/move/", views.move_program, name="move_program"),
    path("events/<int:pk>/program/publish/", views.publish_program, name="publish_program"),
    path("events/<int:pk>/program/versions/<int:number>/", views.program_version, name="program_version"),
    path("events/<int:pk>/program/<slug:language>/", views.program_texts, name="program_texts"),
    path("events/<int:pk>/speakers/", views.speakers, name="speakers"),
    path("events/<int:pk>/speakers/<int:speaker>/", views.speaker, name="speaker"),
    path("events/<int:pk>/speakers/<int:speaker>/photo/", views.speaker_preview, name="speaker_preview"),
    path("events/<int:pk>/speakers/<int:speaker>/photo/remove/", views.remove_photo, name="remove_photo"),
    path("events/<int:pk>/speakers/<int:speaker>/agree/", views.agree_to_be_named, name="agree_to_be_named"),
    path("events/<int:pk>/speakers/<int:speaker>/take-back/", views.take_name_back, name="take_name_back"),
]
