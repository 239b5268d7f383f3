from django.urls import path

from portal.facts.packs import views

public = [
    path("embassies/", views.embassies, name="embassies"),
    path("embassies/packs/", views.packs, name="packs"),
    path("embassies/packs/<int:number>/", views.pack, name="pack"),
    path("embassies/packs/<int:number>/pack.pdf", views.pack_pdf, name="pack_pdf"),
    path("embassies/packs/<int:number>/pack.zip", views.pack_zip, name="pack_zip"),
    path("embassies/packs/<int:number>/follow/", views.follow, name="follow"),
    path("embassies/packs/<int:number>/follow/thanks/", views.followed, name="followed"),
    path("embassies/following/<str:token>/", views.following, name="following"),
]
staff = [
    path("packs/", views.staff_packs, name="staff_packs"),
    path("packs/new/", views.new_pack, name="new_pack"),
]
