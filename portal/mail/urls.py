from django.urls import path

from portal.mail import views

urlpatterns = [
    path("mail/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("staff/mailbox/", views.mailbox, name="mailbox"),
    path("staff/mailbox/<str:name>/", views.mailbox_message, name="mailbox_message"),
]
