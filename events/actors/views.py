from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.forms import Form, model_to_dict
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from events.actors import actions, documents
from events.actors.forms import ActorFilterForm, ActorForm, ContactForm, HelperFilterForm, HelperForm
from events.actors.models import Actor, Contact, Helper
from events.actors.rules import Person
from portal.http import StaffRequest, staff

ON_A_PAGE: Final = 50
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# Organizations ---------------------------------------------------------------------------------------------------


@require_safe
@staff("actors.view")
def staff_actors(request: StaffRequest) -> HttpResponse:
    form = ActorFilterForm(request.GET)
    found = Actor.objects.matching(**form.filters()).as_rows()
    actions.consult_list(Actor, by=request.user)
    context = {
        "page": Paginator(found, ON_A_PAGE).get_page(request.GET.get("page")),
        "form": form,
        "active": form.active(),
        "areas": Actor.objects.areas(),
    }
    return render(request, "actors/staff/actors.html", context)


@require_safe
@staff("actors.view")
def export_actors(request: StaffRequest) -> HttpResponse:
    """What the filters of the list leave, without anybody's name."""
    form = ActorFilterForm(request.GET)
    found = list(Actor.objects.matching(**form.filters()).as_rows())
    content = documents.workbook(found)
    actions.tell_export(count=len(found), filters=[each["words"] for each in form.active()], by=request.user)
    name = f"{pgettext('staff', 'actors')}-{timezone.localdate()}.xlsx"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(content, XLSX, headers={"Content-Disposition": disposition})


@require_safe
@staff("actors.view")
def actor(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Actor.objects.select_related("responsible"), pk=pk)
    actions.consult(found, by=request.user)
    may_read = request.user.has_perm("actors.contacts")
    context = {"actor": found, "contacts": found.contacts.all() if may_read else []}
    return render(request, "actors/staff/actor.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("actors.edit")
def new_actor(request: StaffRequest) -> HttpResponse:
    form = ActorForm(None, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.create(by=request.user, **_values(form))
        except IntegrityError:
            _refuse_name(form)
        else:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(made)
    return _form_page(request, form, title=pgettext("staff", "New actor"), back=reverse("staff_actors"), is_actor=True)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("actors.edit")
def edit_actor(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Actor.objects.select_related("responsible"), pk=pk)
    form = ActorForm(found, request.POST or None, initial=model_to_dict(found))
    if request.method == "POST" and form.is_valid():
        try:
            form.hand_to(actions.edit, found, by=request.user)
        except IntegrityError:
            _refuse_name(form)
        if not form.errors:
            messages.success(request, pgettext("staff", "Saved."))
            return redirect(found)
    return _form_page(request, form, title=found.name, back=found.get_absolute_url(), is_actor=True)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("actors.edit")
def delete_actor(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Actor.objects.with_contacts_count(), pk=pk)
    if request.method == "POST":
        try:
            actions.delete(found, by=request.user)
        except ProtectedError:
            messages.error(
                request,
                pgettext(
                    "staff",
                    "It has been invited or has agreed to something, which is told by its name. Keep it, and say that "
                    "you no longer work with it.",
                ),
            )
            return redirect(found)
        messages.success(request, pgettext("staff", "“%(name)s” is deleted.") % {"name": found.name})
        return redirect("staff_actors")
    return render(request, "actors/staff/delete_actor.html", {"actor": found})


def _refuse_name(form: ActorForm) -> None:
    form.add_error("name", pgettext("staff", "The register has an actor of this name already."))


# Contacts --------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@staff("actors.contacts")
def new_contact(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Actor, pk=pk)
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.add_contact(found, by=request.user, **_values(form))
        messages.success(request, pgettext("staff", "Saved."))
        return redirect(found)
    title = pgettext("staff", "New contact at %(actor)s") % {"actor": found.name}
    return _form_page(request, form, title=title, back=found.get_absolute_url())


@require_http_methods(["GET", "HEAD", "POST"])
@staff("actors.contacts")
def edit_contact(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Contact.objects.select_related("actor"), pk=pk)
    actions.consult(found, by=request.user)
    form = ContactForm(request.POST or None, initial=model_to_dict(found))
    if _is_changed(request, found, form):
        return redirect(found)
    title = pgettext("staff", "Contact at %(actor)s") % {"actor": found.actor.name}
    return _form_page(request, form, title=title, back=found.get_absolute_url())


@require_http_methods(["GET", "HEAD", "POST"])
@staff("actors.contacts")
def delete_contact(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Contact.objects.select_related("actor"), pk=pk)
    return _delete_page(request, found)


# Bridge builders and interpreters --------------------------------------------------------------------------------


@require_safe
@staff("actors.contacts")
def helpers(request: StaffRequest) -> HttpResponse:
    form = HelperFilterForm(request.GET)
    found = Helper.objects.working_in(form.cleaned_data["language"] if form.is_valid() else "")
    actions.consult_list(Helper, by=request.user)
    context = {
        "page": Paginator(found, ON_A_PAGE).get_page(request.GET.get("page")),
        "form": form,
        "active": form.active(),
    }
    return render(request, "actors/staff/helpers.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("actors.contacts")
def new_helper(request: StaffRequest) -> HttpResponse:
    form = HelperForm(None, request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.add_helper(by=request.user, **_values(form))
        messages.success(request, pgettext("staff", "Saved."))
        return redirect("helpers")
    title = pgettext("staff", "New bridge builder or interpreter")
    return _form_page(request, form, title=title, back=reverse("helpers"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff("actors.contacts")
def edit_helper(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Helper.objects.select_related("responsible"), pk=pk)
    actions.consult(found, by=request.user)
    form = HelperForm(found, request.POST or None, initial=model_to_dict(found))
    if _is_changed(request, found, form):
        return redirect("helpers")
    return _form_page(request, form, title=str(found.get_kind_display()), back=reverse("helpers"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff("actors.contacts")
def delete_helper(request: StaffRequest, pk: int) -> HttpResponse:
    return _delete_page(request, get_object_or_404(Helper, pk=pk))


# For all of them -------------------------------------------------------------------------------------------------


def _values(form: Form) -> dict[str, Any]:
    """What the actions want: why something may stand there is between the writer and the form."""
    return {name: value for name, value in form.cleaned_data.items() if name in form.base_fields}


def _is_changed(request: StaffRequest, found: Person, form: ContactForm | HelperForm) -> bool:
    if request.method != "POST" or not form.is_valid() or not form.hand_to(actions.change, found, by=request.user):
        return False
    messages.success(request, pgettext("staff", "Saved."))
    return True


def _form_page(request: StaffRequest, form: Form, *, title: str, back: str, is_actor: bool = False) -> HttpResponse:
    context = {"form": form, "title": title, "back": back, "areas": Actor.objects.areas() if is_actor else []}
    return render(request, "actors/staff/form.html", context, status=422 if form.errors else 200)


def _delete_page(request: StaffRequest, found: Person) -> HttpResponse:
    """Asks first, then deletes somebody who was named."""
    back = found.get_absolute_url()
    if request.method == "POST":
        actions.forget(found, by=request.user)
        messages.success(request, pgettext("staff", "The name is deleted."))
        return redirect(back)
    actions.consult(found, by=request.user)
    context = {"person": found, "back": back, "is_contact": isinstance(found, Contact)}
    return render(request, "actors/staff/delete_person.html", context)
