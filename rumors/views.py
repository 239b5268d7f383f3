from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import F
from django.forms import Form, model_to_dict
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import languages
from portal.audit.models import AuditEvent
from portal.audit.rules import entries
from portal.facts import documents
from portal.facts.models import Fact
from portal.facts.views import come_back, document
from portal.http import StaffRequest, staff
from portal.pictures import actions as pictures
from portal.pictures.views import preview, served
from portal.public import absolute, alternates, guarded, in_language, public
from portal.questions.rules import any_word
from portal.revisions import actions as revisions
from portal.revisions.rules import read
from portal.revisions.views import gone_or_missing, language_rows, reading
from portal.search.models import IndexRow
from rumors import actions, rules
from rumors.forms import (
    EditForm,
    FactSearchForm,
    HandleForm,
    LinkForm,
    MoveForm,
    NarrativeForm,
    RateForm,
    SightingForm,
)
from rumors.models import Narrative, Rebuttal, Rumor, Sighting
from rumors.vocabulary import Confidence


@require_safe
@public()
def rumors(request: HttpRequest) -> HttpResponse:
    """All published answers, each under its truth."""
    code = get_language() or languages.SOURCE
    page = Paginator(Rebuttal.objects.published().read_in(code).newest_first(), 50).get_page(request.GET.get("page"))
    rows = [(rebuttal, read(rebuttal, code)) for rebuttal in page]
    context = {"page": page, "rows": rows, "alternates": alternates(request.path)}
    return render(request, "rumors/rumors.html", context)


@require_safe
@public()
def rumor(request: HttpRequest, slug: str) -> HttpResponse:
    """The fact, the claim, why it misleads, the fact."""
    code = get_language() or languages.SOURCE
    found = Rebuttal.objects.published().read_in(code).filter(slug=slug).first()
    if found is None:
        return gone_or_missing(Rebuttal, slug=slug)
    text = read(found, code)
    assert text is not None
    known = Fact.objects.read_in(code).prefetch_related("matter__sources").get(pk=found.fact_id)
    fact = known if read(known, languages.SOURCE) else None
    context = {
        **reading(request, found, text),
        "fact": fact,
        "fact_text": read(fact, code, audience=fact.audience) if fact else None,
        "is_guarded": known.is_guarded,
        "card_url": absolute(reverse("rumor_card", args=[slug])),
    }
    if settings.CLAIM_REVIEW and not known.is_guarded:
        claim = Rumor.objects.only("verdict").get(pk=found.rumor_id)
        context["claim_review"] = rules.claim_review(claim, text, context["provenance"], url=context["canonical"])
    return guarded(render(request, "rumors/rumor.html", context), is_guarded=context["is_guarded"])


@require_safe
@public(stored=False)
def rumor_card(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture that others show with a link: the truth, never the claim."""
    code = get_language() or languages.SOURCE
    found = Rebuttal.objects.published().select_related("fact").filter(slug=slug).first()
    text = read(found, code) if found else None
    if found is None or text is None or found.is_guarded:
        raise Http404
    address = absolute(in_language(found.get_absolute_url(), text.language.code))
    try:
        content = documents.picture(text["title"], text.language, address=address)
    except documents.UnavailableError:
        return come_back()
    return document(content, "image/png", is_guarded=False)


# Staff ---------------------------------------------------------------------------------------------------------


def _consulted(request: StaffRequest, pk: int) -> Rumor:
    """The rumor, if this person may know of it; that a secret one was read is logged."""
    found: Rumor = get_object_or_404(
        Rumor.objects.visible_to(request.user).select_related(
            "topic", "same_as", "assignee", "decided_by", "approved_by"
        ),
        pk=pk,
    )
    actions.consult(found, by=request.user)
    return found


def _keep_picture(request: StaffRequest, form: Form) -> bool:
    """Puts the kept screenshot in the place of the file that was sent; False when it was refused."""
    file = form.cleaned_data["picture"]
    try:
        form.cleaned_data["picture"] = pictures.keep(file, by=request.user) if file else None
    except ValidationError as error:
        form.add_error("picture", error)
        return False
    return True


@require_safe
@staff("rumors.view")
def sighting_picture(request: StaffRequest, pk: int, *, is_preview: bool = False) -> HttpResponseBase:
    """The screenshot itself, as a file to keep, or a small copy; for whoever may see the sighting."""
    visible = Rumor.objects.visible_to(request.user)
    mine = Sighting.objects.visible_to(request.user).filter(rumor__in=visible, picture__isnull=False)
    found = get_object_or_404(mine.select_related("rumor", "picture"), pk=pk)
    actions.consult(found.rumor, by=request.user, is_threat=found.is_threat)
    assert found.picture is not None
    show = preview if is_preview else served
    return show(found.picture, filename=f"{found.rumor.public_id}-{found.pk}")


def _values(form: Form) -> dict[str, Any]:
    """What the actions want: the confirmation is between the writer and the form."""
    return {name: value for name, value in form.cleaned_data.items() if name in form.base_fields}


@require_safe
@staff("rumors.view")
def staff_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    return _detail(request, _consulted(request, pk), MoveForm())


def _detail(request: StaffRequest, found: Rumor, form: MoveForm) -> HttpResponse:
    events = AuditEvent.objects.about(found).select_related("by")[:50]
    sightings = Sighting.objects.with_repeats(found).visible_to(request.user).select_related("rumor", "logged_by")
    visible = Rumor.objects.visible_to(request.user)
    if not found.is_secret and any(sighting.is_threat for sighting in sightings):
        actions.consult(found, by=request.user, is_threat=True)
    days = sorted(sighting.seen_on for sighting in sightings)
    context = {
        "rumor": found,
        "form": form,
        "steps": [step for step in rules.steps(found) if not rules.needs_approval(found, step)],
        "sightings": sightings,
        "first_seen_on": days[0] if days else None,
        "last_seen_on": days[-1] if days else None,
        "reaches": found.reaches.select_related("estimated_by")[:10],
        "impacts": found.impacts.visible_to(request.user),
        "abcde": getattr(found, "abcde", None),
        "responses": found.responses.select_related("planned_by", "done_by"),
        "evidence": found.evidence.select_related("fact", "added_by"),
        "comments": found.comments.select_related("written_by"),
        "comment_id": uuid4(),
        "assignments": found.assignments.select_related("to", "made_by"),
        "is_watching": found.watchers.filter(pk=request.user.pk).exists(),
        "rebuttals": Rebuttal.objects.with_repeats(found).select_related("fact"),
        "pairs": [
            *((pair, pair.other) for pair in found.pairs_as_older.filter(other__in=visible).select_related("other")),
            *((pair, pair.one) for pair in found.pairs_as_newer.filter(one__in=visible).select_related("one")),
        ],
        "merge": found.merges.standing().first(),
        "repeats": visible.filter(same_as=found, merges__undone_at=None).annotate(merge_id=F("merges__pk")),
        "entries": entries(events),
    }
    return render(request, "rumors/staff/rumor.html", context, status=422 if form.errors else 200)


@require_POST
@staff("rumors.handle")
def move_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    found = _consulted(request, pk)
    form = MoveForm(request.POST)
    if form.is_valid():
        try:
            moved = actions.move(found, by=request.user, **_values(form))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "Status: %(status)s.") % {"status": moved.get_status_display()})
            return redirect(moved)
    return _detail(request, found, form)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.log")
def sight_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    found = _consulted(request, pk)
    form = SightingForm(request.POST or None, request.FILES or None, initial={"language": found.original_language})
    if request.method == "POST" and form.is_valid() and _keep_picture(request, form):
        try:
            actions.sight(found, by=request.user, **_values(form))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "The sighting is saved."))
            return redirect(found)
    return _form_page(request, found, form, title=pgettext("staff", "Heard again"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.handle")
def edit_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    found = _consulted(request, pk)
    form = EditForm(request.POST or None, initial=model_to_dict(found))
    if request.method == "POST" and form.is_valid():
        try:
            form.hand_to(actions.edit, found, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        if not form.errors:
            messages.success(request, pgettext("staff", "Saved."))
            is_visible = Rumor.objects.visible_to(request.user).filter(pk=pk).exists()
            return redirect(found if is_visible else "staff_rumors")
    return _form_page(request, found, form, title=pgettext("staff", "Change what was logged"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.handle")
def rate_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    found = _consulted(request, pk)
    now = {
        "verdict": found.verdict,
        "basis": found.verdict_basis,
        "confidence": found.confidence or Confidence.MEDIUM,
        "version": found.version,
    }
    form = RateForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        try:
            actions.rate(found, by=request.user, **_values(form))
        except ValidationError as error:
            form.show_again(found.version)
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "The verdict is saved."))
            return redirect(found)
    return _form_page(request, found, form, title=pgettext("staff", "Verdict"))


@require_POST
@staff("rumors.approve")
def approve_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    found = _consulted(request, pk)
    version = request.POST.get("version", "")
    try:
        actions.approve(found, by=request.user, version=int(version) if version.isdecimal() else -1)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, pgettext("staff", "Approved. It can begin."))
    return redirect(found)


@require_POST
@staff("rumors.view")
def watch_rumor(request: StaffRequest, pk: int) -> HttpResponse:
    found = _consulted(request, pk)
    if actions.watch(found, by=request.user):
        messages.success(request, pgettext("staff", "You follow %(rumor)s now.") % {"rumor": found})
    else:
        messages.success(request, pgettext("staff", "You follow %(rumor)s no more.") % {"rumor": found})
    return redirect(found)


# Threats -------------------------------------------------------------------------------------------------------


@require_safe
@staff("rumors.secret")
def threats(request: StaffRequest) -> HttpResponse:
    """The security role's queue, oldest first; the words stand on a page of their own, where reading is logged."""
    found = Sighting.objects.unhandled_threats().select_related("rumor", "logged_by").order_by("logged_at", "pk")
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    return render(request, "rumors/staff/threats.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.secret")
def threat(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(
        Sighting.objects.filter(is_threat=True).select_related("rumor", "handled_by", "logged_by"), pk=pk
    )
    actions.consult(found.rumor, by=request.user, is_threat=True)
    form = HandleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.handle(found, note=form.cleaned_data["note"], by=request.user)
        messages.success(request, pgettext("staff", "Saved."))
        return redirect("threats")
    context = {"sighting": found, "form": form}
    return render(request, "rumors/staff/threat.html", context, status=422 if form.errors else 200)


# Narratives ----------------------------------------------------------------------------------------------------


@require_safe
@staff("rumors.view")
def narratives(request: StaffRequest) -> HttpResponse:
    found = Narrative.objects.with_counts()
    return render(request, "rumors/staff/narratives.html", {"narratives": found})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.handle")
def narrative(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """A new one, or one to be changed."""
    found = get_object_or_404(Narrative, pk=pk) if pk else Narrative()
    form = NarrativeForm(request.POST or None, initial={"name": found.name, "description": found.description})
    if request.method == "POST" and form.is_valid():
        try:
            actions.tell(found, by=request.user, **_values(form))
        except ValidationError as error:
            form.add_error("name", error)
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect("narratives")
    context = {"narrative": found, "form": form}
    return render(request, "rumors/staff/narrative.html", context, status=422 if form.errors else 200)


def _form_page(request: StaffRequest, found: Rumor, form: Form, *, title: str) -> HttpResponse:
    areas = Sighting.objects.areas() if "area" in form.fields else []
    context = {"rumor": found, "form": form, "title": title, "areas": areas}
    return render(request, "rumors/staff/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("rumors.edit")
def link_fact(request: StaffRequest, pk: int) -> HttpResponse:
    """In two steps, both with an address: find the fact, then say how it answers."""
    found = _consulted(request, pk)
    fact = Fact.objects.published().filter(slug=request.GET.get("fact", "")).first()
    if fact is None and request.method != "POST":
        return _choose_fact(request, found)
    sent = request.POST if request.method == "POST" else None
    form = LinkForm(sent, initial={"fact": fact.slug if fact else "", "slug": _free_slug(fact)})
    if request.method == "POST" and form.is_valid():
        try:
            rebuttal = actions.link(found, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "Linked. Now write the answer in Swedish."))
            return redirect("text", "rebuttal", rebuttal.pk, languages.SOURCE)
    context = {"rumor": found, "fact": fact or form.cleaned_data.get("fact"), "form": form}
    return render(request, "rumors/staff/link.html", context, status=422 if form.errors else 200)


def _free_slug(fact: Fact | None) -> str:
    if fact is None:
        return ""
    taken = set(Rebuttal.objects.filter(slug__startswith=fact.slug[:56]).values_list("slug", flat=True))
    names = (fact.slug, *(f"{fact.slug[:56]}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def _choose_fact(request: StaffRequest, found: Rumor) -> HttpResponse:
    """The facts that have the words looked for; before that all facts, those with words of the claim first."""
    form = FactSearchForm(request.GET)
    query = form.cleaned_data["q"] if form.is_valid() else ""
    hits = IndexRow.objects.matching(query or any_word(found.claim), languages.SOURCE)
    facts = {fact.pk: fact for fact in Fact.objects.published().read_in(languages.SOURCE)}
    rows = [facts.pop(hit.object_id) for hit in hits if hit.kind == "fact" and hit.object_id in facts]
    if not query:
        rows += facts.values()
    context = {"rumor": found, "form": form, "facts": rows, "query": query}
    return render(request, "rumors/staff/choose_fact.html", context, status=422 if form.errors else 200)


@require_safe
@staff("rumors.view")
def staff_rebuttal(request: StaffRequest, pk: int) -> HttpResponse:
    visible = Rumor.objects.visible_to(request.user)
    found = get_object_or_404(Rebuttal.objects.select_related("rumor", "fact").filter(rumor__in=visible), pk=pk)
    actions.consult(found.rumor, by=request.user)
    context = {
        "rebuttal": found,
        "rows": language_rows(found),
        "is_published": Rebuttal.objects.published().filter(pk=pk).exists(),
        "fact_now": revisions.current(found.fact),
        "is_overtaken": Rebuttal.objects.overtaken().filter(pk=pk).exists(),
    }
    return render(request, "rumors/staff/rebuttal.html", context)


@require_POST
@staff("rumors.edit")
def confirm_rebuttal(request: StaffRequest, pk: int) -> HttpResponse:
    visible = Rumor.objects.visible_to(request.user)
    found = get_object_or_404(Rebuttal.objects.select_related("fact").filter(rumor__in=visible), pk=pk)
    revision = request.POST.get("revision", "")
    try:
        actions.confirm(found, revision=int(revision) if revision.isdecimal() else 0, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, pgettext("staff", "Confirmed: the answer holds."))
    return redirect("staff_rebuttal", pk)
