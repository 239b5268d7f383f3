from django.urls import path, re_path

from portal.revisions import views

public = [path("preview/<str:token>/", views.preview, name="preview")]
_text = "texts/<slug:kind>/<int:object_id>/<slug:language>/"
_steps = "submit|approve|reject|publish|restore"
staff = [
    path(_text, views.text, name="text"),
    path(f"{_text}writing/", views.writing, name="writing"),
    path(f"{_text}history/", views.history, name="text_history"),
    path(f"{_text}assign/", views.assign, name="assign"),
    path(f"{_text}renew/", views.renew, name="renew"),
    path(f"{_text}withdraw/", views.withdraw, name="withdraw"),
    path("translations/", views.translations, name="translations"),
    path("revisions/compare/", views.compare, name="compare"),
    path("revisions/<int:pk>/", views.revision, name="revision"),
    path("revisions/<int:pk>/comment/", views.comment, name="comment_revision"),
    path("revisions/<int:pk>/schedule/", views.schedule, name="schedule_revision"),
    path("schedules/<int:pk>/cancel/", views.unschedule, name="unschedule"),
    re_path(rf"^revisions/(?P<pk>\d{{1,18}})/(?P<step>{_steps})/$", views.move, name="move_revision"),
]
