from typing import Final
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, UUID, uuid5

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import languages, public
from portal.http import StaffRequest, staff
from portal.questions import actions, rules
from portal.questions.forms import CodeForm, QuestionFilterForm, SettleForm, TellForm
from portal.questions.models import Door, Outcome, Question
from portal.revisions.rules import read
from portal.search.models import MissedSearch

MISSED_DAYS: Final = 30
TELL: Final = "tell-us"
LOOK_UP: Final = "tell-us-answer"
PER_HOUR: Final = 120
"""From one address: wide enough for a class of 85."""
STATUS: Final = {"": 422, "expired": 422, "fast": 422, "many": 429}


@csrf_exempt  # no cookie, no ambient authority: the signed token and the origin check stand in for it
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def tell_us(request: HttpRequest) -> HttpResponse:
    """The form, and after it the code: in the answer to the form itself, so that no address leads to it again."""
    if request.method != "POST":
        return _tell_us(request, TellForm(), public.form_token(TELL))
    form_id = public.check_public_post(request, TELL)
    form = TellForm(request.POST)
    # However often it has to be shown again, it is the same form.
    token = request.POST["token"] if form_id else public.form_token(TELL, is_again=True)
    if form_id is None or not form.is_valid():
        return _tell_us(request, form, token, "" if form_id else "expired")
    if hindrance := _hindrance(request):
        return _tell_us(request, form, token, hindrance)
    text = form.cleaned_data["text"]
    # The same text sent twice is one question and has one code; another one from the same form is not lost.
    form_id = uuid5(form_id, text)
    code = get_language() or languages.SOURCE
    question = actions.ask(text=text, language=code, door=Door.FORM, form_id=form_id, has_code=True)
    return _told(request, question, form_id)


def _tell_us(request: HttpRequest, form: TellForm, token: str, hindrance: str = "") -> HttpResponse:
    context = {"form": form, "token": token, "hindrance": hindrance, "alternates": public.alternates(request.path)}
    status = STATUS[hindrance] if form.is_bound else 200
    return render(request, "questions/tell_us.html", context, status=status)


def _hindrance(request: HttpRequest) -> str:
    if public.is_too_fast(request):
        return "fast"
    return "" if public.within_limit(request, TELL, per_hour=PER_HOUR) else "many"


def _told(request: HttpRequest, question: Question, form_id: UUID) -> HttpResponse:
    context = {
        "code": rules.code_of(form_id),
        "until": question.code_works_until,
        "answer_url": public.absolute(reverse("told_answer")),
    }
    return render(request, "questions/told.html", context)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def told_answer(request: HttpRequest) -> HttpResponse:
    """What became of what somebody asked, for who has its code. Every code that is typed counts for the limit."""
    form, hindrance = CodeForm(request.POST if request.method == "POST" else None), ""
    if form.is_bound:
        hindrance = "" if public.check_public_post(request, LOOK_UP) else "expired"
        if not hindrance and not public.within_limit(request, LOOK_UP, per_hour=PER_HOUR):
            hindrance = "many"
        if form.is_valid() and not hindrance:
            code_hash = rules.hash_of(form.cleaned_data["code"])
            found = Question.objects.with_code(code_hash, timezone.now()).select_related("fact").first()
            if found:
                return _answer(request, found)
            form.refuse()
    context = {
        "form": form,
        "hindrance": hindrance,
        "token": public.form_token(LOOK_UP),
        "alternates": public.alternates(request.path),
    }
    return render(request, "questions/told_answer.html", context, status=STATUS[hindrance] if form.is_bound else 200)


def _answer(request: HttpRequest, question: Question) -> HttpResponse:
    """Of what is answered, the answer and nothing else; a fact in the language of the page. To a rumor there may be an
    answer, too."""
    fact = question.fact if question.is_answered or question.outcome == Outcome.SIGHTING else None
    text = read(fact, get_language() or languages.SOURCE) if fact else None
    context = {
        "question": question,
        "answer": question.answer if question.is_answered else "",
        "answer_language": languages.get(question.answer_language or languages.SOURCE),
        "fact": fact,
        "text": text,
        "fact_url": public.in_language(fact.get_absolute_url(), text.wanted.code) if fact and text else "",
    }
    return render(request, "questions/answer.html", context)


# Staff ---------------------------------------------------------------------------------------------------------


@require_safe
@staff("questions.view")
def staff_questions(request: StaffRequest) -> HttpResponse:
    """The inbox: what waits, oldest first, or what the filters ask for."""
    form = QuestionFilterForm({"outcome": Outcome.OPEN.value} | request.GET.dict())
    filters = form.cleaned_data if form.is_valid() else {"outcome": Outcome.OPEN}
    visible = Question.objects.visible_to(request.user)
    # Of all: what was searched for and became a secret rumor must not be told as a search.
    asked = Question.objects.missed()
    often = MissedSearch.objects.often(MISSED_DAYS)[:100]
    context = {
        "page": Paginator(visible.matching(**filters).oldest_first(), 50).get_page(request.GET.get("page")),
        "form": form,
        "query": f"{urlencode(filters)}&",
        "proposed_count": visible.awaiting_approval().count(),
        "missing_count": len(visible.missing_facts()),
        "missed": [row for row in often if (row["language"], row["term"]) not in asked][:20],
    }
    return render(request, "questions/staff/questions.html", context)


@require_safe
@staff("questions.view")
def missing_facts(request: StaffRequest) -> HttpResponse:
    missing = Question.objects.visible_to(request.user).missing_facts()
    return render(request, "questions/staff/missing_facts.html", {"missing": missing})


@require_POST
@staff("questions.settle")
def ask_missed(request: StaffRequest) -> HttpResponse:
    """Makes a question of what was searched for in vain."""
    term, code = (request.POST.get(name, "").replace("\0", "") for name in ("term", "language"))
    # As in the list: of what was typed only once it is not even told that it was.
    if not MissedSearch.objects.often(MISSED_DAYS).filter(term=term, language=code).exists():
        messages.error(request, pgettext("staff", "Nobody has searched for that of late."))
    else:
        if (code, term) not in Question.objects.missed():
            # Two people who press at once make one.
            form_id = uuid5(NAMESPACE_URL, f"missed:{code}:{term}")
            actions.ask(text=term, language=code, door=Door.SEARCH, by=request.user, form_id=form_id)
        messages.success(request, pgettext("staff", "It is a question now, and waits in the list."))
    return redirect("staff_questions")


def _question(pk: int) -> Question:
    found: Question = get_object_or_404(Question.objects.select_related("fact", "settled_by", "approved_by"), pk=pk)
    return found


@require_safe
@staff("questions.view")
def staff_question(request: StaffRequest, pk: int) -> HttpResponse:
    return _page(request, _question(pk))


def _page(
    request: StaffRequest, question: Question, sent: SettleForm | None = None, *, is_too_late: bool = False
) -> HttpResponse:
    """With what was sent, to be mended; or, when somebody else was faster, to be copied: nothing typed is lost."""
    is_kept = question.is_kept_from(request.user)
    if not is_kept:
        actions.consult(question, by=request.user)
    close = rules.closest(question) if question.is_open and not is_kept else []
    may_settle = question.is_open and not is_kept and request.user.has_perm("questions.settle")
    visible = Question.objects.visible_to(request.user)
    context = {
        "question": question,
        "is_kept": is_kept,
        "question_language": languages.get(question.language),
        "answer_language": languages.get(question.answer_language or languages.SOURCE),
        "close": close,
        "form": (sent or SettleForm(question, close)) if may_settle else None,
        "missing": visible.missing_facts() if may_settle else [],
        "too_late": sent.cleaned_data if sent and is_too_late else None,
        "may_approve": request.user.has_perm("questions.approve") and question.settled_by_id != request.user.pk,
    }
    return render(request, "questions/staff/question.html", context, status=422 if sent else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("questions.settle")
def settle_question(request: StaffRequest, pk: int) -> HttpResponse:
    found = _question(pk)
    if request.method != "POST":  # somebody asks for the address of a form that was refused
        return redirect("staff_question", pk)
    form = SettleForm(found, rules.closest(found), request.POST)
    if form.is_valid():
        try:
            settled = actions.settle(found, by=request.user, **form.cleaned_data)
        except actions.MeanwhileError as error:
            messages.error(request, " ".join(error.messages))
            return _page(request, _question(pk), form, is_too_late=True)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            said = pgettext("staff", "The answer waits for somebody else to approve it.")
            messages.success(request, said if settled.is_proposed else pgettext("staff", "Settled."))
            return redirect("staff_questions")
    return _page(request, found, form)


@require_POST
@staff("questions.approve")
def approve_answer(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        approved = actions.approve(_question(pk), by=request.user, version=request.POST.get("version", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        if approved.code_hash:
            said = pgettext("staff", "Approved. Whoever has the code can read it now.")
        else:
            said = pgettext("staff", "Approved. Nobody has a code for it, so it is read only here.")
        messages.success(request, said)
    return redirect("staff_question", pk)


@require_POST
@staff("questions.reopen")
def reopen_question(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        actions.reopen(_question(pk), by=request.user, version=request.POST.get("version", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, pgettext("staff", "It waits again."))
    return redirect("staff_question", pk)
