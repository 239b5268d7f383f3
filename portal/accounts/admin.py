from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import pgettext, pgettext_lazy

from portal.accounts import actions
from portal.accounts.forms import UserForm
from portal.accounts.models import Role, User


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
    """Accounts are made, changed and closed, never deleted: what somebody did keeps a name."""

    form = UserForm
    list_display = ("name", "email", "role_names", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("name", "email")
    ordering = ("name",)
    actions = ("remove_second_factors",)
    change_form_template = "account/admin/user.html"

    @admin.display(description=pgettext_lazy("staff", "Roles"))
    def role_names(self, user: User) -> str:
        return ", ".join(str(Role(group.name).label) for group in user.groups.all() if group.name in Role.values)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.manage")

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return request.user.has_perm("accounts.manage")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.manage")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return request.user.has_perm("accounts.manage")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        fields = [*UserForm.Meta.fields]
        return fields if obj else fields[:-1]

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.by = request.user
        return form

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        assert request.user.is_authenticated
        values = {name: form.cleaned_data[name] for name in form.cleaned_data if name != "roles"}
        roles = form.cleaned_data["roles"]
        if change:
            actions.change(obj, roles=roles, by=request.user, **values)
            return
        with transaction.atomic():
            user = actions.add(roles=roles, by=request.user, **values)
            actions.invite(user)
        obj.pk = user.pk
        obj._state.adding = False
        messages.info(request, pgettext("staff", "A mail with the way to a password is on its way to %s.") % user.email)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Roles are saved by the action, with what they were before."""

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """The audit row says it; a second history would keep names that nobody purges."""

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """As `log_addition`."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        raise Http404

    @admin.action(description=pgettext_lazy("staff", "Phone or key lost: let them set up a new second step"))
    def remove_second_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        assert request.user.is_authenticated
        for user in queryset:
            actions.remove_second_factors(user, by=request.user)
        messages.success(request, pgettext("staff", "They set up a new second step when they sign in the next time."))
