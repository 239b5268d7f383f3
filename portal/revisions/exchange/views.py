"""Texts leave for translation tools and come back; a machine makes drafts. Everything here ends in drafts."""

from typing import Any

from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import npgettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import languages
from portal.http import StaffRequest, staff
from portal.languages import Language
from portal.revisions import actions as revisions
from portal.revisions.actions import Kind
from portal.revisions.exchange import actions, documents, transport
from portal.revisions.exchange.forms import TARGETS, ChoiceForm, UploadForm
from portal.revisions.exchange.models import Upload
from portal.revisions.models import Revision, Standing
from portal.revisions.rules import heading


def _kinds(request: StaffRequest) -> dict[int, Kind]:
    """What this person may translate, by content type."""
    found = {
        ContentType.objects.get_for_model(kind.model).pk: kind
        for kind in revisions.kinds()
        if request.user.has_perm(f"{kind.area}.translate")
    }
    if not found:
        raise PermissionDenied
    return found


def _sources(kinds: dict[int, Kind]) -> Any:
    """The Swedish texts that readers get."""
    found = Revision.objects.in_force(languages.SOURCE).filter(content_type__in=kinds)
    return found.select_related("content_type").order_by("content_type", "object_id")


def _target(code: str) -> Language:
    language = next((language for language in TARGETS if language.code == code), None)
    if language is None:
        raise Http404
    return language


def _thing(request: StaffRequest, kind: str, object_id: int) -> tuple[Kind, Any]:
    found = revisions.kind_named(kind)
    if found is None:
        raise Http404
    if not request.user.has_perm(f"{found.area}.translate"):
        raise PermissionDenied
    return found, get_object_or_404(found.model, pk=object_id)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("staff.home")
def exchange(request: StaffRequest) -> HttpResponse:
    """Choose what to download; send back what was translated."""
    kinds = _kinds(request)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        try:
            kept = actions.keep(
                content=form.cleaned_data["file"].read(documents.MAX_BYTES + 1),
                method=form.cleaned_data["method"],
                by=request.user,
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("exchange_upload", kept.pk)
    return _page(request, kinds, form)


def _page(request: StaffRequest, kinds: dict[int, Kind], upload: UploadForm, fault: str = "") -> HttpResponse:
    form = ChoiceForm(list(kinds.values()), request.GET.dict())
    if not form.is_valid():
        raise Http404
    target = languages.get(form.cleaned_data["language"])
    page = Paginator(form.narrowed(_sources(kinds).titled()), 50).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "form": form,
        "upload": upload,
        "fault": fault,
        "page": page,
        "rows": _rows(page.object_list, kinds, target),
        "target": target,
        "most": documents.MAX_TEXTS,
        "query": f"{kept.urlencode()}&" if kept else "",
    }
    return render(request, "exchange/exchange.html", context, status=422 if upload.errors or fault else 200)


def _rows(found: Any, kinds: dict[int, Kind], language: Language) -> list[dict[str, Any]]:
    published = Standing.objects.filter(language=language.code, content_type__in=kinds, published_at__isnull=False)
    standing = {(row.content_type_id, row.object_id): row for row in published}
    return [
        {
            "source": source,
            "kind": kinds[source.content_type_id],
            "standing": standing.get((source.content_type_id, source.object_id)),
        }
        for source in found
    ]


@require_safe
@staff("staff.home")
def bundle(request: StaffRequest) -> HttpResponse:
    """The texts that were ticked, or all that the filter finds, in one file."""
    kinds = _kinds(request)
    form = ChoiceForm(list(kinds.values()), request.GET.dict())
    if not form.is_valid():
        raise Http404
    found = form.narrowed(_sources(kinds))
    if "all" not in request.GET:
        found = found.filter(_ticked(request.GET.getlist("text"), kinds))
    sources = list(found[: documents.MAX_TEXTS + 1])
    if not sources:
        return _page(request, kinds, UploadForm(), pgettext("staff", "Tick the texts that you want to download."))
    if len(sources) > documents.MAX_TEXTS:
        fault = pgettext("staff", "A file may hold %(number)d texts at most.") % {"number": documents.MAX_TEXTS}
        return _page(request, kinds, UploadForm(), fault)
    return _download(sources, languages.get(form.cleaned_data["language"]), "")


def _ticked(values: list[str], kinds: dict[int, Kind]) -> Q:
    chosen = Q(pk__in=[])
    for content_type, kind in kinds.items():
        ids = [value.removeprefix(f"{kind.name}/") for value in values if value.startswith(f"{kind.name}/")]
        numbers = [int(number) for number in ids if number.isdecimal() and len(number) < 19]
        chosen |= Q(content_type=content_type, object_id__in=numbers)
    return chosen


@require_safe
@staff("staff.home")
def one(request: StaffRequest, kind: str, object_id: int, language: str) -> HttpResponse:
    found, thing = _thing(request, kind, object_id)
    source = revisions.current(thing)
    if source is None:
        raise Http404
    return _download([source], _target(language), f"-{found.name}-{thing.pk}")


def _download(sources: list[Revision], language: Language, name: str) -> HttpResponse:
    content = actions.export(sources, language=language)
    file_name = f"klarlagt{name}-{language.code}-{timezone.localdate().isoformat()}.xlf"
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return HttpResponse(content, documents.CONTENT_TYPE, headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("staff.home")
def upload(request: StaffRequest, pk: int) -> HttpResponse:
    """What a file will do; sending the page does it."""
    _kinds(request)
    kept = Upload.objects.fresh(timezone.now()).filter(pk=pk, owner=request.user).first()
    if kept is None:
        messages.error(
            request, pgettext("staff", "This file was imported already, or an hour has passed. Send it again.")
        )
        return redirect("exchange")
    try:
        if request.method == "POST":
            made = actions.accept(kept, by=request.user)
            messages.success(request, _made(len(made)))
            return redirect("exchange")
        planned, faults = actions.plan(bytes(kept.content), method=kept.method, by=request.user), []
    except ValidationError as error:
        planned, faults = [], error.messages
    rows = [
        {"planned": each, "heading": heading(each.thing), "is_others": _is_others(request, each)} for each in planned
    ]
    context = {"upload": kept, "rows": rows, "faults": faults, "new_count": sum(each.is_new for each in planned)}
    return render(request, "exchange/upload.html", context, status=422 if faults else 200)


def _made(number: int) -> str:
    sentence = npgettext(
        "staff",
        "%(number)d draft made. Readers see no change.",
        "%(number)d drafts made. Readers see no change.",
        number,
    )
    return sentence % {"number": number}


def _is_others(request: StaffRequest, planned: actions.Planned) -> bool:
    """Whether somebody else has an open version, on which the new one will lie."""
    newest = planned.newest
    return newest is not None and newest.state in actions.OPEN and newest.author_id != request.user.pk


@require_POST
@staff("staff.home")
def machine_translate(request: StaffRequest, kind: str, object_id: int, language: str) -> HttpResponse:
    found, thing = _thing(request, kind, object_id)
    target, translator = _target(language), transport.configured()
    if translator is None:
        raise Http404
    try:
        translated = actions.translate(thing, language=target, by=request.user, translator=translator)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("text", found.name, thing.pk, target.code)
    messages.success(
        request,
        pgettext("staff", "%(language)s: a draft by a machine. Read it, correct it and save it before it is approved.")
        % {"language": target.autonym},
    )
    if translated.left:
        messages.warning(
            request,
            pgettext("staff", "These paragraphs stay Swedish, because the machine lost a number or a link: %s.")
            % ", ".join(translated.left),
        )
    return redirect("text", found.name, thing.pk, target.code)
