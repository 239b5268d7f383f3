import rules
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext

from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.facts.models import Matter
from portal.mail.models import Delivery
from portal.mail.rules import Message
from portal.public import absolute
from portal.revisions.rules import heading

rules.add_perm("facts.view", is_anyone_on_staff)
rules.add_perm("facts.edit", has_role(Role.EDITOR))
rules.add_perm("facts.translate", has_role(Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("facts.approve", has_role(Role.APPROVER))
rules.add_perm("topics.edit", has_role(Role.EDITOR))


def review(delivery: Delivery) -> Message | None:
    """To the owner of a matter: look whether it is still right."""
    matter = Matter.objects.filter(pk=delivery.context["matter"], review_due__lte=timezone.localdate()).first()
    fact = matter.facts.first() if matter else None
    if matter is None or fact is None:
        return None
    about = {"title": heading(fact), "day": date_format(matter.review_due, "DATE_FORMAT")}
    return Message(
        subject=pgettext("staff", "Is it still right? %(title)s") % about,
        text="\n\n".join(
            [
                pgettext("staff", "“%(title)s” was to be checked by %(day)s.") % about,
                pgettext("staff", "If nothing has changed, one press on “Still right” is enough:"),
                absolute(reverse("staff_fact", args=[fact.pk])),
            ]
        ),
    )
