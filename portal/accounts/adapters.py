"""How the libraries for accounts are bent to our rules: nobody signs up, mails speak the reader's language."""

from typing import Any
from urllib.parse import urlsplit

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import pgettext_lazy

from portal.accounts import actions
from portal.accounts.models import User
from portal.accounts.rules import may_work
from portal.public import absolute


class SignIn(AuthenticationBackend):  # type: ignore[misc]
    """Only who somebody is: what they may do is said by their roles (`rules.permissions`), and never by a row."""

    def _get_permissions(self, user_obj: Any, obj: Any, from_name: str) -> set[str]:
        return set()

    def get_user(self, user_id: int) -> User | None:
        """With the roles and the second factor, which every page of staff asks for."""
        found = User.objects.with_rights().filter(pk=user_id).first()
        if found is None or not self.user_can_authenticate(found):
            return None
        found.roles = frozenset(found.role_names)  # type: ignore[attr-defined]  # annotated, as is the next
        found.has_second_factor = found.has_factor  # type: ignore[attr-defined]
        return found


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        user = context.get("user") or User.objects.filter(email=email).first()
        with translation.override(user.language if user else None):
            super().send_mail(template_prefix, email, context | {"site_name": settings.SITE_NAME})

    def get_reset_password_from_key_url(self, key: str) -> str:
        uidb36, _, token = key.partition("-")
        return absolute(reverse("account_reset_password_from_key", kwargs={"uidb36": uidb36, "key": token}))

    def set_password(self, user: User, password: str) -> None:
        actions.set_password(user, password)


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]
    def build_totp_svg(self, url: str) -> str:
        """Markup for the page itself, so that no page needs `data:` pictures; light around it also in the dark."""
        return segno.make(url).svg_inline(scale=5, border=4, light="#fff", svgclass="qr", lineclass=None)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {
            "id": urlsplit(settings.PUBLIC_URL).hostname or "",
            "name": settings.SITE_NAME,
        }


class IdentityProvider(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Lets in who has an account here with the address that the provider has verified, and nobody else.

    The address decides at every sign-in; no link to the provider's account is stored.
    """

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        if sociallogin.state.get("process") != "login":
            raise PermissionDenied
        if not sociallogin.is_existing:
            raise ImmediateHttpResponse(render(request, "socialaccount/refused.html", status=403))


class Administration(AdminSite):
    """`/admin/`: signs in through the same door as all staff, second factor included."""

    site_header = pgettext_lazy("staff", "Accounts and settings")
    site_title = settings.SITE_NAME
    index_title = pgettext_lazy("staff", "Accounts and settings")
    site_url = "/staff/"

    def register(
        self, model_or_iterable: Any, admin_class: type[ModelAdmin[Any]] | None = None, **options: Any
    ) -> None:
        """Only what our own modules offer: libraries would add tables whose changes nobody records."""
        if admin_class is not None and admin_class.__module__.partition(".")[0] in {"portal", "rumors", "events"}:
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff and may_work(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
        if not may_work(request):
            return redirect("mfa_index")
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")
