from typing import Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import languages, public
from portal.http import StaffRequest, staff
from portal.questions import actions
from portal.questions.forms import SettleForm, TellForm
from portal.questions.models import Door, Question
from portal.search.models import MissedSearch

MISSED_DAYS: Final = 30


@csrf_exempt  # no cookie, no ambient authority: the signed token and the origin check stand in for it
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def tell_us(request: HttpRequest) -> HttpResponse:
    form = TellForm(request.POST or None)
    expired = False
    if request.method == "POST":
        form_id = public.check_public_post(request, "tell-us")
        expired = form_id is None
        if form_id and form.is_valid():
            if not public.within_limit(request, "tell-us", per_hour=120):
                return HttpResponse(status=429)
            code = get_language() or languages.SOURCE
            actions.ask(text=form.cleaned_data["text"], language=code, door=Door.FORM, form_id=form_id)
            return redirect("told")
    context = {
        "form": form,
        "token": public.form_token("tell-us"),
        "expired": expired,
        "alternates": public.alternates(request.path),
    }
    return render(request, "questions/tell_us.html", context, status=422 if form.errors or expired else 200)


@require_safe
@public.public(stored=False)
def told(request: HttpRequest) -> HttpResponse:
    return render(request, "questions/told.html")


@require_safe
@staff("questions.view")
def staff_questions(request: StaffRequest) -> HttpResponse:
    page = Paginator(Question.objects.waiting(), 50).get_page(request.GET.get("page"))
    asked = Question.objects.missed()
    often = MissedSearch.objects.often(MISSED_DAYS)[:100]
    missed = [row for row in often if (row["language"], row["term"]) not in asked][:20]
    return render(request, "questions/staff/questions.html", {"page": page, "missed": missed})


@require_POST
@staff("questions.settle")
def ask_missed(request: StaffRequest) -> HttpResponse:
    """Makes a question of what was searched for in vain."""
    term, code = request.POST.get("term", ""), request.POST.get("language", "")
    # As in the list: of what was typed only once it is not even told that it was.
    if not MissedSearch.objects.often(MISSED_DAYS).filter(term=term, language=code).exists():
        messages.error(request, pgettext("staff", "Nobody has searched for that of late."))
    else:
        if (code, term) not in Question.objects.missed():
            actions.ask(text=term, language=code, door=Door.SEARCH, by=request.user)
        messages.success(request, pgettext("staff", "It is a question now, and waits in the list."))
    return redirect("staff_questions")


@require_http_methods(["GET", "HEAD", "POST"])
@staff("questions.settle")
def question(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Question, pk=pk)
    form = SettleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.settle(found, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error("fact", error)
        else:
            messages.success(request, pgettext("staff", "Settled."))
            return redirect("staff_questions")
    context = {"form": form, "question": found}
    return render(request, "questions/staff/question.html", context, status=422 if form.errors else 200)
