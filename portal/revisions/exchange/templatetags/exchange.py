from typing import Any

from django import template
from django.conf import settings

from portal import languages

register = template.Library()


@register.inclusion_tag("exchange/machine_button.html", takes_context=True)
def machine_button(context: dict[str, Any], kind: str, object_id: int, language: str) -> dict[str, Any]:
    """`{% machine_button "fact" fact.pk "ar" %}`: nothing where no service is set, and for Swedish."""
    is_offered = bool(settings.MACHINE_TRANSLATION_URL) and language != languages.SOURCE
    return {"is_offered": is_offered, "kind": kind, "object_id": object_id, "language": language}
