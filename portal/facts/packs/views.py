from collections.abc import Callable
from itertools import groupby

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from portal import languages, public
from portal.facts.documents import UnavailableError
from portal.facts.models import Audience
from portal.facts.packs import actions, documents, rules
from portal.facts.packs.forms import FollowForm, PackForm
from portal.facts.packs.models import Pack
from portal.facts.views import audience_page, come_back
from portal.http import StaffRequest, staff

SHOWN = 50


@require_safe
@public.public()
def embassies(request: HttpRequest) -> HttpResponse:
    return audience_page(request, Audience.EMBASSIES, pack=Pack.objects.first())


@require_safe
@public.public()
def packs(request: HttpRequest) -> HttpResponse:
    newest, *older = Pack.objects.all()[:SHOWN] or [None]
    return render(request, "packs/packs.html", {"newest": newest, "older": older})


@require_safe
@public.public()
def pack(request: HttpRequest, number: int) -> HttpResponse:
    """The permanent address of one version, and what of it is no longer what readers get."""
    found = get_object_or_404(Pack, number=number)
    rows = groupby(found.items.with_now().with_texts(), lambda item: item.language)
    newest = Pack.objects.first()
    context = {
        "pack": found,
        "newest": newest if newest != found else None,
        "sections": [(languages.get(code), list(items)) for code, items in rows],
        "pack_url": public.absolute(found.get_absolute_url()),
    }
    return render(request, "packs/pack.html", context)


@require_safe
@public.public(stored=False)
def pack_pdf(_request: HttpRequest, number: int) -> HttpResponse:
    return _file(number, "pdf", "application/pdf", documents.pdf)


@require_safe
@public.public(stored=False)
def pack_zip(_request: HttpRequest, number: int) -> HttpResponse:
    return _file(number, "zip", "application/zip", documents.archive)


def _file(number: int, suffix: str, content_type: str, made: Callable[[Pack], bytes]) -> HttpResponse:
    found = get_object_or_404(Pack, number=number)
    try:
        content = made(found)
    except UnavailableError:
        return come_back()
    headers = {
        "Cache-Control": f"public, max-age={public.FRESH_SECONDS}",
        "Content-Disposition": f'attachment; filename="pack-{found.number}.{suffix}"',
    }
    return HttpResponse(content, content_type, headers=headers)


@csrf_exempt  # no cookie, no ambient authority: the signed token and the origin check stand in for it
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def follow(request: HttpRequest, number: int) -> HttpResponse:
    found = get_object_or_404(Pack, number=number)
    form = FollowForm(request.POST or None)
    expired = False
    if request.method == "POST":
        expired = public.check_public_post(request, "follow") is None
        if not expired and form.is_valid():
            if not public.within_limit(request, "follow", per_hour=60):
                return HttpResponse(status=429)
            code = get_language() or languages.SOURCE
            actions.follow(found, email=form.cleaned_data["email"], language=code)
            return redirect("followed", number)
    context = {"pack": found, "form": form, "token": public.form_token("follow"), "expired": expired}
    return render(request, "packs/follow.html", context, status=422 if form.errors or expired else 200)


@require_safe
@public.public(stored=False)
def followed(request: HttpRequest, number: int) -> HttpResponse:
    """The same for everybody who has sent the form, whether or not the address was known."""
    return render(request, "packs/followed.html", {"pack": get_object_or_404(Pack, number=number)})


@csrf_exempt  # the secret link itself is the proof; the signed token keeps other sites from sending the form
@require_http_methods(["GET", "HEAD", "POST"])
@public.public(stored=False)
def following(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm, or stop. Scanners follow every link in a mail, so that only POST acts."""
    found = rules.token_owner(token)
    if found is None:
        raise Http404
    expired = request.method == "POST" and public.check_public_post(request, "following") is None
    stopped = request.method == "POST" and not expired and "stop" in request.POST
    if stopped:
        actions.stop(found)
    elif request.method == "POST" and not expired:
        actions.confirm(found)
        return redirect("following", token)
    context = {
        "follower": found,
        "pack": found.pack,
        "token": public.form_token("following"),
        "expired": expired,
        "stopped": stopped,
    }
    response = render(request, "packs/following.html", context, status=422 if expired else 200)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


# Staff ---------------------------------------------------------------------------------------------------------


@require_safe
@staff("packs.view")
def staff_packs(request: StaffRequest) -> HttpResponse:
    return render(request, "packs/staff/packs.html", {"packs": Pack.objects.with_followers()[:SHOWN]})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("packs.make")
def new_pack(request: StaffRequest) -> HttpResponse:
    form = PackForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = {name: form.cleaned_data[name] for name in ("codes", "note")}
        try:
            made = actions.make(facts=list(form.cleaned_data["facts"]), by=request.user, **chosen)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, pgettext("staff", "Version %(number)s is made.") % {"number": made.number})
            return redirect("staff_packs")
    return render(request, "packs/staff/pack.html", {"form": form}, status=422 if form.errors else 200)
