from django.urls import path

from portal.mail import views

urlpatterns = [
    path("mail/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("staff/mail/", views.staff_mail, name="staff_mail"),
    path("staff/mail/deliveries/", views.deliveries, name="deliveries"),
    path("staff/mail/history/", views.mail_history, name="mail_history"),
    path("staff/mail/pause/", views.pause_mail, name="pause_mail"),
    path("staff/mail/resume/", views.resume_mail, name="resume_mail"),
    path("staff/mail/uncertain/<slug:kind>/", views.uncertain_mail, name="uncertain_mail"),
    path("staff/mail/stopped/", views.stopped_addresses, name="stopped_addresses"),
    path("staff/mail/stopped/<int:pk>/lift/", views.lift_stop, name="lift_stop"),
    path("staff/mailbox/", views.mailbox, name="mailbox"),
    path("staff/mailbox/<str:name>/", views.mailbox_message, name="mailbox_message"),
]
