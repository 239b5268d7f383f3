from django.urls import path

from portal.revisions.exchange import views

urlpatterns = [
    path("exchange/", views.exchange, name="exchange"),
    path("exchange/bundle.xlf", views.bundle, name="exchange_bundle"),
    path("exchange/<int:pk>/", views.upload, name="exchange_upload"),
    path("exchange/<slug:kind>/<int:object_id>/<slug:language>.xlf", views.one, name="exchange_text"),
    path(
        "exchange/machine/<slug:kind>/<int:object_id>/<slug:language>/",
        views.machine_translate,
        name="machine_translate",
    ),
]
