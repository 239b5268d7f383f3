from modeltranslation.translator import TranslationOptions, register

from events.models import Event, ProgramItem


@register(Event)
class EventTranslation(TranslationOptions):
    fields = ("title", "summary", "body")


@register(ProgramItem)
class ProgramItemTranslation(TranslationOptions):
    fields = ("title",)
