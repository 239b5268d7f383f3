"""Our own account pages, and allauth's with what they leave out."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from allauth.account import views as account
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.base import views as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts import actions
from portal.accounts.forms import ProfileForm
from portal.accounts.models import SECOND_FACTORS, Role
from portal.accounts.rules import may_work, second_factors

View = Callable[..., HttpResponseBase]


def _leads_to_identity_provider(view: View) -> View:
    """The form of the page is answered by a redirect to the provider, which `form-action` has to know."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        issuer = urlsplit(settings.OIDC["ISSUER"])
        if not all(settings.OIDC.values()):
            return view(request, *args, **kwargs)
        allowed = csp_update({"form-action": [f"{issuer.scheme}://{issuer.netloc}"]})
        return allowed(view)(request, *args, **kwargs)

    return wrapped


def _second_factors(view: View) -> View:
    """Adds the audit row; and the first factor set up in a session counts as proven in it, for it has just been."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated or request.method != "POST":
            return view(request, *args, **kwargs)
        before = second_factors(user)
        with transaction.atomic():
            response = view(request, *args, **kwargs)
            actions.record_second_factors(user, before=before, by=user)
        if before.keys().isdisjoint(SECOND_FACTORS) and not second_factors(user).keys().isdisjoint(SECOND_FACTORS):
            record_authentication(request, user, "mfa", type=Authenticator.Type.TOTP)
        return response

    return wrapped


login = _leads_to_identity_provider(account.login)
openid_connect_login = _leads_to_identity_provider(openid_connect.login)

activate_totp = _second_factors(totp.activate_totp)
deactivate_totp = _second_factors(totp.deactivate_totp)
add_webauthn = _second_factors(webauthn.add_webauthn)
remove_webauthn = _second_factors(webauthn.remove_webauthn)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """allauth looks for it as `handler429` beside the root addresses; the error page is made on the way out."""
    return HttpResponse(status=429)


@require_safe
def mfa_index(request: HttpRequest) -> HttpResponseBase:
    response: HttpResponseBase = mfa.index(request)
    if isinstance(response, TemplateResponse) and response.context_data is not None:
        response.context_data["may_work"] = may_work(request)
    return response


@login_required
@require_safe
def set_password(request: HttpRequest) -> HttpResponse:
    """allauth sends accounts without a password here: they get the link by mail, which proves the mailbox."""
    return redirect("account_reset_password")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    assert request.user.is_authenticated
    if not may_work(request):
        return redirect("mfa_index")
    form = ProfileForm(request.POST or None, initial={"name": request.user.name, "language": request.user.language})
    if request.method == "POST" and form.is_valid():
        actions.edit_profile(request.user, **form.cleaned_data)
        messages.success(request, pgettext("staff", "Saved."))
        return redirect("profile")
    roles = [Role(name).label for name in sorted(request.user.roles)]
    return render(request, "account/profile.html", {"form": form, "role_names": roles})
