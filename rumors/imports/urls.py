from django.urls import path

from rumors.imports import views

staff = [
    path("rumors/import/", views.import_sightings, name="import_sightings"),
    path("rumors/import/template.csv", views.import_template, {"kind": "csv"}, name="import_template_csv"),
    path("rumors/import/template.xlsx", views.import_template, {"kind": "xlsx"}, name="import_template_xlsx"),
    path("rumors/import/<int:pk>/", views.import_mapping, name="import_mapping"),
    path("rumors/import/<int:pk>/check/", views.import_check, name="import_check"),
    path("rumors/import/<int:pk>/faults.csv", views.import_faults, name="import_faults"),
    path("rumors/import/<int:pk>/drop/", views.drop_import, name="drop_import"),
]
