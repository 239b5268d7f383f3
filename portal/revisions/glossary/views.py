from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import languages
from portal.http import StaffRequest, staff
from portal.public import alternates, public
from portal.revisions.glossary import actions
from portal.revisions.glossary.forms import TermForm, WordFilterForm, WordingForm
from portal.revisions.glossary.models import Term, Wording
from portal.revisions.glossary.rules import alphabetical, deed_to_write


@require_safe
@public()
def words(request: HttpRequest) -> HttpResponse:
    """What the Swedish words mean, in the reader's language, else all of them in the next of its chain."""
    code = get_language() or languages.SOURCE
    chain = languages.chain(code)
    found = sorted(Wording.objects.shown().read_in(*chain), key=lambda row: alphabetical(row.term.word))
    told = next((known for known in chain if any(row.language == known for row in found)), languages.SOURCE)
    rows = [row for row in found if row.language == told]
    context = {
        "rows": rows,
        "text": {"language": languages.get(told), "is_fallback": bool(rows) and told != code},
        "has_examples": any(row.is_example for row in rows),
        "alternates": alternates(request.path, Wording.objects.shown().codes()),
    }
    return render(request, "glossary/words.html", context)


# Staff ---------------------------------------------------------------------------------------------------------


@require_safe
@staff("words.view")
def staff_words(request: StaffRequest) -> HttpResponse:
    form = WordFilterForm(request.GET)
    terms = Term.objects.counted()
    if form.is_valid():
        terms = terms.matching(**form.cleaned_data)
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "page": Paginator(sorted(terms, key=lambda term: alphabetical(term.word)), 50).get_page(
            request.GET.get("page")
        ),
        "form": form,
        "language": form.cleaned_data.get("language") or languages.SOURCE,
        "languages_count": len(languages.ACTIVE),
        "query": f"{kept.urlencode()}&" if kept else "",
    }
    return render(request, "glossary/staff/words.html", context)


@require_safe
@staff("words.view")
def print_words(request: StaffRequest, language: str) -> HttpResponse:
    """On paper for who translates and interprets: what to say, what not, and why."""
    known = _language(language)
    rows = sorted(Wording.objects.shown().read_in(language), key=lambda row: alphabetical(row.term.word))
    return render(request, "glossary/staff/print.html", {"rows": rows, "text_language": known})


def _language(code: str) -> languages.Language:
    if code not in languages.CATALOG:
        raise Http404
    return languages.get(code)


@require_safe
@staff("words.view")
def staff_word(request: StaffRequest, pk: int) -> HttpResponse:
    """One word, with a row for each active language."""
    term = get_object_or_404(Term, pk=pk)
    found = {row.language: row for row in term.wordings.all()}
    source = found.get(languages.SOURCE)
    rows = [
        {
            "language": language,
            "wording": row,
            "is_older": bool(row and source and row.written_at < source.written_at),
            "may_write": request.user.has_perm(deed_to_write(language.code)),
        }
        for language in languages.ACTIVE
        for row in [found.get(language.code)]
    ]
    return render(request, "glossary/staff/word.html", {"term": term, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("words.edit")
def new_word(request: StaffRequest) -> HttpResponse:
    return _word_form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("words.edit")
def edit_word(request: StaffRequest, pk: int) -> HttpResponse:
    return _word_form(request, get_object_or_404(Term, pk=pk))


def _word_form(request: StaffRequest, term: Term | None) -> HttpResponse:
    initial = {"word": term.word, "forms": term.forms} if term else {}
    form = TermForm(term, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("word", "forms")}
        try:
            if term:
                actions.edit(term, by=request.user, seen=form.cleaned_data["seen"], **values)
                messages.success(request, pgettext("staff", "Saved."))
                return redirect(term)
            made = actions.create(by=request.user, **values)
        except actions.ChangedMeanwhileError as error:
            assert term is not None
            form.see(Term.objects.get(pk=term.pk))
            form.add_error(None, error)
        except IntegrityError:
            form.add_error("word", pgettext("staff", "The glossary has this word already."))
        else:
            messages.success(request, pgettext("staff", "Made. Now say what it means, in Swedish."))
            return redirect("wording", made.pk, languages.SOURCE)
    return render(request, "glossary/staff/form.html", {"form": form, "term": term}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("words.edit")
def delete_word(request: StaffRequest, pk: int) -> HttpResponse:
    term = get_object_or_404(Term, pk=pk)
    if request.method == "POST":
        actions.delete(term, by=request.user)
        messages.success(request, pgettext("staff", "“%(word)s” is no longer in the glossary.") % {"word": term.word})
        return redirect("staff_words")
    lost = [languages.get(row.language) for row in term.wordings.order_by("language")]
    return render(request, "glossary/staff/delete.html", {"term": term, "lost": lost})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("words.view")
def wording(request: StaffRequest, pk: int, language: str) -> HttpResponse:
    """The word of one language: everybody on staff may read it, and who may write it finds it in a form."""
    term, known = get_object_or_404(Term, pk=pk), _language(language)
    found = term.wordings.filter(language=language).select_related("written_by", "approved_by").first()
    may_write = request.user.has_perm(deed_to_write(language))
    form = WordingForm(known, found, request.POST if request.method == "POST" else None)
    other = None
    if request.method == "POST":
        if not may_write:
            raise PermissionDenied
        if form.is_valid():
            try:
                actions.write(
                    term, language=language, fields=form.written(), seen=form.cleaned_data["seen"], by=request.user
                )
            except actions.ChangedMeanwhileError as error:
                other = term.wordings.filter(language=language).select_related("written_by").first()
                form.see(other)
                form.add_error(None, error)
            else:
                messages.success(request, pgettext("staff", "Saved. Somebody else has to approve it."))
                return redirect("wording", pk, language)
    context = {"found": found, "other": other, "form": form, "may_write": may_write}
    return _wording_page(request, term, known, context)


def _wording_page(
    request: StaffRequest, term: Term, known: languages.Language, context: dict[str, Any]
) -> HttpResponse:
    is_source = known.code == languages.SOURCE
    context |= {
        "term": term,
        "text_language": known,
        "source": None if is_source else term.wordings.filter(language=languages.SOURCE).first(),
        "is_own": bool(context["found"] and context["found"].written_by_id == request.user.pk),
    }
    return render(request, "glossary/staff/wording.html", context, status=422 if context["form"].errors else 200)


@require_POST
@staff("words.approve")
def approve_wording(request: StaffRequest, pk: int, language: str) -> HttpResponse:
    found = get_object_or_404(Wording, term=pk, language=language)
    try:
        actions.approve(found, seen=request.POST.get("seen", ""), by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, pgettext("staff", "Approved. Readers see it within two minutes."))
    return redirect("wording", pk, language)
