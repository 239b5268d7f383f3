from django.urls import path, re_path

from rumors.imports import views

staff = [
    path("rumors/import/", views.import_sightings, name="import_sightings"),
    re_path(r"^rumors/import/template\.(?P<kind>csv|xlsx)$", views.import_template, name="import_template"),
    path("rumors/import/<int:pk>/", views.import_mapping, name="import_mapping"),
    path("rumors/import/<int:pk>/check/", views.import_check, name="import_check"),
    path("rumors/import/<int:pk>/faults.csv", views.import_faults, name="import_faults"),
    path("rumors/import/<int:pk>/drop/", views.drop_import, name="drop_import"),
]
