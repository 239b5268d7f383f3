from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import localdate
from django.utils.translation import get_language, pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import languages
from portal.accounts.models import User
from portal.facts import actions, documents, folder, matrix, rules
from portal.facts.forms import FactFilterForm, FactForm, MatrixForm, PrintForm, SourceForm, SourceFormSet, TopicForm
from portal.facts.links.models import CheckedLink
from portal.facts.models import Audience, Fact, Link, Matter, Source, Topic, page_at
from portal.facts.readings import actions as readings
from portal.facts.readings.forms import OpinionForm
from portal.facts.readings.models import Opinion, ReadingCount
from portal.http import StaffRequest, staff
from portal.public import (
    FRESH_SECONDS,
    absolute,
    alternates,
    check_public_post,
    counted,
    explained,
    form_token,
    guarded,
    public,
    within_limit,
)
from portal.revisions import actions as revisions
from portal.revisions.glossary.models import Wording
from portal.revisions.models import Revision, Schedule
from portal.revisions.rules import heading, read
from portal.revisions.views import gone_or_missing, language_rows, reading
from portal.search.models import MissedSearch


def _code() -> str:
    return get_language() or languages.SOURCE


def audience_page(request: HttpRequest, audience: str, **more: Any) -> HttpResponse:
    """All facts for one audience, in their order; `more` is for the template."""
    code = _code()
    facts = Fact.objects.published().for_audience(audience).read_in(code)
    rows = [(fact, read(fact, code, audience=audience)) for fact in facts]
    context = {
        "audience": Audience(audience),
        "rows": rows,
        "is_guarded": audience == Audience.CHILDREN,
        "alternates": alternates(request.path),
        **more,
    }
    return render(request, "facts/audience.html", context)


@require_safe
@public()
def parents(request: HttpRequest) -> HttpResponse:
    return audience_page(request, Audience.PARENTS)


@require_safe
@public(stored=False)
def children(request: HttpRequest) -> HttpResponse:
    return audience_page(request, Audience.CHILDREN)


def _moved_or_gone(name: str, slug: str) -> HttpResponse:
    """The answer for an address at which there is no published fact."""
    moved = Fact.objects.published().filter(former_addresses__slug=slug).values_list("slug", flat=True).first()
    return redirect(name, moved, permanent=True) if moved else gone_or_missing(Fact, slug=slug)


@require_safe
@public()
def fact(request: HttpRequest, slug: str) -> HttpResponse:
    code = _code()
    found = page_at(slug, code)
    if found is None:
        return _moved_or_gone("fact", slug)
    text = read(found, code, audience=found.audience)
    assert text is not None
    sources = [Source(**row) for row in found.source_rows]
    card_url = absolute(reverse("card", args=[slug]))
    read_by = reading(request, found, text)
    context = {
        **read_by,
        "fact": found,
        "sources": sources,
        "rebuttals": [Link.of(row, code) for row in found.rebuttal_rows],
        "related": [Link.of(row, code) for row in found.related_rows],
        "is_guarded": found.is_guarded,
        "short_url": rules.short_url(found),
        "message": rules.message(text, url=rules.short_url(found)),
        "card_url": card_url,
        "linked_data": rules.linked_data(
            text, read_by["provenance"], sources, url=read_by["canonical"], swedish_url=absolute(read_by["swedish_url"])
        ),
    }
    response = render(request, "facts/fact.html", context)
    if found.is_guarded:
        return guarded(response, is_guarded=True)
    return counted(response, readings.READINGS, found.pk, code)


@csrf_exempt  # no cookie, no ambient authority: the signed token and the origin check stand in for it
@require_http_methods(["GET", "HEAD", "POST"])
@public(stored=False)
def helpful(request: HttpRequest, slug: str) -> HttpResponse:
    """Whether the text helped. The form carries the version it asks about, so that a newer one is not blamed for it."""
    code = _code()
    found = Fact.objects.published().read_in(code).filter(slug=slug).first()
    if found is None:
        return gone_or_missing(Fact, slug=slug)
    text = read(found, code, audience=found.audience)
    if found.is_guarded or text is None:
        raise Http404
    form = OpinionForm(request.POST or None)
    asked = request.POST.get("revision", "")
    form_id = check_public_post(request, f"helpful {slug} {asked}") if request.method == "POST" else None
    if form_id and form.is_valid():
        if not within_limit(request, "helpful", per_hour=120):
            return HttpResponse(status=429)
        form.cleaned_data.pop("website")
        readings.give(fact_id=found.pk, revision_id=int(asked), language=code, form_id=form_id, **form.cleaned_data)
        return redirect("helped", slug)
    if form_id is None:
        current = revisions.current(found, text.language.code)
        asked = str(current.pk) if current else ""
    expired = request.method == "POST" and form_id is None
    token = form_token(f"helpful {slug} {asked}")
    context = {"form": form, "text": text, "fact": found, "revision": asked, "token": token, "expired": expired}
    return render(request, "facts/helpful.html", context, status=422 if form.errors or expired else 200)


@require_safe
@public(stored=False)
def helped(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Fact.objects.published().only("slug"), slug=slug)
    return render(request, "facts/helped.html", {"fact": found})


@require_safe
@public(stored=False)
def short(request: HttpRequest, /, **known_by: Any) -> HttpResponse:
    """The address for print, by number or by word: the fact in the reader's best language. Counts nothing."""
    found = Fact.objects.published().only("slug").filter(**known_by).first()
    if found is None:
        slug = known_by.get("slug")
        return _moved_or_gone("short", slug) if slug else gone_or_missing(Fact, **known_by)
    preferred = translation.get_language_from_request(request)
    with translation.override(preferred):
        response = redirect(reverse("fact", args=[found.slug]))
    response.headers["Vary"] = "Accept-Language"
    return response


@require_safe
@public(stored=False)
def handout(request: HttpRequest, slug: str) -> HttpResponse:
    """The fact on paper, beside a second language when `with` names one."""
    return _handout(request, [slug])


@require_safe
@public(stored=False)
def handouts(request: HttpRequest) -> HttpResponse:
    """Several facts on paper: `facts` names them, in their order."""
    slugs = list(dict.fromkeys(filter(None, request.GET.get("facts", "").split(","))))
    if not 1 <= len(slugs) <= PrintForm.MOST:
        raise Http404
    # Any choice of twelve is another document, and each of them seconds of work.
    if not within_limit(request, "handouts", per_hour=120):
        return HttpResponse(status=429)
    return _handout(request, slugs)


def _handout(request: HttpRequest, slugs: list[str]) -> HttpResponse:
    code, second = _code(), request.GET.get("with") or ""
    if second and second not in dict(languages.LANGUAGES):
        raise Http404
    codes = dict.fromkeys((code, second or code))
    columns = [column for each in codes for column in languages.chain(each)]
    found = {fact.slug: fact for fact in Fact.objects.published().read_in(code, *columns).filter(slug__in=slugs)}
    for slug in slugs:
        if slug not in found:
            return _moved_or_gone("handout", slug)
    try:
        content = documents.handout([documents.sheet(found[slug], codes) for slug in slugs])
    except documents.UnavailableError:
        return come_back()
    is_guarded = any(fact.is_guarded for fact in found.values())
    return document(content, "application/pdf", is_guarded=is_guarded)


@require_safe
@public(stored=False)
def printing(request: HttpRequest) -> HttpResponse:
    """Choose what to have on paper; leads to the document."""
    code = _code()
    form = PrintForm(request.GET if "with" in request.GET else None, code=code)
    if form.is_valid():
        return redirect(f"{reverse('handouts')}?{form.query()}")
    context = {"form": form, "groups": form.groups()}
    return render(request, "facts/printing.html", context, status=422 if form.errors else 200)


@require_safe
@public(stored=False)
def card(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture that others show with a link. Pages for children and on violence are not for sharing."""
    code = _code()
    found = Fact.objects.published().read_in(code).filter(slug=slug).first()
    if found is None:
        return _moved_or_gone("card", slug)
    if found.is_guarded:
        raise Http404
    try:
        content = documents.card(found, code, address=rules.short_url(found))
    except documents.UnavailableError:
        return come_back()
    return document(content, "image/png", is_guarded=False)


def come_back() -> HttpResponse:
    """The document, or another one before it, is being made just now."""
    response = HttpResponse(status=503, headers={"Retry-After": "5", "Refresh": "5"})
    said = pgettext("document", "We are making the document. It opens here by itself in a few seconds.")
    return explained(response, title=pgettext("document", "One moment"), because=said)


def document(content: bytes, content_type: str, *, is_guarded: bool) -> HttpResponse:
    """Kept by browsers and proxies no longer than a page; `documents` keeps the bytes itself."""
    response = HttpResponse(content, content_type, headers={"Cache-Control": f"public, max-age={FRESH_SECONDS}"})
    return guarded(response, is_guarded=is_guarded)


# Staff ---------------------------------------------------------------------------------------------------------


@require_safe
@staff("facts.view")
def staff_facts(request: StaffRequest) -> HttpResponse:
    form = FactFilterForm(request.GET)
    facts = Fact.objects.all().select_related("topic", "matter").only_titles()
    if form.is_valid():
        facts = facts.matching(**form.cleaned_data)
    page = Paginator(facts, 50).get_page(request.GET.get("page"))
    waiting = Revision.objects.awaiting_approval().defer("fields").select_related("author", "content_type")[:50]
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "page": page,
        "form": form,
        "waiting": waiting,
        "languages_count": len(languages.ACTIVE),
        "query": f"{kept.urlencode()}&" if kept else "",
    }
    return render(request, "facts/staff/facts.html", context)


@require_safe
@staff("facts.view")
def matrix_page(request: StaffRequest) -> HttpResponse:
    """What is missing and what is old: all languages side by side, or the work list of one."""
    form = MatrixForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    one = asked.get("language")
    chosen = [known for known in languages.ACTIVE if known.code == one or (not one and known.code != languages.SOURCE)]
    facts = Fact.objects.published().select_related("topic").read_in(languages.SOURCE)
    found = matrix.rows(facts.matching(audience=asked.get("audience", ""), topic=asked.get("topic")), chosen)
    state = asked.get("state")
    rows = [row for row in found if not state or any(text.state == state for text in row.texts)]
    shown: list[Any] = rows
    if one:
        shown = sorted((text for row in rows for text in row.texts), key=lambda text: text.urgency)
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "form": form,
        "coverage": matrix.coverage(found),
        "only": languages.get(one) if one else None,
        "page": Paginator(shown, 50).get_page(request.GET.get("page")),
        "query": f"{kept.urlencode()}&" if kept else "",
        "words": sum(text.words for row in rows for text in row.texts),
    }
    return render(request, "facts/staff/matrix.html", context)


@require_safe
@staff("facts.view")
def library(request: StaffRequest) -> HttpResponse:
    """How the library is doing: what waits, what is old, what is broken, what is looked for and not there."""
    others = [known for known in languages.ACTIVE if known.code != languages.SOURCE]
    facts = Fact.objects.published().select_related("topic").read_in(languages.SOURCE)
    rows = matrix.rows(facts, others)
    soon = localdate() + timedelta(days=30)
    planned = Schedule.objects.open().select_related("content_type").prefetch_related("thing")[:50]
    context = {
        "waiting": Revision.objects.awaiting_approval().select_related("author", "content_type")[:50],
        "words": Wording.objects.awaiting_approval()[:50],
        "outdated": matrix.outdated(rows),
        "coverage": matrix.coverage(rows),
        "due": Fact.objects.published().due_for_review(soon).read_in(languages.SOURCE)[:50],
        "overtaken": Fact.objects.published().overtaken().read_in(languages.SOURCE)[:50],
        "broken": Fact.objects.published().citing(CheckedLink.objects.broken()[:50]),
        "missed": MissedSearch.objects.often(30)[:20],
        "schedules": [(schedule, heading(schedule.thing)) for schedule in planned if schedule.thing],
        "today": localdate(),
    }
    return render(request, "facts/staff/library.html", context)


@require_safe
@staff("facts.edit")
def export(request: StaffRequest) -> HttpResponse:
    """Every published fact in one ZIP file, as the command `export_facts` writes it."""
    name = f"facts-{localdate():%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(folder.archive(), content_type="application/zip", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("facts.edit")
def new_fact(request: StaffRequest) -> HttpResponse:
    """A new matter, or with `for` one that there is, told to another audience."""
    given = request.GET.get("for", "")
    sister = get_object_or_404(Fact, pk=given[:18]) if given.isdecimal() else None
    matter = sister.matter if sister else None
    initial = {"topic": sister.topic_id} if sister else {}
    form = FactForm(request.POST or None, initial=initial, matter=matter, by=request.user)
    sources = SourceFormSet(request.POST or None, prefix="source", initial=_stored_sources(matter))
    if request.method == "POST" and form.is_valid() and sources.is_valid():
        try:
            made = actions.create(by=request.user, matter=matter, sources=_source_rows(sources), **form.cleaned_data)
        except IntegrityError:
            form.add_error("slug", pgettext("staff", "This address was taken a moment ago."))
        else:
            messages.success(request, pgettext("staff", "Made. Now write the Swedish text."))
            return redirect("text", "fact", made.pk, languages.SOURCE)
    title = pgettext("staff", "New fact")
    if sister:
        title = pgettext("staff", "“%(title)s” for others") % {"title": heading(sister)}
    return _form_page(request, form, sources, title=title, back=reverse("staff_facts"))


def _stored_sources(matter: Matter | None) -> list[Any]:
    return list(matter.sources.values("title", "sfs", "sections", "url")) if matter else []


@require_http_methods(["GET", "HEAD", "POST"])
@staff("facts.edit")
def edit_fact(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Fact.objects.select_related("matter"), pk=pk)
    form = FactForm(request.POST or None, instance=found, matter=found.matter, by=request.user)
    sources = SourceFormSet(request.POST or None, prefix="source", initial=_stored_sources(found.matter))
    back, other = reverse("staff_fact", args=[pk]), []
    if request.method == "POST" and form.is_valid() and sources.is_valid():
        try:
            actions.edit(Fact.objects.get(pk=pk), by=request.user, sources=_source_rows(sources), **form.cleaned_data)
        except revisions.ChangedMeanwhileError as error:
            form.add_error(None, error)
            other = _saved_meanwhile(pk, form, _source_rows(sources), by=request.user)
        except IntegrityError:
            form.add_error("slug", pgettext("staff", "This address was taken a moment ago."))
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(back)
    return _form_page(request, form, sources, title=heading(found), back=back, other=other)


def _saved_meanwhile(pk: int, form: FactForm, rows: list[dict[str, Any]], *, by: User) -> list[tuple[str, str]]:
    """What somebody else has saved, where it is another than what was typed here; sent again, this replaces it."""
    now = Fact.objects.select_related("matter").get(pk=pk)
    form.see(now.version)
    typed, kept = form.told(), FactForm(instance=now, matter=now.matter, by=by).told()
    other = [told for name, told in kept.items() if told != typed[name]]
    if _stored_sources(now.matter) != [{name: row[name] for name in SourceForm.Meta.fields} for row in rows]:
        other.append((pgettext("staff", "Based on"), " · ".join(map(str, now.sources.all())) or "–"))
    return other


@require_POST
@staff("facts.edit")
def confirm_fact(request: StaffRequest, pk: int) -> HttpResponse:
    """One press: all texts of the matter are still right."""
    found = get_object_or_404(Fact.objects.select_related("matter"), pk=pk)
    try:
        actions.confirm(found.matter, by=request.user, on=localdate(), seen=request.POST.get("seen", ""))
    except revisions.ChangedMeanwhileError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, pgettext("staff", "Noted. It is to be checked again in a year."))
    return redirect("staff_fact", pk)


def _source_rows(formset: Any) -> list[dict[str, Any]]:
    return [row for row in (f.cleaned_data for f in formset) if row.get("title") and not row.get("DELETE")]


def _form_page(
    request: StaffRequest,
    form: FactForm,
    sources: Any,
    *,
    title: str,
    back: str,
    other: Sequence[tuple[str, str]] = (),
) -> HttpResponse:
    context = {"form": form, "sources": sources, "title": title, "back": back, "other": other}
    is_wrong = bool(form.errors) or sources.total_error_count() > 0
    return render(request, "facts/staff/form.html", context, status=422 if is_wrong else 200)


@require_safe
@staff("facts.view")
def staff_fact(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Fact.objects.select_related("topic", "matter__owner"), pk=pk)
    sisters = found.matter.facts.exclude(pk=pk)
    context = {
        "fact": found,
        "rows": language_rows(found),
        "sources": found.sources.all(),
        "is_published": Fact.objects.published().filter(pk=pk).exists(),
        "is_overtaken": Fact.objects.overtaken().filter(pk=pk).exists(),
        "sisters": sisters,
        "can_add_sister": len(sisters) + 1 < len(Audience),
        "reception": _reception(found),
        "comments": Opinion.objects.on(pk).commented()[:30],
    }
    return render(request, "facts/staff/fact.html", context)


def _reception(fact: Fact) -> list[dict[str, Any]]:
    """By language, how often the fact was read of late, and whether its present text helped; guarded ones have none."""
    readers = ReadingCount.objects.filter(fact_id=fact.pk).last_days(30)
    opinions = Opinion.objects.on(fact.pk).by_language()
    rows = [
        {"language": known, "readers": readers.get((fact.pk, known.code), 0), **opinions.get(known.code, {})}
        for known in languages.ACTIVE
    ]
    return [] if fact.is_guarded else [row for row in rows if row["readers"] or len(row) > 2]


@require_safe
@staff("facts.view")
def links(request: StaffRequest) -> HttpResponse:
    """Where texts lead to: what is broken, what has moved, what only a person can look at."""
    checked = CheckedLink.objects
    rows = Fact.objects.published().citing([*checked.broken(), *checked.moved(), *checked.undecided()])
    context = {
        "rows": rows,
        "count": checked.count(),
        "waiting_count": checked.waiting().count(),
        "is_on": settings.LINK_CHECK,
    }
    return render(request, "facts/staff/links.html", context)


@require_safe
@staff("facts.view")
def topics(request: StaffRequest) -> HttpResponse:
    return render(request, "facts/staff/topics.html", {"topics": Topic.objects.all()})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("topics.edit")
@transaction.atomic
def topic(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    found = get_object_or_404(Topic, pk=pk) if pk else None
    form = TopicForm(found, request.POST or None)
    if request.method == "POST" and form.is_valid():
        key = found.key if found else form.cleaned_data["key"]
        actions.name_topic(key=key, names=form.names(), by=request.user)
        messages.success(request, pgettext("staff", "Saved."))
        return redirect("staff_topics")
    return render(request, "facts/staff/topic.html", {"form": form, "topic": found}, status=422 if form.errors else 200)
