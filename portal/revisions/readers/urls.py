from django.urls import path

from portal.revisions.readers import views

public = [
    path("check/<str:token>/", views.reader_check, name="reader_check"),
]
staff = [
    path("revisions/<int:pk>/readers/", views.revision_readers, name="revision_readers"),
    path("readers/<int:pk>/revoke/", views.revoke_reader, name="revoke_reader"),
]
