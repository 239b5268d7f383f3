from modeltranslation.translator import TranslationOptions, register

from events.programs.models import ProgramItem


@register(ProgramItem)
class ProgramItemTranslation(TranslationOptions):
    fields = ("title", "abstract")
