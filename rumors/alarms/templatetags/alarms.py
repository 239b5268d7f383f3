from typing import Any

from django.template import Context, Library
from django.utils import timezone

from rumors.alarms import rules

register = Library()


@register.inclusion_tag("alarms/staff/summary.html", takes_context=True)
def alarm_summary(context: Context) -> dict[str, Any]:
    """How many alarms of which kind there are for the person who is signed in; nothing when there are none."""
    user = context["request"].user
    if not user.has_perm("rumors.view"):
        return {}
    return {"board": rules.standing(user, now=timezone.now())}
