from django.urls import path

from portal.reports import views

staff = [
    path("reports/", views.staff_reports, name="staff_reports"),
    path("reports/audit/", views.staff_audit, name="staff_audit"),
]
