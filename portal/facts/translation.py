from modeltranslation.translator import TranslationOptions, register

from portal.facts.models import Fact, Topic


@register(Topic)
class TopicTranslation(TranslationOptions):
    fields = ("name",)


@register(Fact)
class FactTranslation(TranslationOptions):
    fields = ("title", "summary", "body")
