"""One editor and one approval page for all texts that people translate: facts, rebuttals, events, pages."""

from typing import Any, Final

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import CharField, Model
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import guard, languages
from portal.accounts.models import User
from portal.http import StaffRequest, staff
from portal.public import FRESH_SECONDS, absolute, alternates, gone, guarded, in_language, public
from portal.revisions import actions, paragraphs
from portal.revisions.checks import Finding
from portal.revisions.forms import (
    AssignForm,
    CommentForm,
    ReasonForm,
    ScheduleForm,
    TextForm,
    WithdrawForm,
)
from portal.revisions.glossary import rules as glossary
from portal.revisions.models import (
    Assignment,
    Because,
    Edition,
    EditLock,
    Method,
    Provenance,
    Revision,
    Schedule,
    State,
)
from portal.revisions.rules import Text, findings, heading, read, text_fields, what_changed

PREVIEW_SECONDS: Final = 7 * 86400


def reading(request: HttpRequest, thing: Model, text: Text) -> dict[str, Any]:
    """What every public page of a translated text tells of it; one query, and one more where the text is outdated."""
    provenances = Provenance.by_language(thing)
    provenance = provenances[text.language.code]
    is_source = text.language.code == languages.SOURCE
    return {
        "text": text,
        "provenance": provenance,
        "changed": _changed(thing, provenance) if provenance.is_outdated else [],
        "alternates": alternates(request.path, provenances),
        "swedish_url": in_language(request.path, languages.SOURCE),
        # Side by side, for who wants to see both.
        "beside": None if is_source or request.GET.get("with") != languages.SOURCE else read(thing, languages.SOURCE),
        # The page that the text is at home on, which need not be this one.
        "canonical": absolute(in_language(request.path, text.language.code)),
    }


def _changed(thing: Model, provenance: Provenance) -> list[str]:
    """What has changed in the Swedish text since the one that a translation renders."""
    swedish = read(thing, languages.SOURCE)
    base = Revision.objects.get(translations=provenance.revision_id)
    return what_changed(type(thing), base.fields, swedish.fields) if swedish else []


def gone_or_missing(model: type[Model], **known_by: Any) -> HttpResponse:
    """The answer for what is not published: a page that was withdrawn says why or leads on, any other is not there."""
    thing = model._default_manager.filter(**known_by).first()
    edition = Edition.objects.of(thing).withdrawn_source().first() if thing else None
    if edition is None:
        raise Http404
    if edition.successor_id:
        manager: Any = model._default_manager
        successor = manager.published().filter(pk=edition.successor_id).first()
        if successor:
            response: HttpResponse = redirect(successor)
            response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
            return response
    away = gone(edition.get_withdrawn_because_display())
    return guarded(away, is_guarded=getattr(thing, "is_guarded", False))


@require_safe
@public(stored=False)
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """A text that is not published, for whoever was given the link; it stops working by itself, and with the draft."""
    try:
        pk = signing.loads(token, salt="preview", max_age=PREVIEW_SECONDS)
    except signing.SignatureExpired:
        return gone(title=pgettext("native reader", "This link no longer works"))
    except signing.BadSignature:
        raise Http404 from None
    found = get_object_or_404(Revision, pk=pk)
    if not found.is_under_way:
        return gone(title=pgettext("native reader", "This link no longer works"))
    known = languages.get(found.language)
    context = {"rows": _rows(type(found.thing), found), "text_language": known}
    response = render(request, "revisions/preview.html", context)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def preview_url(revision: Revision) -> str:
    with translation.override(revision.language):
        return absolute(reverse("preview", args=[signing.dumps(revision.pk, salt="preview")]))


# Staff ---------------------------------------------------------------------------------------------------------


def _thing(kind: str, object_id: int, language: str = languages.SOURCE) -> tuple[actions.Kind, Model]:
    found = actions.kind_named(kind)
    if found is None or language not in languages.CATALOG:
        raise Http404
    return found, get_object_or_404(found.model, pk=object_id)


def _require(request: StaffRequest, kind: actions.Kind, *deeds: str) -> None:
    if not any(request.user.has_perm(f"{kind.area}.{deed}") for deed in deeds):
        raise PermissionDenied


def _deed(language: str) -> str:
    return "edit" if language == languages.SOURCE else "translate"


def language_rows(thing: Model) -> list[dict[str, Any]]:
    """One row per active language for an object's staff page: what readers get (without a Swedish text there is no
    page in any), what is under way."""
    editions = {edition.language: edition for edition in Edition.objects.of(thing)}
    provenances = Provenance.by_language(thing)
    assignments = {one.language: one for one in Assignment.objects.of(thing).open().select_related("translator")}
    latest: dict[str, Revision] = {}
    for revision in Revision.objects.of(thing).titled().select_related("author").order_by("id"):
        latest[revision.language] = revision
    return [
        {
            "language": language,
            "edition": editions.get(language.code),
            "provenance": provenances.get(language.code),
            "has_page": languages.SOURCE in provenances,
            "latest": latest.get(language.code),
            "assignment": assignments.get(language.code),
        }
        for language in languages.ACTIVE
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@staff("staff.home")
def text(request: StaffRequest, kind: str, object_id: int, language: str) -> HttpResponse:
    """Write or translate a text; every save is a new revision, so nothing is ever lost."""
    found, thing = _thing(kind, object_id, language)
    _require(request, found, _deed(language))
    lock = EditLock.objects.of(thing).filter(language=language).select_related("holder").first()
    is_taken = lock is not None and lock.holder_id != request.user.pk and not lock.is_stale
    latest = Revision.objects.of(thing).filter(language=language).select_related("author", "based_on").first()
    source = _source(request, thing, language)
    form = _text_form(request, found, language, latest=latest, source=source, thing=thing)
    if request.method == "POST" and form.is_valid():
        try:
            revision = _keep(thing, language, form, request, may_submit=not is_taken)
        except actions.FindingsError as error:
            form.ask_for_reason(error.findings)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("revision", revision.pk)
    typed = lock.typed if lock and lock.holder_id == request.user.pk and request.method != "POST" else {}
    if typed and source is None:
        kept = {name: boxes[0] for name, boxes in typed.items()}
        form = TextForm(found, language, initial={**form.initial, **kept})
    words, entries = _glossary(source, language) if source else (None, [])
    context = {
        "form": form,
        "heading": heading(thing),
        "back": found.staff_url(thing),
        "kind": found,
        "object_id": object_id,
        "text_language": languages.get(language),
        "latest": latest,
        "lock": lock,
        "is_taken": is_taken,
        "typed": typed,
        "source": source,
        "renewal": _renewal(thing, language),
        "fields": _boxes(form, latest=latest, source=source, typed=typed) if source else [],
        "beside": [name for name in form.fields if name not in {field.name for field in form.texts}],
        "lix": paragraphs.lix("\n\n".join(latest.fields.values())) if latest and source is None else None,
        "words": words,
        "entries": entries,
        "assignment": Assignment.objects.of(thing).open().filter(language=language).first(),
    }
    return render(request, "revisions/text.html", context, status=422 if form.errors else 200)


def _renewal(thing: Model, language: str) -> str:
    """The published translation and the Swedish text that it may still render; empty when it is of that one."""
    live, swedish = actions.current(thing, language), actions.current(thing)
    is_older = live and swedish and live.based_on_id not in {swedish.pk, None}
    return actions.beside(live, swedish) if live and is_older else ""


def _source(request: StaffRequest, thing: Model, language: str) -> Revision | None:
    """The Swedish text beside the form: the one it was opened with, else the one that readers get now."""
    if language == languages.SOURCE:
        return None
    shown = request.POST.get("based_on", "")
    known = Revision.objects.of(thing).filter(language=languages.SOURCE, state=State.PUBLISHED)
    opened = known.filter(pk=shown).first() if shown.isdecimal() and len(shown) < 19 else None
    return opened or actions.current(thing)


def _text_form(
    request: StaffRequest, kind: actions.Kind, language: str, *, latest: Revision | None, source: Any, thing: Model
) -> TextForm:
    initial: dict[str, Any] = {"based_on": source}
    if source is None:
        # With a new Swedish text the translations of the one that was withdrawn come back, unless it says that.
        withdrawn = Edition.objects.of(thing).withdrawn_source()
        right = withdrawn.filter(withdrawn_because__in=[Because.MERGED, Because.OVER])
        initial["is_dangerous_if_old"] = withdrawn.exists() and not right.exists()
    if latest:
        initial |= latest.fields | {"method": latest.method, "pivot": latest.pivot}
        if latest.method == Method.MACHINE:
            # Whoever saves it now has read it.
            initial["method"] = Method.MACHINE_EDITED
    bases = Revision.objects.of(thing).filter(language=languages.SOURCE, state=State.PUBLISHED) if source else None
    return TextForm(kind, language, request.POST if request.method == "POST" else None, initial=initial, bases=bases)


def _boxes(
    form: TextForm, *, latest: Revision | None, source: Revision, typed: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """The text's fields, each with its paragraphs: the Swedish one, what changed in it, and the box to write in."""
    base = latest.based_on if latest else None
    found = []
    for field in form.texts:
        now = source.fields.get(field.name, "")
        kept = latest.fields.get(field.name, "") if latest else ""
        rows = paragraphs.rows(base.fields.get(field.name, "") if base else None, now, kept)
        words = sum(paragraphs.count_words(row.source) for row in rows if row.is_to_do)
        sent = form.boxes(field.name) if form.is_bound else typed.get(field.name)
        if sent is not None:
            rows = paragraphs.pairs(rows, sent)
        is_line = isinstance(field, CharField)
        found.append({"bound": form[field.name], "rows": rows, "words": words, "is_line": is_line})
    return found


def _glossary(source: Revision, language: str) -> tuple[glossary.Words, list[glossary.Entry]]:
    """The words of the target language, and those of them that the Swedish text asks for."""
    words = glossary.read(language)
    _marked, entries = glossary.highlight("\n".join(source.fields.values()), words)
    return words, entries


@transaction.atomic
def _keep(thing: Model, language: str, form: TextForm, request: StaffRequest, *, may_submit: bool) -> Revision:
    made = actions.draft(thing, language=language, fields=form.text(), by=request.user, **form.circumstances())
    name = {"language": languages.get(language).autonym}
    if form.is_sent and may_submit:
        made = actions.submit(made, by=request.user, override_reason=form.override_reason)
        messages.success(request, pgettext("staff", "%(language)s: sent for approval.") % name)
    elif may_submit:
        messages.success(request, pgettext("staff", "%(language)s: kept as a draft. Readers see no change.") % name)
    else:
        messages.error(
            request,
            pgettext("staff", "Somebody else has taken over this text. What you wrote is kept as a draft of its own."),
        )
    actions.stop_writing(thing, language=language, by=request.user)
    return made


@require_POST
@staff("staff.home")
def writing(request: StaffRequest, kind: str, object_id: int, language: str) -> HttpResponse:
    """A sign of life of who is writing, sent by the page; buttons send `take_over`, or `leave` to forget all."""
    found, thing = _thing(kind, object_id, language)
    _require(request, found, _deed(language))
    if "leave" in request.POST:
        actions.stop_writing(thing, language=language, by=request.user)
        return redirect("text", kind, object_id, language)
    names = [field.name for field in text_fields(found.model)]
    # A NUL cannot be kept, and must not keep the rest from being.
    sent = {name: request.POST.getlist(name)[:300] for name in names if name in request.POST}
    typed = {name: [box.replace("\0", "") for box in boxes] for name, boxes in sent.items()}
    try:
        guard.validate("\n\n".join(box for boxes in typed.values() for box in boxes))
    except ValidationError:
        typed = {}  # a personal number is not kept for a moment
    take_over = "take_over" in request.POST
    held = actions.write_on(thing, language=language, by=request.user, typed=typed or None, take_over=take_over)
    if take_over:
        return redirect("text", kind, object_id, language)
    return JsonResponse({"is_yours": held.holder_id == request.user.pk, "holder": held.holder.name})


def _rows(model: type[Model], revision: Revision) -> list[dict[str, Any]]:
    return [{"label": field.verbose_name, "value": revision.fields.get(field.name, "")} for field in text_fields(model)]


def _changes(model: type[Model], old: Revision, new: Revision) -> list[dict[str, Any]]:
    return [
        {
            "label": field.verbose_name,
            "changes": paragraphs.compare(old.fields.get(field.name, ""), new.fields.get(field.name, "")),
        }
        for field in text_fields(model)
    ]


@require_safe
@staff("staff.home")
def revision(request: StaffRequest, pk: int) -> HttpResponse:
    """One version of a text: how it will look, where it stands, what can be done with it."""
    found = get_object_or_404(Revision.objects.select_related("author", "decided_by", "based_on"), pk=pk)
    _require(request, actions.kind_of(found.thing), "view")
    return _page(request, found)


def _page(request: StaffRequest, found: Revision, **forms: Any) -> HttpResponse:
    kind = actions.kind_of(found.thing)
    source = found.based_on or None
    live = actions.current(found.thing, found.language)
    before = live if live and live.pk != found.pk else Revision.objects.before(found).first()
    may_approve = request.user.has_perm(f"{kind.area}.approve")
    may_write = request.user.has_perm(f"{kind.area}.{_deed(found.language)}")
    context = {
        "heading": heading(found.thing),
        "revision": found,
        "rows": _rows(kind.model, found),
        "source_rows": _rows(kind.model, source) if source else [],
        "text_language": languages.get(found.language),
        "back": kind.staff_url(found.thing),
        "kind": kind,
        "is_live": live is not None and live.pk == found.pk,
        "before": before,
        "lix": paragraphs.lix("\n\n".join(found.fields.values())) if found.language == languages.SOURCE else None,
        "findings": findings(found) if found.state == State.DRAFT and may_write else [],
        # Of texts sent before December 2026 only the codes were kept.
        "sent_with": [Finding(**row) for row in found.findings if isinstance(row, dict)],
        "is_machine_made": found.method == Method.MACHINE,
        "can_submit": found.state == State.DRAFT and may_write,
        "can_write": may_write,
        "can_decide": found.state == State.SUBMITTED and may_approve,
        "can_publish": found.state == State.APPROVED and may_approve,
        "is_own": found.author_id == request.user.pk,
        "preview_url": preview_url(found) if found.is_under_way else "",
        "schedule": found.schedules.open().first(),
        "comments": found.comments.select_related("author"),
        "form": ReasonForm(),
        "schedule_form": ScheduleForm(),
        "comment_form": CommentForm(),
        **forms,
    }
    is_wrong = any(form.errors for form in forms.values())
    return render(request, "revisions/revision.html", context, status=422 if is_wrong else 200)


@require_POST
@staff("staff.home")
def move(request: StaffRequest, pk: int, step: str) -> HttpResponse:
    """Submit, approve, send back, publish, or take up again as a draft."""
    found = get_object_or_404(Revision, pk=pk)
    kind = actions.kind_of(found.thing)
    _require(request, kind, _deed(found.language) if step in {"submit", "restore"} else "approve")
    form = ReasonForm(request.POST)
    if step == "reject" and not form.is_valid() and found.state == State.SUBMITTED:
        return _page(request, found, form=form)
    try:
        if step == "restore":
            made = actions.restore(found, by=request.user)
            messages.success(request, pgettext("staff", "Taken up again as a new draft."))
            return redirect("text", kind.name, made.object_id, made.language)
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


@require_POST
@staff("staff.home")
def comment(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Revision, pk=pk)
    _require(request, actions.kind_of(found.thing), "view")
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _page(request, found, comment_form=form)
    actions.comment(found, text=form.cleaned_data["text"], by=request.user)
    return redirect(reverse("revision", args=[pk]) + "#comments")


@require_POST
@staff("staff.home")
def schedule(request: StaffRequest, pk: int) -> HttpResponse:
    """Publish an approved text at a time."""
    found = get_object_or_404(Revision, pk=pk)
    _require(request, actions.kind_of(found.thing), "approve")
    form = ScheduleForm(request.POST)
    if form.is_valid():
        try:
            actions.schedule(
                found.thing, language=found.language, at=form.cleaned_data["at"], by=request.user, revision=found
            )
        except ValidationError as error:
            form.add_error("at", error)
        else:
            messages.success(request, pgettext("staff", "Will be published then."))
            return redirect("revision", pk)
    return _page(request, found, schedule_form=form)


@require_POST
@staff("staff.home")
def unschedule(request: StaffRequest, pk: int) -> HttpResponse:
    promise = get_object_or_404(Schedule.objects.open(), pk=pk)
    kind = actions.kind_of(promise.thing)
    _require(request, kind, "approve")
    actions.unschedule(promise, by=request.user)
    messages.success(request, pgettext("staff", "It will not happen by itself any more."))
    return redirect("revision", promise.revision_id) if promise.revision_id else redirect(kind.staff_url(promise.thing))


@require_safe
@staff("staff.home")
def history(request: StaffRequest, kind: str, object_id: int, language: str) -> HttpResponse:
    """Every version of a text, newest first: who, when, why, and what to compare it with."""
    found, thing = _thing(kind, object_id, language)
    _require(request, found, "view")
    live = actions.current(thing, language)
    versions = Revision.objects.of(thing).filter(language=language).defer("fields")
    context = {
        "heading": heading(thing),
        "back": found.staff_url(thing),
        "kind": found,
        "text_language": languages.get(language),
        "live": live,
        "revisions": versions.select_related("author", "decided_by"),
        "can_write": request.user.has_perm(f"{found.area}.{_deed(language)}"),
    }
    return render(request, "revisions/history.html", context)


@require_safe
@staff("staff.home")
def compare(request: StaffRequest) -> HttpResponse:
    """Any two versions of one text, whichever is older on the left."""
    asked = sorted(int(value) for name in ("old", "new") if (value := request.GET.get(name, "")[:18]).isdecimal())
    versions = list(Revision.objects.filter(pk__in=asked).select_related("author").order_by("pk"))
    texts = {(one.content_type_id, one.object_id, one.language) for one in versions}
    if len(texts) != 1:
        raise Http404
    old, new = versions[0], versions[-1]
    kind = actions.kind_of(new.thing)
    _require(request, kind, "view")
    context = {
        "heading": heading(new.thing),
        "kind": kind,
        "text_language": languages.get(new.language),
        "old": old,
        "new": new,
        "fields": _changes(kind.model, old, new),
        "live": actions.current(new.thing, new.language),
        "can_write": request.user.has_perm(f"{kind.area}.{_deed(new.language)}"),
    }
    return render(request, "revisions/compare.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("staff.home")
def withdraw(request: StaffRequest, kind: str, object_id: int, language: str) -> HttpResponse:
    found, thing = _thing(kind, object_id)
    _require(request, found, "approve")
    edition = get_object_or_404(Edition.objects.of(thing).published(), language=language)
    is_source = language == languages.SOURCE
    manager: Any = found.model._default_manager
    others = manager.published().exclude(pk=object_id).read_in(languages.SOURCE) if is_source else None
    initial = {"seen": edition.revision_id}
    form = WithdrawForm(others, request.POST if request.method == "POST" else None, initial=initial)
    name = {"language": languages.get(language).autonym}
    if request.method == "POST" and form.is_valid():
        try:
            is_later = _withdraw(thing, edition, form, by=request.user)
        except actions.ChangedMeanwhileError as error:
            form.see(str(edition.revision_id))
            form.add_error(None, error)
        else:
            said = pgettext("staff", "%(language)s: withdrawn. Readers no longer get it.")
            if is_later:
                said = pgettext("staff", "%(language)s: will be withdrawn then.")
            messages.success(request, said % name)
            return redirect(found.staff_url(thing))
    context = {
        "form": form,
        "heading": heading(thing),
        "back": found.staff_url(thing),
        "text_language": languages.get(language),
        "is_source": is_source,
        "schedule": Schedule.objects.of(thing).open().filter(language=language, revision=None).first(),
    }
    return render(request, "revisions/withdraw.html", context, status=422 if form.errors else 200)


def _withdraw(thing: Model, edition: Edition, form: WithdrawForm, *, by: User) -> bool:
    """At once or, as it returns, later."""
    why = {**form.cleaned_data, "language": edition.language, "by": by}
    seen, at = why.pop("seen"), why.pop("at")
    if at:
        actions.schedule(thing, at=at, **why)
    else:
        actions.withdraw(thing, seen=int(seen) if seen.isdecimal() else None, **why)
    return bool(at)


@require_POST
@staff("staff.home")
def renew(request: StaffRequest, kind: str, object_id: int, language: str) -> HttpResponse:
    """The translation still says what the Swedish text says now, word for word as it stands."""
    found, thing = _thing(kind, object_id, language)
    _require(request, found, "translate")
    try:
        made = actions.renew(thing, language=language, seen=request.POST.get("seen", ""), by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("text", kind, object_id, language)
    messages.success(request, pgettext("staff", "Sent for approval as it stands."))
    return redirect("revision", made.pk)


# Who translates what -------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@staff("staff.home")
def assign(request: StaffRequest, kind: str, object_id: int, language: str) -> HttpResponse:
    """Ask somebody to translate a text by a day, or take that back."""
    found, thing = _thing(kind, object_id, language)
    if language == languages.SOURCE:
        raise Http404
    _require(request, found, "edit", "approve")
    known = Assignment.objects.of(thing).open().filter(language=language).select_related("translator").first()
    now = str(known.pk) if known else ""
    is_taken_back = "unassign" in request.POST and request.POST.get("seen") == now
    data = request.POST if request.method == "POST" and "unassign" not in request.POST else None
    form = AssignForm(data, initial={"seen": now})
    if is_taken_back and known:
        actions.unassign(known, by=request.user)
        messages.success(request, pgettext("staff", "Nobody is asked to translate it now."))
        return redirect(found.staff_url(thing))
    if form.is_valid():
        asked = {name: form.cleaned_data[name] for name in ("translator", "due_on", "note", "seen")}
        try:
            actions.assign(thing, language=language, by=request.user, **asked)
        except actions.ChangedMeanwhileError as error:
            form.see(now)
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "Asked. A mail is on its way."))
            return redirect(found.staff_url(thing))
    context = {
        "form": form,
        "heading": heading(thing),
        "back": found.staff_url(thing),
        "text_language": languages.get(language),
        "assignment": known,
    }
    return render(request, "revisions/assign.html", context, status=422 if form.errors else 200)


@require_safe
@staff("staff.home")
def translations(request: StaffRequest) -> HttpResponse:
    """What waits for this person: texts that came back, texts that were asked for by a day, drafts that lie."""
    mine = Revision.objects.newest_of_each().titled().filter(author=request.user)
    assignments = list(request.user.assignments.open())
    context = {
        "sent_back": mine.filter(state=State.REJECTED)[:50],
        "assignments": [_task(one) for one in assignments if one.thing],
        "drafts": mine.filter(state=State.DRAFT)[:50],
    }
    return render(request, "revisions/translations.html", context)


def _task(assignment: Assignment) -> dict[str, Any]:
    """A text to translate and how much of it there is."""
    thing, language = assignment.thing, assignment.language
    source, live = actions.current(thing), actions.current(thing, language)
    base = live.based_on.fields if live and live.based_on else {}
    now = source.fields if source else {}
    words = sum(paragraphs.words_to_translate(base.get(name), value) for name, value in now.items())
    return {
        "assignment": assignment,
        "kind": actions.kind_of(thing),
        "language": languages.get(language),
        "heading": heading(thing),
        "words": words,
    }
