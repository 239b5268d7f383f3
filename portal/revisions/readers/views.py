"""The page behind a secret link, where a native reader says what is wrong with a text; and what staff see of it."""

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from portal import languages, public
from portal.http import StaffRequest, staff
from portal.revisions.actions import kind_of
from portal.revisions.models import Revision
from portal.revisions.readers import actions, rules
from portal.revisions.readers.forms import AnswerForm, AskForm
from portal.revisions.readers.models import Mark, ReaderCheck
from portal.revisions.rules import heading, text_fields


@csrf_exempt  # the secret link itself is the proof; the signed token keeps other sites from sending the form
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def reader_check(request: HttpRequest, token: str) -> HttpResponse:
    """Read, and answer as often as wanted while the link works. Scanners follow every link, so that only POST keeps."""
    found = rules.check_of(token)
    if found is None:
        return _unlisted(render(request, "readers/closed.html", status=404))
    is_sent = request.method == "POST"
    is_stale = is_sent and public.check_public_post(request, rules.PURPOSE) is None
    form = AnswerForm(found, request.POST if is_sent else None)
    if not found.is_open:
        return _closed(request, found, form)
    status = 422 if is_stale or form.errors else 200
    if is_sent and status == 200:
        if public.within_limit(request, "reader-check", per_hour=120):
            try:
                actions.answer(found, **form.answer())
            except actions.ClosedError:
                return _closed(request, found, form)
            return _unlisted(redirect("reader_check", token))
        form.add_error(
            None, pgettext("native reader", "Too much was sent in a short time. Wait a while, then send again.")
        )
        status = 429
    context = {
        "check": found,
        "form": form,
        "text_language": languages.get(found.revision.language),
        "swedish": _swedish(found.revision),
        "token": public.form_token(rules.PURPOSE),
        "is_stale": is_stale,
        "keep_years": found.KEEP.days // 365,
    }
    return _unlisted(render(request, "readers/reader_check.html", context, status=status))


def _swedish(revision: Revision) -> list[str]:
    """The text that a translation renders."""
    model = revision.content_type.model_class()
    if revision.based_on is None or model is None:
        return []
    return [revision.based_on.fields.get(field.name, "") for field in text_fields(model)]


def _closed(request: HttpRequest, check: ReaderCheck, form: AnswerForm) -> HttpResponse:
    """With what was typed meanwhile, so that it can be copied."""
    context = {"check": check, "form": form, "text_language": languages.get(check.revision.language)}
    return _unlisted(render(request, "readers/closed.html", context, status=410))


def _unlisted(response: HttpResponse) -> HttpResponse:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


# Staff ---------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@staff("staff.home")
def revision_readers(request: StaffRequest, pk: int) -> HttpResponse:
    """What native readers say of one version of a text, their links, and the form that makes one."""
    found = get_object_or_404(Revision.objects.select_related("content_type"), pk=pk)
    area = kind_of(found.thing).area
    may_ask = rules.may_ask(request.user, area)
    if not (may_ask if request.method == "POST" else request.user.has_perm(f"{area}.view")):
        raise PermissionDenied
    form = AskForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        check = actions.ask(found, by=request.user, **form.asked())
        messages.success(request, pgettext("staff", "The link is made. Send the three lines below to the reader."))
        return redirect(f"{reverse('revision_readers', args=[pk])}#check-{check.pk}")
    checks = list(found.reader_checks.with_answers())
    context = {
        "revision": found,
        "heading": heading(found.thing),
        "text_language": languages.get(found.language),
        "rows": [_row(check, may_ask=may_ask) for check in checks],
        "sentences": _marked(type(found.thing), checks),
        "may_ask": may_ask,
        "form": form,
    }
    return render(request, "readers/staff/revision_readers.html", context, status=422 if form.errors else 200)


def _row(check: ReaderCheck, *, may_ask: bool) -> dict[str, Any]:
    """A link is for those who may ask, and only as long as it works."""
    row: dict[str, Any] = {"check": check, "may_end": may_ask and check.is_open}
    if row["may_end"]:
        row |= {"language": rules.reader_language(check), "invitation": rules.invitation(check)}
    return row


def _marked(model: type[Model], checks: list[ReaderCheck]) -> list[list[Mark]]:
    """The marks of all readers, those of one sentence together, in the order of the text."""
    fields = [field.name for field in text_fields(model)]
    marks = [mark for check in checks for mark in check.marks.all()]
    marks.sort(key=lambda mark: (fields.index(mark.field), mark.number))
    return [list(same) for _place, same in groupby(marks, key=lambda mark: (mark.field, mark.number))]


@require_POST
@staff("staff.home")
def revoke_reader(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(ReaderCheck.objects.with_text(), pk=pk)
    if not rules.may_ask(request.user, kind_of(found.revision.thing).area):
        raise PermissionDenied
    actions.revoke(found, by=request.user)
    messages.success(request, pgettext("staff", "The link is ended. What was answered stays."))
    return redirect("revision_readers", found.revision_id)
