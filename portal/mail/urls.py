from django.urls import path

from portal.mail import views

urlpatterns = [
    path("mail/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("staff/mail/stopped/", views.stopped_addresses, name="stopped_addresses"),
    path("staff/mail/stopped/<int:pk>/lift/", views.lift_stop, name="lift_stop"),
    path("staff/mailbox/", views.mailbox, name="mailbox"),
    path("staff/mailbox/<str:name>/", views.mailbox_message, name="mailbox_message"),
]
