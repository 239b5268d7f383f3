from typing import TYPE_CHECKING, Any, ClassVar, Final

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.translation import pgettext_lazy

from portal import languages

SECOND_FACTORS: Final = frozenset({Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN})


class Role(models.TextChoices):
    """Roles are groups of the same name; what each may do stands in every module's `rules.py`."""

    REPORTER = "reporter", pgettext_lazy("staff", "Reporter")
    EDITOR = "editor", pgettext_lazy("staff", "Editor")
    TRANSLATOR = "translator", pgettext_lazy("staff", "Translator")
    APPROVER = "approver", pgettext_lazy("staff", "Approver")
    EVENTS = "events", pgettext_lazy("staff", "Events")
    SECURITY = "security", pgettext_lazy("staff", "Security")
    MANAGER = "manager", pgettext_lazy("staff", "Manager")
    AUDITOR = "auditor", pgettext_lazy("staff", "Auditor")
    ADMIN = "admin", pgettext_lazy("staff", "Administrator")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def holding(self, role: Role) -> "models.QuerySet[User]":
        """Who may sign in and has this role, by name."""
        return self.filter(is_active=True, groups__name=role).order_by("name", "pk")

    def to_choose(self, *roles: Role, besides: "models.QuerySet[User]") -> "models.QuerySet[User]":
        """Who holds one of these roles, and who is chosen already: a form that left them out would take them away."""
        holders = self.filter(is_active=True, groups__name__in=roles)
        return self.filter(Q(pk__in=holders.values("pk")) | Q(pk__in=besides.values("pk"))).order_by("name", "pk")

    def with_rights(self) -> "models.QuerySet[User]":
        """Adds `role_names` and `has_factor`: what `roles` and `has_second_factor` would ask for."""
        factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)
        roles = ArrayAgg("groups__name", filter=Q(groups__isnull=False), default=Value([]))
        return self.annotate(role_names=roles, has_factor=Exists(factors))


class User(AbstractBaseUser, PermissionsMixin):
    STAFF_LANGUAGES: Final = [(code, languages.get(code).autonym) for code in languages.STAFF]

    email = models.EmailField(pgettext_lazy("staff", "e-mail address"), unique=True)
    name = models.CharField(pgettext_lazy("staff", "name"), max_length=120)
    language = models.CharField(
        pgettext_lazy("staff", "language"), max_length=2, choices=STAFF_LANGUAGES, default=languages.SOURCE
    )
    is_active = models.BooleanField(pgettext_lazy("staff", "may sign in"), default=True)
    is_staff = models.BooleanField(pgettext_lazy("staff", "may use the administration"), default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    if TYPE_CHECKING:
        pk: int

    class Meta:
        verbose_name = pgettext_lazy("staff", "user")
        verbose_name_plural = pgettext_lazy("staff", "users")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="email_address_is_lower_case"),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def roles(self) -> frozenset[str]:
        return frozenset(self.groups.values_list("name", flat=True))

    @cached_property
    def has_second_factor(self) -> bool:
        """Recovery codes alone are none: they only stand in for a factor that got lost."""
        return bool(Authenticator.objects.filter(user=self, type__in=SECOND_FACTORS).exists())
