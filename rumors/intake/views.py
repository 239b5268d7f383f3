from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import languages
from portal.http import StaffRequest, staff
from portal.pictures import actions as pictures
from portal.pictures.models import Picture
from portal.questions.models import Door, Question
from rumors import actions as rumors
from rumors.intake import actions, rules
from rumors.intake.forms import LogForm
from rumors.intake.models import Draft, Offer
from rumors.intake.rules import Known
from rumors.models import Rumor, Sighting
from rumors.pairs import actions as pairs
from rumors.pairs.models import Pair
from rumors.vocabulary import Channel, HeardHow, Sensitivity

_NOT_IN_A_DRAFT: Final = ("picture", "offered", "same")


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.log")
def log_rumor(request: StaffRequest, pk: int | None = None) -> HttpResponseBase:
    """Sent for the first time it says what is known already, unless that has been shown; then it is saved."""
    # One that somebody else has settled meanwhile is refused when the form is sent: what was typed stays.
    question = get_object_or_404(Question, pk=pk) if pk else None
    if request.method != "POST":
        return _opened(request, question)
    form = LogForm(request.user, request.POST, request.FILES)
    if made := rules.sent_before(_form_id(request.POST.get("form_id", "")), by=request.user):
        return _saved(request, made.rumor) if form.is_in(made) else _one_more(request, form, made.rumor)
    if not form.is_valid() or not _keep_picture(request, form):
        return _page(request, form, question, status=422)
    known = _known(request, form)
    same = form.cleaned_data["same"]
    if not same and not form.cleaned_data["offered"].issuperset(known.ids):
        return _page(request, form, question, known)
    form_id = form.cleaned_data["form_id"] or uuid4()
    told: dict[str, Any] = {"by": request.user, "question": question, "offered": [k.reason.match for k in known.rumors]}
    try:
        if same:
            actions.sight(same, **told, **form.sighting() | {"form_id": form_id})
        else:
            same = actions.log(**told, **form.rumor() | {"form_id": form_id})
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, form, question, known, status=422)
    return _saved(request, same)


def _opened(request: StaffRequest, question: Question | None) -> HttpResponse:
    if question and (not question.is_open or question.is_kept_from(request.user)):
        return redirect("staff_question", question.pk)
    drafts = Draft.objects.filter(owner=request.user, question=question)
    initial: dict[str, Any] = {}
    if question:
        initial = {
            "original": question.text,
            "original_language": question.language,
            # Where somebody asked at a visit or registered for an event is known to who was there.
            "channel": Channel.WEB if question.door in {Door.FORM, Door.SEARCH} else "",
            "heard_how": HeardHow.ASKED_ABOUT,
            "seen_on": timezone.localdate(question.asked_at),
        }
    draft_id = _form_id(request.GET.get("draft", ""))
    chosen = drafts.filter(form_id=draft_id).first() if draft_id else None
    if chosen:
        initial |= chosen.data | {"form_id": chosen.form_id}
    form = LogForm(request.user, initial=initial)
    known = _known_of(request, initial) if initial else Known()
    form.initial["offered"] = ",".join(map(str, known.ids))
    others = [] if chosen else list(drafts[:5])
    return _page(request, form, question, known, drafts=others)


def _form_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _known(request: StaffRequest, form: LogForm) -> Known:
    return _known_of(request, form.cleaned_data)


def _known_of(request: StaffRequest, data: dict[str, Any]) -> Known:
    claim, original, language = (str(data.get(name) or "") for name in LogForm.KNOWN_BY)
    is_secret = bool(data.get("is_threat")) or data.get("sensitivity") == Sensitivity.SECRET
    language = language if language in languages.CATALOG else ""
    return rules.known(claim, original, language, to=request.user, is_secret=is_secret)


def _page(
    request: StaffRequest,
    form: LogForm,
    question: Question | None,
    known: Known | None = None,
    *,
    drafts: list[Draft] | None = None,
    status: int = 200,
) -> HttpResponse:
    """What has been typed stays, and so does the screenshot that came with it."""
    if form.is_bound:
        picture = form.cleaned_data.get("picture")
        kept = picture.pk if isinstance(picture, Picture) else form.data.get("kept_picture", "")
        offered = ",".join(map(str, known.ids if known else []))
        form.show_again(offered=offered, kept_picture=kept, form_id=form.cleaned_data.get("form_id") or uuid4())
    context = {
        "form": form,
        "question": question,
        "known": known or Known(),
        "chosen": form.cleaned_data.get("same") if form.is_bound else None,
        "is_second_step": bool(known) and form.is_bound,
        "drafts": drafts or [],
        "areas": Sighting.objects.areas(),
    }
    return render(request, "rumors/staff/log.html", context, status=status)


def _keep_picture(request: StaffRequest, form: LogForm) -> bool:
    """Puts the kept screenshot in the place of the file that was sent; False when it was refused."""
    file, kept = form.cleaned_data["picture"], form.cleaned_data["kept_picture"]
    try:
        form.cleaned_data["picture"] = pictures.keep(file, by=request.user) if file else kept
    except ValidationError as error:
        form.add_error("picture", error)
        return False
    return True


def _one_more(request: StaffRequest, form: LogForm, rumor: Rumor) -> HttpResponse:
    """A form that was saved before and says more now may become another one; its question is settled."""
    form.add_error(
        None, pgettext("staff", "%(rumor)s was saved before; this is not in it. Is it one more?") % {"rumor": rumor}
    )
    form.cleaned_data["form_id"] = None
    return _page(request, form, None, status=422)


def _saved(request: StaffRequest, rumor: Rumor) -> HttpResponse:
    if Rumor.objects.visible_to(request.user).filter(pk=rumor.pk).exists():
        return redirect("logged_rumor", rumor.pk)
    messages.success(
        request, pgettext("staff", "%(rumor)s is saved. Only the security role can read it.") % {"rumor": rumor}
    )
    return redirect("staff_rumors")


@require_POST
@staff("rumors.log")
def known_rumors(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """While somebody types: keeps what they have typed, unless the guard asks about it, and says what is known."""
    question = get_object_or_404(Question, pk=pk) if pk else None
    form = LogForm(request.user, request.POST)
    form.is_valid()
    form_id: UUID | None = form.cleaned_data.get("form_id")
    made = None
    is_kept = form_id is not None and not form.asked_by_guard()
    if form_id and is_kept:
        names = (request.POST.keys() & form.base_fields.keys()).difference(_NOT_IN_A_DRAFT)
        data = {name: request.POST[name] for name in names}
        if not actions.keep(form_id=form_id, data=data, by=request.user, question=question):
            made = rules.sent_before(form_id, by=request.user)
    context = {
        "form": form,
        "known": _known(request, form),
        "is_kept": is_kept,
        "sent": made.rumor if made and not form.is_in(made) else None,
        "guessed": form.cleaned_data.get("original_language", ""),
    }
    return render(request, "rumors/staff/known.html", context)


@require_POST
@staff("rumors.log")
def throw_draft_away(request: StaffRequest) -> HttpResponse:
    form_id = _form_id(request.POST.get("draft", ""))
    if form_id:
        actions.throw_away(form_id=form_id, by=request.user)
    messages.success(request, pgettext("staff", "Thrown away."))
    return redirect("log_rumor")


@require_safe
@staff("rumors.log")
def logged_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    """The receipt: what to answer."""
    found: Rumor = get_object_or_404(Rumor.objects.visible_to(request.user), pk=pk)
    rumors.consult(found, by=request.user)
    words = (found.claim, found.original, found.original_language)
    heard = found.sightings.filter(logged_by=request.user).order_by("-pk").first()
    context = {
        "rumor": found,
        "answers": rules.answers(found, heard.language if heard else languages.SOURCE),
        "known": rules.known(*words, to=request.user, is_secret=found.is_secret, but=found),
        "merge_into": found if pairs.is_fresh(found, request.user) and not found.is_secret else None,
    }
    return render(request, "rumors/staff/logged.html", context)


@require_safe
@staff("rumors.view")
def suggestions(request: StaffRequest) -> HttpResponse:
    """What the matcher thinks, for a person to say whether it is so; and how often it was right."""
    found = Pair.objects.visible_to(request.user).suggested().select_related("one", "other")
    context = {
        "page": Paginator(found, 50).get_page(request.GET.get("page")),
        "offered": Offer.objects.acceptance(),
        "suggested": Pair.objects.acceptance(),
    }
    return render(request, "rumors/staff/suggestions.html", context)
