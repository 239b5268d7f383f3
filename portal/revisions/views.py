"""One editor and one approval page for all texts that people translate: facts, rebuttals, events, pages."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import languages
from portal.http import StaffRequest, staff
from portal.public import gone, guarded, in_language
from portal.revisions import actions
from portal.revisions.forms import ReasonForm, TextForm
from portal.revisions.models import Edition, Method, Provenance, Revision, State
from portal.revisions.rules import Text, alternates, text_fields


def reading(request: HttpRequest, thing: Model, text: Text) -> dict[str, Any]:
    """What every public page of a translated text tells of it; one query."""
    provenances = Provenance.objects.of(thing).by_language()
    return {
        "text": text,
        "provenance": provenances[text.language.code],
        "alternates": alternates(request.path, provenances),
        "swedish_url": in_language(request.path, languages.SOURCE),
    }


def gone_or_missing(model: type[Model], **known_by: Any) -> HttpResponse:
    """The answer for what is not published: a page that was withdrawn says so, any other is not there."""
    thing = model._default_manager.filter(**known_by).first()
    if thing and Edition.objects.of(thing).is_withdrawn():
        return guarded(gone(), is_guarded=getattr(thing, "is_guarded", False))
    raise Http404


# Staff ---------------------------------------------------------------------------------------------------------


def _thing(kind: str, object_id: int) -> tuple[actions.Kind, Model]:
    found = actions.kind_named(kind)
    if found is None:
        raise Http404
    return found, get_object_or_404(found.model, pk=object_id)


def _require(request: StaffRequest, kind: actions.Kind, deed: str) -> None:
    if not request.user.has_perm(f"{kind.area}.{deed}"):
        raise PermissionDenied


def heading(thing: Model) -> str:
    """What staff know it by: its Swedish title, else that of the newest draft, else its name in addresses."""
    live = getattr(thing, languages.suffixed("title", languages.SOURCE))
    newest: Any = None if live else Revision.objects.of(thing).filter(language=languages.SOURCE).titled().first()
    return live or (newest.title if newest else "") or str(thing)


def language_rows(thing: Model) -> list[dict[str, Any]]:
    """One row per active language for an object's staff page: what readers get, what is under way."""
    editions = {edition.language: edition for edition in Edition.objects.of(thing)}
    provenances = Provenance.objects.of(thing).by_language()
    latest: dict[str, Revision] = {}
    for revision in Revision.objects.of(thing).titled().select_related("author").order_by("id"):
        latest[revision.language] = revision
    return [
        {
            "language": language,
            "edition": editions.get(language.code),
            "provenance": provenances.get(language.code),
            "latest": latest.get(language.code),
        }
        for language in languages.ACTIVE
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@staff("staff.home")
def text(request: StaffRequest, kind: str, object_id: int, language: str) -> HttpResponse:
    """Write or translate a text; every save is a new revision, so nothing is ever lost."""
    found, thing = _thing(kind, object_id)
    if language not in languages.CATALOG:
        raise Http404
    _require(request, found, "edit" if language == languages.SOURCE else "translate")
    latest = Revision.objects.of(thing).filter(language=language).select_related("author").first()
    source = actions.current(thing)
    initial = dict(latest.fields, method=latest.method, pivot=latest.pivot) if latest else {}
    form = TextForm(found, language, request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            revision = _keep(thing, language, form, request)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _sent(revision, submitted=form.is_sent))
            return redirect("revision", revision.pk)
    context = {
        "form": form,
        "heading": heading(thing),
        "back": found.staff_url(thing),
        "text_language": languages.get(language),
        "latest": latest,
        "source": source if language != languages.SOURCE else None,
        "source_rows": _rows(found.model, source) if source and language != languages.SOURCE else [],
    }
    return render(request, "revisions/text.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _keep(thing: Model, language: str, form: TextForm, request: StaffRequest) -> Revision:
    made = actions.draft(thing, language=language, fields=form.text(), by=request.user, **form.circumstances())
    return actions.submit(made, by=request.user) if form.is_sent else made


def _sent(revision: Revision, *, submitted: bool) -> str:
    name = languages.get(revision.language).autonym
    if submitted:
        return pgettext("staff", "%(language)s: sent for approval.") % {"language": name}
    return pgettext("staff", "%(language)s: kept as a draft. Readers see no change.") % {"language": name}


def _rows(model: type[Model], revision: Revision) -> list[dict[str, Any]]:
    return [{"label": field.verbose_name, "value": revision.fields.get(field.name, "")} for field in text_fields(model)]


@require_safe
@staff("staff.home")
def revision(request: StaffRequest, pk: int) -> HttpResponse:
    """One version of a text: how it will look, where it stands, what can be done with it."""
    found = get_object_or_404(Revision.objects.select_related("author", "decided_by", "based_on"), pk=pk)
    _require(request, actions.kind_of(found.thing), "view")
    return _page(request, found, ReasonForm())


def _page(request: StaffRequest, found: Revision, form: ReasonForm) -> HttpResponse:
    kind = actions.kind_of(found.thing)
    source = found.based_on or None
    context = {
        "heading": heading(found.thing),
        "revision": found,
        "rows": _rows(kind.model, found),
        "source_rows": _rows(kind.model, source) if source else [],
        "text_language": languages.get(found.language),
        "back": kind.staff_url(found.thing),
        "kind": kind,
        "is_live": Edition.objects.filter(revision=found).exists(),
        "is_machine_made": found.method == Method.MACHINE,
        "can_submit": found.state == State.DRAFT and _may_write(request, kind, found),
        "can_decide": found.state == State.SUBMITTED and request.user.has_perm(f"{kind.area}.approve"),
        "can_publish": found.state == State.APPROVED and request.user.has_perm(f"{kind.area}.approve"),
        "is_own": found.author_id == request.user.pk,
        "form": form,
    }
    return render(request, "revisions/revision.html", context, status=422 if form.errors else 200)


def _may_write(request: StaffRequest, kind: actions.Kind, revision: Revision) -> bool:
    deed = "edit" if revision.language == languages.SOURCE else "translate"
    return request.user.has_perm(f"{kind.area}.{deed}")


@require_POST
@staff("staff.home")
def move(request: StaffRequest, pk: int, step: str) -> HttpResponse:
    """Submit, approve, send back or publish."""
    found = get_object_or_404(Revision, pk=pk)
    kind = actions.kind_of(found.thing)
    if step == "submit":
        if not _may_write(request, kind, found):
            raise PermissionDenied
    else:
        _require(request, kind, "approve")
    form = ReasonForm(request.POST)
    if step == "reject" and not form.is_valid() and found.state == State.SUBMITTED:
        return _page(request, found, form)
    try:
        message = _take(found, step, form, request)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, message)
    return redirect("revision", pk)


def _take(revision: Revision, step: str, form: ReasonForm, request: StaffRequest) -> str:
    name = {"language": languages.get(revision.language).autonym}
    if step == "submit":
        actions.submit(revision, by=request.user)
        return pgettext("staff", "%(language)s: sent for approval.") % name
    if step == "reject":
        actions.reject(revision, by=request.user, reason=form.cleaned_data.get("reason", ""))
        return pgettext("staff", "%(language)s: sent back with your reason.") % name
    if step == "approve":
        actions.approve(revision, by=request.user)
        if "publish" not in request.POST:
            return pgettext("staff", "%(language)s: approved. It is not published yet.") % name
    actions.publish(revision, by=request.user)
    return pgettext("staff", "%(language)s: published. Readers see it within a minute.") % name


@require_http_methods(["GET", "HEAD", "POST"])
@staff("staff.home")
def withdraw(request: StaffRequest, kind: str, object_id: int, language: str) -> HttpResponse:
    found, thing = _thing(kind, object_id)
    _require(request, found, "approve")
    edition = get_object_or_404(Edition.objects.of(thing).published(), language=language)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        actions.withdraw(thing, language=edition.language, by=request.user, reason=form.cleaned_data["reason"])
        messages.success(
            request,
            pgettext("staff", "%(language)s: withdrawn. Readers no longer get it.")
            % {"language": languages.get(language).autonym},
        )
        return redirect(found.staff_url(thing))
    context = {
        "form": form,
        "heading": heading(thing),
        "back": found.staff_url(thing),
        "text_language": languages.get(language),
        "is_source": language == languages.SOURCE,
    }
    return render(request, "revisions/withdraw.html", context, status=422 if form.errors else 200)
