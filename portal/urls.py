"""Composition: every module's addresses in one place; nothing imports this."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

import events.actors.urls
import events.agreements.urls
import events.attachments.urls
import events.attendance.urls
import events.invitations.urls
import events.outreach.urls
import events.programs.urls
import events.recordings.urls
import events.registrations.urls
import events.reminders.urls
import events.series.urls
import events.urls
import portal.accounts.urls
import portal.facts.packs.urls
import portal.facts.readings.urls
import portal.facts.urls
import portal.mail.urls
import portal.pages.api
import portal.pages.urls
import portal.questions.urls
import portal.reports.urls
import portal.revisions.exchange.urls
import portal.revisions.glossary.urls
import portal.revisions.readers.urls
import portal.revisions.urls
import rumors.alarms.urls
import rumors.assessments.urls
import rumors.assignments.urls
import rumors.comments.urls
import rumors.dashboard.urls
import rumors.evidence.urls
import rumors.exports.urls
import rumors.imports.urls
import rumors.intake.urls
import rumors.lists.urls
import rumors.notices.urls
import rumors.pairs.urls
import rumors.responses.urls
import rumors.urls

handler400 = "portal.pages.errors.bad_request"
handler403 = "portal.pages.errors.permission_denied"
handler404 = "portal.pages.errors.page_not_found"
handler429 = "portal.accounts.views.too_many_requests"
handler500 = "portal.pages.errors.server_error"

urlpatterns = [
    *portal.pages.urls.everywhere,
    *portal.facts.urls.short,
    *portal.mail.urls.urlpatterns,
    path("api/v1/", portal.pages.api.api.urls),
    path("admin/", admin.site.urls),
    path(
        "staff/",
        include(
            [
                *portal.pages.urls.staff,
                *portal.accounts.urls.urlpatterns,
                *portal.revisions.urls.staff,
                *portal.revisions.glossary.urls.staff,
                *portal.revisions.exchange.urls.urlpatterns,
                *portal.revisions.readers.urls.staff,
                *portal.facts.urls.staff,
                *portal.facts.readings.urls.staff,
                *portal.facts.packs.urls.staff,
                *portal.questions.urls.staff,
                *rumors.lists.urls.staff,
                *rumors.intake.urls.staff,
                *rumors.urls.staff,
                *rumors.responses.urls.staff,
                *rumors.pairs.urls.staff,
                *rumors.assessments.urls.staff,
                *rumors.alarms.urls.staff,
                *rumors.notices.urls.staff,
                *rumors.assignments.urls.staff,
                *rumors.comments.urls.staff,
                *rumors.evidence.urls.staff,
                *rumors.dashboard.urls.staff,
                *rumors.imports.urls.staff,
                *rumors.exports.urls.staff,
                *events.actors.urls.staff,
                *events.series.urls.staff,
                *events.agreements.urls.staff,
                *events.invitations.urls.staff,
                *events.urls.staff,
                *events.programs.urls.staff,
                *events.recordings.urls.staff,
                *events.attachments.urls.staff,
                *events.registrations.urls.staff,
                *events.attendance.urls.staff,
                *events.outreach.urls.staff,
                *events.reminders.urls.staff,
                *portal.reports.urls.staff,
            ]
        ),
    ),
    *i18n_patterns(
        *portal.pages.urls.public,
        *portal.facts.urls.public,
        *portal.revisions.urls.public,
        *portal.revisions.glossary.urls.public,
        *portal.revisions.readers.urls.public,
        *portal.facts.packs.urls.public,
        *portal.questions.urls.public,
        *rumors.urls.public,
        *events.urls.public,
        *events.programs.urls.public,
        *events.attachments.urls.public,
        *events.registrations.urls.public,
        *events.attendance.urls.public,
        *events.invitations.urls.public,
    ),
]
