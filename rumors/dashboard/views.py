from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal import charts
from portal.facts.models import Topic
from portal.http import StaffRequest, staff
from rumors.dashboard import rules
from rumors.dashboard.forms import DashboardForm
from rumors.models import Sighting


@require_safe
@staff("rumors.view")
def rumor_dashboard(request: StaffRequest) -> HttpResponse:
    """How much is heard of what, what waits for an answer, and how long answers take."""
    form = DashboardForm(request.GET)
    first, last = form.period()
    filters = {name: form.cleaned_data.get(name) for name in ("topic", "language")}
    choice = rules.Choice(first, last, topic=filters["topic"], language=filters["language"] or "")
    now, today = timezone.now(), timezone.localdate()
    topics = {topic.pk: str(topic) for topic in Topic.objects.all()}
    everything = Sighting.objects.countable().filter(seen_on__range=(first, last))
    areas = rules.areas(everything)
    waiting_count, waiting = rules.waiting(choice, today=today)
    context = {
        "form": form,
        "active": form.active(),
        "choice": choice,
        "spread": rules.spread(choice, topics, today=today),
        "areas": areas,
        "area_lines": charts.lines(areas.named),
        "open": rules.still_open(choice, now=now),
        "answers": rules.answers(choice),
        "waiting": waiting,
        "waiting_count": waiting_count,
        "effects": rules.effects(choice, today=today),
        "is_filtered": any(filters.values()),
        "waiting_query": form.of_the_list(unanswered="yes"),
    }
    return render(request, "dashboard/staff/rumor_dashboard.html", context)
