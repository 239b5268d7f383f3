from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from events.models import Event, Registration
from portal import languages
from portal.audit.models import AuditEvent
from portal.audit.rules import entries
from portal.facts.models import Fact
from portal.http import StaffRequest, staff
from portal.reports.forms import PeriodForm
from portal.revisions.models import Edition
from rumors.models import Rebuttal, Rumor, Sighting
from rumors.vocabulary import Channel


@require_safe
@staff("reports.view")
def staff_reports(request: StaffRequest) -> HttpResponse:
    """Counts for a period, over all modules. Secret rumors are not counted; nobody is named."""
    form = PeriodForm(request.GET or None)
    first, last = form.period()
    rumors = Rumor.objects.countable().filter(logged_at__date__range=(first, last))
    sightings = Sighting.objects.filter(rumor__in=Rumor.objects.countable(), seen_on__range=(first, last))
    by_channel = sightings.values_list("channel").annotate(number=Count("pk")).order_by("-number")
    published = Edition.objects.published().values_list("language").annotate(number=Count("pk"))
    names = dict(Channel.choices)
    context = {
        "form": form,
        "first": first,
        "last": last,
        "rumors_count": rumors.count(),
        "answered_count": Rebuttal.objects.published().filter(rumor__in=rumors).values("rumor").distinct().count(),
        "sightings_count": sightings.count(),
        "channels": [(names[channel], number) for channel, number in by_channel],
        "facts_count": Fact.objects.published().count(),
        "languages": [(languages.get(code), number) for code, number in sorted(published, key=lambda row: -row[1])],
        "events_count": Event.objects.filter(starts_at__date__range=(first, last)).count(),
        "registrations_count": Registration.objects.confirmed()
        .filter(event__starts_at__date__range=(first, last))
        .count(),
    }
    return render(request, "reports/staff/reports.html", context)


@require_safe
@staff("audit.view")
def staff_audit(request: StaffRequest) -> HttpResponse:
    """Who did what, newest first."""
    page = Paginator(AuditEvent.objects.select_related("by"), 100).get_page(request.GET.get("page"))
    return render(request, "reports/staff/audit.html", {"page": page, "entries": entries(page)})
