from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import localdate
from django.utils.translation import get_language, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from portal import languages
from portal.facts import actions, documents
from portal.facts.forms import FactFilterForm, FactForm, SourceFormSet, TopicForm
from portal.facts.links.models import CheckedLink
from portal.facts.models import Audience, Fact, Link, Source, Topic
from portal.http import StaffRequest, staff
from portal.public import FRESH_SECONDS, absolute, guarded, public
from portal.revisions.models import Provenance, Revision
from portal.revisions.rules import read
from portal.revisions.views import gone_or_missing, heading, language_rows, reading


def _code() -> str:
    return get_language() or languages.SOURCE


def audience_page(request: HttpRequest, audience: str) -> HttpResponse:
    """All facts for one audience, in their order."""
    code = _code()
    facts = Fact.objects.published().for_audience(audience).read_in(code)
    rows = [(fact, read(fact, code, audience=audience)) for fact in facts]
    context = {"audience": Audience(audience), "rows": rows, "is_guarded": audience == Audience.CHILDREN}
    return render(request, "facts/audience.html", context)


@require_safe
@public()
def parents(request: HttpRequest) -> HttpResponse:
    return audience_page(request, Audience.PARENTS)


@require_safe
@public(stored=False)
def children(request: HttpRequest) -> HttpResponse:
    return audience_page(request, Audience.CHILDREN)


@require_safe
@public()
def embassies(request: HttpRequest) -> HttpResponse:
    return audience_page(request, Audience.EMBASSIES)


@require_safe
@public()
def fact(request: HttpRequest, slug: str) -> HttpResponse:
    code = _code()
    try:
        found: Any = Fact.objects.published().read_in(code).with_page(code).get(slug=slug)
    except Fact.DoesNotExist:
        return gone_or_missing(Fact, slug=slug)
    text = read(found, code, audience=found.audience)
    assert text is not None
    context = {
        **reading(request, found, text),
        "fact": found,
        "sources": [Source(**row) for row in found.source_rows],
        "rebuttals": found.rebuttals.published().as_links(code),
        "related": [Link.of(row, code) for row in found.related_rows],
        "is_guarded": found.is_guarded,
        "short_url": absolute(reverse("short", args=[found.pk])),
        "card_url": absolute(reverse("card", args=[slug])),
    }
    return guarded(render(request, "facts/fact.html", context), is_guarded=found.is_guarded)


@require_safe
@public(stored=False)
def short(request: HttpRequest, pk: int) -> HttpResponse:
    """The address on handouts: the fact in the reader's best language. Counts nothing."""
    found = Fact.objects.published().only("slug").filter(pk=pk).first()
    if found is None:
        return gone_or_missing(Fact, pk=pk)
    preferred = translation.get_language_from_request(request)
    with translation.override(preferred):
        response = redirect(reverse("fact", args=[found.slug]))
    response.headers["Vary"] = "Accept-Language"
    return response


@require_safe
@public(stored=False)
def handout(request: HttpRequest, slug: str) -> HttpResponse:
    """The fact on paper, beside a second language when `with` names one."""
    code, second = _code(), request.GET.get("with") or ""
    if second and second not in dict(languages.LANGUAGES):
        raise Http404
    codes = dict.fromkeys((code, second or code))
    columns = [column for each in codes for column in languages.chain(each)]
    found = Fact.objects.published().read_in(code, *columns).filter(slug=slug).first()
    if found is None:
        return gone_or_missing(Fact, slug=slug)
    try:
        content = documents.handout(
            documents.read_parts(found, codes, Provenance.objects.of(found).by_language()),
            sources=found.sources.all(),
            reviewed_on=found.reviewed_on,
            printed_on=localdate(),
            address=absolute(reverse("short", args=[found.pk])),
            is_guarded=found.is_guarded,
        )
    except documents.UnavailableError:
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    return _document(content, "application/pdf", is_guarded=found.is_guarded)


@require_safe
@public(stored=False)
def card(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture that others show with a link. Pages for children and on violence are not for sharing."""
    code = _code()
    found = Fact.objects.published().read_in(code).filter(slug=slug).first()
    if found is None:
        return gone_or_missing(Fact, slug=slug)
    if found.is_guarded:
        raise Http404
    try:
        content = documents.card(found, code, address=absolute(reverse("short", args=[found.pk])))
    except documents.UnavailableError:
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    return _document(content, "image/png", is_guarded=False)


def _document(content: bytes, content_type: str, *, is_guarded: bool) -> HttpResponse:
    """Kept by browsers and proxies no longer than a page; `documents` keeps the bytes itself."""
    response = HttpResponse(content, content_type, headers={"Cache-Control": f"public, max-age={FRESH_SECONDS}"})
    return guarded(response, is_guarded=is_guarded)


# Staff ---------------------------------------------------------------------------------------------------------


@require_safe
@staff("facts.view")
def staff_facts(request: StaffRequest) -> HttpResponse:
    form = FactFilterForm(request.GET)
    facts = Fact.objects.all().select_related("topic").only_titles()
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


@require_http_methods(["GET", "HEAD", "POST"])
@staff("facts.edit")
def new_fact(request: StaffRequest) -> HttpResponse:
    form = FactForm(request.POST or None)
    sources = SourceFormSet(request.POST or None, prefix="source")
    if request.method == "POST" and form.is_valid() and sources.is_valid():
        try:
            made = actions.create(by=request.user, sources=_source_rows(sources), **form.cleaned_data)
        except IntegrityError:
            form.add_error("slug", pgettext("staff", "This address was taken a moment ago."))
        else:
            messages.success(request, pgettext("staff", "Made. Now write the Swedish text."))
            return redirect("text", "fact", made.pk, languages.SOURCE)
    return _form_page(request, form, sources, title=pgettext("staff", "New fact"), back=reverse("staff_facts"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff("facts.edit")
def edit_fact(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Fact, pk=pk)
    form = FactForm(request.POST or None, instance=found)
    rows = list(found.sources.values("title", "sfs", "sections", "url"))
    sources = SourceFormSet(request.POST or None, prefix="source", initial=rows)
    back = reverse("staff_fact", args=[pk])
    if request.method == "POST" and form.is_valid() and sources.is_valid():
        try:
            actions.edit(Fact.objects.get(pk=pk), by=request.user, sources=_source_rows(sources), **form.cleaned_data)
        except IntegrityError:
            form.add_error("slug", pgettext("staff", "This address was taken a moment ago."))
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(back)
    return _form_page(request, form, sources, title=heading(found), back=back)


def _source_rows(formset: Any) -> list[dict[str, Any]]:
    return [row for row in (f.cleaned_data for f in formset) if row.get("title") and not row.get("DELETE")]


def _form_page(request: StaffRequest, form: FactForm, sources: Any, *, title: str, back: str) -> HttpResponse:
    context = {"form": form, "sources": sources, "title": title, "back": back}
    is_wrong = bool(form.errors) or sources.total_error_count() > 0
    return render(request, "facts/staff/form.html", context, status=422 if is_wrong else 200)


@require_safe
@staff("facts.view")
def staff_fact(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Fact.objects.select_related("topic"), pk=pk)
    context = {
        "fact": found,
        "rows": language_rows(found),
        "sources": found.sources.all(),
        "is_published": Fact.objects.published().filter(pk=pk).exists(),
    }
    return render(request, "facts/staff/fact.html", context)


@require_safe
@staff("facts.view")
def links(request: StaffRequest) -> HttpResponse:
    """Where texts lead to: what is broken, what has moved, what only a person can look at."""
    checked = CheckedLink.objects
    rows = Fact.objects.published().citing([*checked.broken(), *checked.moved(), *checked.undecided()])
    context = {"rows": rows, "count": checked.count(), "waiting_count": checked.waiting().count()}
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
