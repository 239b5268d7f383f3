"""Words for mail, on pages of staff."""

from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.translation import pgettext_lazy

from portal.mail import actions

register = template.Library()

_OUR_OWN: Final = {
    "": pgettext_lazy("staff", "nothing"),
    "the sending process ended": pgettext_lazy("staff", "We were interrupted before it was handed over."),
    "the sending process ended after the fence": pgettext_lazy("staff", "We were interrupted as it was handed over."),
    "the reason is gone": pgettext_lazy("staff", "There was no more reason to send it."),
    "found in the records of the mail server": pgettext_lazy("staff", "Its records say that it took it."),
    "refused, by the records of the mail server": pgettext_lazy("staff", "Its records say that it refused it."),
    "not in the records of the mail server": pgettext_lazy("staff", "Its records say that it never got it."),
    "no server takes such an address": pgettext_lazy("staff", "No server takes such an address."),
    "decided by a person": pgettext_lazy("staff", "Somebody here decided it."),
}


@register.filter
def kind_label(kind: str) -> str:
    """What a kind of mail is; its code, of a kind that the site had once."""
    known = actions.kinds().get(kind)
    return str(known.label) if known else kind


@register.filter
def answer(said: str) -> str:
    """Our own reasons in the language of the reader; what a server said as it said it."""
    return str(_OUR_OWN[said]) if said in _OUR_OWN else format_html('<bdi lang="en">{}</bdi>', said)
