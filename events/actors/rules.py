from datetime import date

import rules
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext

from events.actors.models import Contact, Helper
from portal.accounts.models import Role, User
from portal.accounts.rules import has_role
from portal.mail.models import Delivery
from portal.mail.rules import Message
from portal.public import absolute

Person = Contact | Helper

rules.add_perm("actors.view", has_role(Role.EVENTS, Role.MANAGER))
rules.add_perm("actors.edit", has_role(Role.EVENTS))
rules.add_perm("actors.contacts", has_role(Role.EVENTS))


def keepers() -> QuerySet[User]:
    """Who may be responsible for an actor or a helper, and is asked when nobody is."""
    found = User.objects.filter(is_active=True, groups__name=Role.EVENTS).exclude(email__endswith=".invalid")
    return found.order_by("name", "pk")


def asked_about(person: Person) -> list[User]:
    """Who is reminded that a consent ends: whoever is responsible, and all when nobody is or has left."""
    everybody = list(keepers())
    return [person.responsible] if person.responsible in everybody else everybody


def consent_ends(delivery: Delivery) -> Message | None:
    """A reminder to ask again. It names nobody: a mailbox is not the register."""
    person = _still_to_ask(delivery, on=timezone.localdate())
    if person is None or delivery.recipient not in {user.email for user in asked_about(person)}:
        return None
    if isinstance(person, Contact):
        who = pgettext("staff", "a contact at %(actor)s") % {"actor": person.actor.name}
    else:
        who = pgettext("staff", "a bridge builder or an interpreter")
    about = {"who": who, "day": date_format(person.consent_until, "DATE_FORMAT")}
    return Message(
        subject=pgettext("staff", "A consent ends on %(day)s") % about,
        text="\n\n".join(
            [
                pgettext("staff", "This is about %(who)s. We may keep the name until %(day)s.") % about,
                pgettext(
                    "staff",
                    "Ask whether we may keep it, and write down the day of the answer. Without a new consent the name "
                    "is deleted after that day by itself.",
                ),
                absolute(person.get_absolute_url()),
            ]
        ),
    )


def _still_to_ask(delivery: Delivery, *, on: date) -> Person | None:
    """None once they have been asked, or are gone."""
    people = Contact.objects if "contact" in delivery.context else Helper.objects
    found: Person | None = people.to_ask_again(on).filter(pk__in=delivery.context.values()).first()
    return found
