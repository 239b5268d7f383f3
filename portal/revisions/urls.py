from django.urls import path, re_path

from portal.revisions import views

urlpatterns = [
    path("texts/<slug:kind>/<int:object_id>/<slug:language>/", views.text, name="text"),
    path("texts/<slug:kind>/<int:object_id>/<slug:language>/withdraw/", views.withdraw, name="withdraw"),
    path("revisions/<int:pk>/", views.revision, name="revision"),
    re_path(r"^revisions/(?P<pk>\d{1,18})/(?P<step>submit|approve|reject|publish)/$", views.move, name="move_revision"),
]
