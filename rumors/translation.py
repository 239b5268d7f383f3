from modeltranslation.translator import TranslationOptions, register

from rumors.models import Rebuttal


@register(Rebuttal)
class RebuttalTranslation(TranslationOptions):
    fields = ("title", "answer", "claim", "explanation")
