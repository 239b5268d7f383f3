from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import get_language, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from events.actors.models import Actor
from events.agreements.models import Agreement
from events.models import Event
from events.registrations.models import Need
from portal import languages
from portal.facts.models import Audience, Fact
from portal.http import StaffRequest, staff
from portal.mail.models import Delivery, Pause
from portal.pages import actions, checks, rules
from portal.pages.forms import ContactsForm, SearchForm
from portal.pages.models import Page, Purge
from portal.public import alternates, guarded, public
from portal.questions.models import Question
from portal.revisions.models import Revision, State
from portal.revisions.rules import read
from portal.revisions.views import language_rows, reading
from portal.search import actions as missed
from portal.search.models import IndexRow
from rumors.alarms import rules as alarms
from rumors.imports.models import Batch
from rumors.models import Rebuttal, Rumor

log = structlog.get_logger(__name__)


@require_safe
@public(stored=False)
def root(request: HttpRequest) -> HttpResponse:
    """To the best active language the browser asks for, else Swedish."""
    code = translation.get_language_from_request(request)
    response = redirect(f"/{code}/")
    response.headers["Vary"] = "Accept-Language"
    return response


@require_safe
@public()
def front(request: HttpRequest) -> HttpResponse:
    code = get_language() or languages.SOURCE
    asked = Fact.objects.published().asked_often().exclude(audience=Audience.CHILDREN).read_in(code)[:5]
    upcoming = Event.objects.published().upcoming(timezone.now()).read_in(code)[:3]
    context = {
        "asked": [(fact, read(fact, code)) for fact in asked],
        "events": [(event, read(event, code)) for event in upcoming],
        "alternates": alternates(request.path),
    }
    return render(request, "pages/front.html", context)


@require_safe
@public(stored=False)
def search(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    is_guarded = form.data.get("audience") == Audience.CHILDREN
    context: dict[str, Any] = {"form": form, "q": form.data.get("q", ""), "number": 1, "is_guarded": is_guarded}
    if form.is_valid() and form.cleaned_data["q"]:
        code = get_language() or languages.SOURCE
        number = form.cleaned_data["page"] or 1
        asked = {"q": form.cleaned_data["q"], "audience": form.cleaned_data["audience"]}
        hits = IndexRow.objects.matching(asked["q"], code, asked["audience"], page=number)
        if number == 1 and not hits and asked["audience"] != Audience.CHILDREN:
            missed.miss(query=asked["q"], language=code)
        context |= {"hits": hits, "number": number, "query": f"{urlencode(asked)}&"}
    return guarded(render(request, "pages/search.html", context), is_guarded=is_guarded)


def _standing(request: HttpRequest, key: str) -> HttpResponse:
    code = get_language() or languages.SOURCE
    page = Page.objects.published().read_in(code).filter(key=key).first()
    if page is None:
        raise Http404
    text = read(page, code)
    assert text is not None
    return render(request, "pages/standing.html", reading(request, page, text))


@require_safe
@public()
def accessibility(request: HttpRequest) -> HttpResponse:
    return _standing(request, Page.Key.ACCESSIBILITY)


@require_safe
@public()
def privacy(request: HttpRequest) -> HttpResponse:
    return _standing(request, Page.Key.PRIVACY)


# Staff ---------------------------------------------------------------------------------------------------------


@require_safe
@staff("staff.home")
def staff_home(request: StaffRequest) -> HttpResponse:
    """The work list: what waits for this person, by what they may do."""
    user = request.user
    waiting = Revision.objects.awaiting_approval().select_related("author", "content_type")
    now = timezone.now()
    questions = Question.objects.visible_to(user)
    events = Event.objects.seen_by(user).read_in(languages.SOURCE)
    board = alarms.standing(user, now=now) if user.has_perm("rumors.view") else None
    waits = {
        "batches": Batch.objects.of(user).fresh(now).handed_back() if user.has_perm("rumors.log") else [],
        "waiting": waiting.exclude(author=user)[:20] if user.has_perm("facts.approve") else [],
        "rumors": Rumor.objects.open().unanswered().visible_to(user).order_by("due_at")[:10]
        if user.has_perm("rumors.view")
        else [],
        "to_review_count": Rumor.objects.visible_to(user).to_review(timezone.localdate()).count()
        if user.has_perm("rumors.handle")
        else 0,
        "overtaken": Rebuttal.objects.overtaken().order_by("pk")[:10] if user.has_perm("rumors.edit") else [],
        "answers_count": questions.awaiting_approval().exclude(settled_by=user).count()
        if user.has_perm("questions.approve")
        else 0,
        "uncertain_mail_count": Delivery.objects.undecided().count() if user.has_perm("mail.decide") else 0,
        "is_mail_held": user.has_perm("mail.view") and Pause.objects.exists(),
        "questions_count": questions.waiting().count() if user.has_perm("questions.settle") else 0,
        "events_to_approve": events.awaiting_review().exclude(asked_by=user)[:10]
        if user.has_perm("events.publish")
        else [],
        "needs_count": Need.objects.alarming(now).count() if user.has_perm("registrations.view") else 0,
        "actors_count": Actor.objects.to_review(timezone.localdate()).count() if user.has_perm("actors.edit") else 0,
        "agreements": Agreement.objects.of_team(user).overdue(timezone.localdate())[:10]
        if user.has_perm("agreements.edit")
        else [],
        "events": events.upcoming(now).starting_before(now + timedelta(days=14))[:10],
        "due": Fact.objects.published()
        .due_for_review(timezone.localdate() + timedelta(days=30))
        .read_in(languages.SOURCE)[:10]
        if user.has_perm("facts.edit")
        else [],
    }
    context = waits | {
        "board": board,
        "is_calm": not any(waits.values()) and not (board and board.count),
        "pages": [(page, _findings(page)) for page in Page.objects.read_in(languages.SOURCE)],
    }
    return render(request, "pages/staff/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("contacts.edit")
def staff_contacts(request: StaffRequest) -> HttpResponse:
    form = ContactsForm(request.POST or None, initial=actions.stored_contacts())
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_contacts(numbers=form.changes(), by=request.user)
        except OSError as error:
            log.error("contacts_not_mirrored", error=str(error))
            messages.error(
                request,
                pgettext(
                    "staff",
                    "The numbers are saved, but pages cannot show them yet: the server's disk takes no file. They will "
                    "as soon as it does. Tell those who run the site.",
                ),
            )
        else:
            messages.success(request, pgettext("staff", "Saved. Every page shows the new numbers within a minute."))
        return redirect("staff_contacts")
    return render(request, "pages/staff/contacts.html", {"form": form}, status=422 if form.errors else 200)


def _findings(page: Page, text: str | None = None) -> list[str]:
    """What editors have to mend in a text of the page, else in the Swedish one that readers get."""
    if page.key != Page.Key.ACCESSIBILITY:
        return []
    body = getattr(page, languages.suffixed("body", languages.SOURCE)) if text is None else text
    return checks.findings(body or "", actor=settings.MUNICIPALITY, service=settings.SITE_NAME, on=timezone.localdate())


@require_safe
@staff("pages.view")
def staff_page(request: StaffRequest, pk: int) -> HttpResponse:
    page = get_object_or_404(Page, pk=pk)
    newest = Revision.objects.of(page).filter(language=languages.SOURCE).exclude(state=State.REJECTED).first()
    under_way = newest if newest and newest.state != State.PUBLISHED else None
    context = {
        "page": page,
        "rows": language_rows(page),
        "findings": _findings(page),
        "newest_findings": _findings(page, under_way.fields.get("body", "")) if under_way else [],
    }
    return render(request, "pages/staff/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("purges.view")
def purges(request: StaffRequest) -> HttpResponse:
    """What was deleted when; asked by POST, what would go by tonight. That changes nothing, but is much work for the
    database: nobody who only follows a link asks for it."""
    last = Purge.objects.first()
    context = {
        "page": Paginator(Purge.objects.all(), 50).get_page(request.GET.get("page")),
        "last_whole": Purge.objects.whole().first(),
        "next_at": last.began_at + settings.PURGE_EVERY if last else None,
        "rehearsal": actions.rehearse(now=rules.evening(timezone.localdate())) if request.method == "POST" else None,
    }
    return render(request, "pages/staff/purges.html", context)
