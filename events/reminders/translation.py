from modeltranslation.translator import TranslationOptions, register

from events.reminders.models import Rule


@register(Rule)
class RuleTranslation(TranslationOptions):
    fields = ("text",)
