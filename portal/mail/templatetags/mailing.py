"""Words for mail, on pages of staff."""

from django import template

from portal.mail import actions

register = template.Library()


@register.filter
def kind_label(kind: str) -> str:
    """What a kind of mail is; its code, of a kind that the site had once."""
    known = actions.kinds().get(kind)
    return str(known.label) if known else kind
