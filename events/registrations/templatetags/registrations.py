from django.template import Library
from django.utils import timezone

from events.models import Event
from events.registrations.models import Registration

register = Library()


@register.filter
def keeps_registrations(event: Event) -> bool:
    """Whether people could register for it, and what they wrote has not been deleted yet."""
    return event.registration_ends_at is not None and timezone.now() < event.ends_at + Registration.KEEP_AFTER_EVENT
