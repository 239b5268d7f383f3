"""Every write to the register of actors. The audit log tells what was changed of an organization, but not how it is
reached, and of people nothing but that a row was written, read or deleted."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import npgettext, pgettext_lazy

from events.actors import rules
from events.actors.models import Actor, Contact, Helper
from events.actors.rules import Person
from portal import languages
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.models import Topic
from portal.mail import actions as mail
from portal.meanwhile import refuse_clashes

CONSENT_ENDS: Final = "actor_consent_ends"

_UNTOLD: Final = frozenset({"needs", "email", "phone", "website"})
"""Of an actor; of a person all but the day on which they agreed."""


def announce() -> None:
    mail.register(CONSENT_ENDS, rules.consent_ends, label=pgettext_lazy("staff", "Somebody has to be asked again"))


# Organizations ---------------------------------------------------------------------------------------------------


@transaction.atomic
def create(*, by: User, topics: Iterable[Topic] = (), **values: Any) -> Actor:
    """Raises IntegrityError when there is one of this name."""
    actor: Actor = Actor.objects.create(**values | {"languages": _in_order(values.get("languages", ()))})
    actor.topics.set(topics)
    audit.record("create", actor, by=by, changes={"name": ("", actor.name)})
    return actor


@transaction.atomic
def edit(actor: Actor, *, by: User, was: Mapping[str, Any] | None = None, **values: Any) -> Actor:
    """Change an actor; `was` is what the writer had seen, and several things that are chosen are a set.

    Raises ChangedMeanwhileError, and changes nothing, when one of the fields was changed by somebody else; and
    IntegrityError when another one has this name.
    """
    held: Actor = Actor.objects.select_for_update(of=("self",)).get(pk=actor.pk)
    refuse_clashes({name: _standing(held, name) for name in values}, was=was or {}, values=values)
    if "languages" in values:
        values["languages"] = _in_order(values["languages"])
    topics = values.pop("topics", None)
    changes = _write(held, values)
    if topics is not None and topics != _standing(held, "topics"):
        changes["topics"] = (_names(_standing(held, "topics")), _names(topics))
        held.topics.set(topics)
    if changes:
        audit.record("edit", held, by=by, changes=_told(changes, untold=_UNTOLD))
    return held


@transaction.atomic
def delete(actor: Actor, *, by: User) -> None:
    """With its contacts; a second time changes nothing. Raises ProtectedError when it was invited or has agreed to
    something."""
    held: Actor | None = Actor.objects.select_for_update(of=("self",)).filter(pk=actor.pk).first()
    if held is None:
        return
    for contact in held.contacts.select_for_update(of=("self",)):
        _forget(contact, "delete", by=by)
    audit.record("delete", held, by=by, changes={"name": (held.name, "")})
    held.delete()


def _standing(held: Model, name: str) -> Any:
    value = getattr(held, name)
    if name == "topics":
        return set(value.all())
    return set(value) if name == "languages" else value


def _in_order(codes: Iterable[str]) -> list[str]:
    """As everywhere, in whatever order they were chosen."""
    return [code for code in languages.CATALOG if code in set(codes)]


def _names(topics: Iterable[Topic]) -> str:
    return ", ".join(sorted(map(str, topics)))


def _write(held: Model, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Sets what is another value on a locked row; returns that."""
    changes = audit.changed(held, values)
    for name in changes:
        setattr(held, name, values[name])
    if changes:
        held.save(update_fields=[*changes])
    return changes


def _told(changes: Mapping[str, tuple[Any, Any]], *, untold: Collection[str]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (audit.UNTOLD, audit.UNTOLD) if name in untold else (_plain(before), _plain(after))
        for name, (before, after) in changes.items()
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Model) else value


# People ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_contact(actor: Actor, *, by: User, **values: Any) -> Contact:
    contact: Contact = Contact.objects.create(actor=actor, **values)
    audit.record("create", contact, by=by)
    return contact


@transaction.atomic
def add_helper(*, by: User, **values: Any) -> Helper:
    helper: Helper = Helper.objects.create(**values | {"languages": _in_order(values["languages"])})
    audit.record("create", helper, by=by)
    return helper


@transaction.atomic
def change(person: Person, *, by: User, was: Mapping[str, Any] | None = None, **values: Any) -> Person:
    """Change a contact or a helper; a later day of consent lets them stay. Raises as `edit` does."""
    held: Person = type(person).objects.select_for_update(of=("self",)).get(pk=person.pk)
    refuse_clashes({name: _standing(held, name) for name in values}, was=was or {}, values=values)
    if "languages" in values:
        values["languages"] = _in_order(values["languages"])
    changes = _write(held, values)
    if changes:
        audit.record("edit", held, by=by, changes=_told(changes, untold=changes.keys() - {"consented_on"}))
    return held


@transaction.atomic
def forget(person: Person, *, by: User) -> None:
    """Delete a contact or a helper, at once and for good; a second time changes nothing."""
    held: Person | None = type(person).objects.select_for_update(of=("self",)).filter(pk=person.pk).first()
    if held is not None:
        _forget(held, "delete", by=by)


_before_forgetting: Final[list[Callable[..., None]]] = []


def before_forgetting(forget: Callable[..., None]) -> None:
    """Call it in `AppConfig.ready`: `forget(contact, by=...)` deletes what another module keeps of a contact, which is
    locked: whoever wants to keep more of one locks it, too, and before anything else."""
    _before_forgetting.append(forget)


def _forget(held: Person, verb: str, *, by: User | None) -> None:
    if isinstance(held, Contact):
        for forget_there in _before_forgetting:
            forget_there(held, by=by)
    mail.cancel(prefix=_key(held))
    audit.record(verb, held, by=by)
    held.delete()


# Read ------------------------------------------------------------------------------------------------------------


def consult(thing: Actor | Person, *, by: User) -> None:
    """Log that somebody reads of people: of an actor that has none there is nothing to tell."""
    if not isinstance(thing, Actor) or thing.contacts.exists():
        audit.record("read", thing, by=by)


def consult_list(model: type[Actor] | type[Helper], *, by: User) -> None:
    audit.record("read", model(), by=by)


def tell_export(*, count: int, filters: Sequence[str], by: User) -> None:
    """Log that `count` actors leave in a file, and what was asked for."""
    said = npgettext("staff", "%(number)d row", "%(number)d rows", count) % {"number": count}
    audit.record("export", Actor(), by=by, note=". ".join([said, *filters]))


# The clock -------------------------------------------------------------------------------------------------------


def remind(*, today: date) -> int:
    """A letter about each consent that ends soon, once for each consent and reader; how many consents those are."""
    people: list[Person] = [
        *Contact.objects.to_ask_again(today).select_related("actor__responsible"),
        *Helper.objects.to_ask_again(today).select_related("responsible"),
    ]
    for person in people:
        for user in rules.asked_about(person):
            mail.plan(
                kind=CONSENT_ENDS,
                key=f"{_key(person)}{person.consented_on}:{user.pk}",
                to=user.email,
                language=user.language,
                due_at=timezone.now(),
                expires_at=_end_of(person.consent_until),
                context={str(person._meta.model_name): person.pk},
            )
    return len(people)


def _key(person: Person) -> str:
    """What the keys of all letters about somebody begin with."""
    return f"{CONSENT_ENDS}:{person._meta.model_name}:{person.pk}:"


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=timezone.get_default_timezone())


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Forget who has not agreed again; how many people those were."""
    today = timezone.localdate(now)
    expired: list[Person] = [
        *Contact.objects.expired(today).order_by("pk").select_for_update(of=("self",)),
        *Helper.objects.expired(today).select_for_update(of=("self",)),
    ]
    for person in expired:
        _forget(person, "purge", by=None)
    return len(expired)
