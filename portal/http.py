"""Requests of staff: the user is known, second factor included, and may do what the view does."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from portal import guard
from portal.accounts.models import User
from portal.accounts.rules import may_work
from portal.public import is_from_us

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


class StaffRequest(HttpRequest):
    """What a view behind `staff` gets."""

    user: User


def kept_form(request: HttpRequest) -> HttpResponse:
    """What was sent too late, after the session had ended or its token had changed, to be sent once more.

    Only for what `is_from_us`: a page elsewhere must not put words into somebody's mouth.
    """
    fields = [
        (name, value) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken" for value in values
    ]
    texts = [value for _name, value in fields if " " in value.strip()]
    # A file cannot be sent again by us: its form asks for it.
    fields += [(f"{name}_lost", "yes") for name in request.FILES]
    context = {"fields": fields, "texts": texts, "has_lost_file": bool(request.FILES)}
    return render(request, "account/kept.html", context, status=403)


def staff(
    permission: str,
) -> Callable[
    [Callable[Concatenate[StaffRequest, P], R]],
    Callable[Concatenate[HttpRequest, P], R | HttpResponse],
]:
    """A view for signed-in staff with `permission` (a rules permission such as `facts.edit`)."""

    def decorate(
        view: Callable[Concatenate[StaffRequest, P], R],
    ) -> Callable[Concatenate[HttpRequest, P], R | HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
            if not request.user.is_authenticated:
                if request.method == "POST" and is_from_us(request):
                    return kept_form(request)
                return redirect_to_login(request.get_full_path())
            if not may_work(request):
                return HttpResponseRedirect(reverse("mfa_index"))
            if not request.user.has_perm(permission):
                raise PermissionDenied
            try:
                with guard.listening():
                    return view(request, *args, **kwargs)  # type: ignore[arg-type]
            except ObjectDoesNotExist as error:
                if request.method != "POST":
                    raise
                # Deleted since the view has looked for it.
                raise Http404 from error

        wrapped.permission = permission  # type: ignore[attr-defined]
        return wrapped

    return decorate
