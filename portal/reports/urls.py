from django.urls import path

from portal.reports import views

staff = [
    path("reports/", views.staff_reports, name="staff_reports"),
    path("reports/keep/", views.keep_report, name="keep_report"),
    path("reports/<int:pk>/", views.report, name="report"),
    path("reports/<int:pk>/report.pdf", views.report_pdf, name="report_pdf"),
    path("reports/<int:pk>/report.xlsx", views.report_workbook, name="report_workbook"),
    path("reports/audit/", views.staff_audit, name="staff_audit"),
]
