from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import pgettext, pgettext_lazy

from portal import languages
from portal.facts.models import Fact, Topic
from portal.guard import GuardedForm
from portal.meanwhile import MeanwhileForm
from portal.pictures.forms import WithPicture
from rumors.models import Narrative, Rebuttal
from rumors.vocabulary import (
    Audience,
    Channel,
    ClaimType,
    Confidence,
    HeardHow,
    Precision,
    Priority,
    Sensitivity,
    Spreader,
    Status,
    Strength,
    Verdict,
    Verifiability,
)

SPOKEN: Final = [(code, known.in_both_scripts) for code, known in languages.CATALOG.items()]

_OFTEN: Final = (
    Channel.HOME_VISIT,
    Channel.OFFICE_VISIT,
    Channel.PHONE,
    Channel.SCHOOL_PRESCHOOL,
    Channel.TIKTOK,
    Channel.YOUTUBE,
    Channel.FACEBOOK,
    Channel.WHATSAPP,
)
CHANNELS: Final = [
    ("", "–"),
    *((channel.value, channel.label) for channel in _OFTEN),
    *((channel.value, channel.label) for channel in Channel if channel not in _OFTEN),
]
"""Where a caseworker most often hears something, first."""


def _original() -> forms.CharField:
    return forms.CharField(
        label=pgettext_lazy("staff", "The words as they were said"),
        help_text=pgettext_lazy("staff", "In the language they were said in. Leave out names, and who said it."),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )


def _language() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=pgettext_lazy("staff", "Language of those words"),
        choices=[*SPOKEN, ("", pgettext_lazy("staff", "Language not known"))],
        initial=languages.SOURCE,
        required=False,
    )


class SeenForm(WithPicture, GuardedForm):
    """Where and when something was heard."""

    guarded: ClassVar[tuple[str, ...]] = ("area", "url", "archive_url", "country")
    district: ClassVar[str] = "area"

    form_id = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput)
    channel = forms.ChoiceField(label=pgettext_lazy("staff", "Where"), choices=CHANNELS)
    heard_how = forms.ChoiceField(
        label=pgettext_lazy("staff", "How did you hear it?"), choices=HeardHow.choices, initial=HeardHow.TOLD
    )
    seen_on = forms.DateField(
        label=pgettext_lazy("staff", "When"),
        initial=timezone.localdate,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    area = forms.CharField(
        label=pgettext_lazy("staff", "District"),
        help_text=pgettext_lazy("staff", "A part of town, never an address."),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"list": "areas", "autocomplete": "off"}),
    )
    url = forms.URLField(
        label=pgettext_lazy("staff", "Link"),
        help_text=pgettext_lazy("staff", "To the post or the page. It is never shown to the public."),
        max_length=500,
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    is_threat = forms.BooleanField(
        label=pgettext_lazy("staff", "It holds a threat against somebody"),
        help_text=pgettext_lazy("staff", "Then only the security role can read it. In danger, call 112 first."),
        required=False,
    )
    precision = forms.ChoiceField(
        label=pgettext_lazy("staff", "How exactly is the day known?"),
        choices=Precision.choices,
        initial=Precision.DAY,
        required=False,
    )
    archive_url = forms.URLField(
        label=pgettext_lazy("staff", "Link to an archived copy"),
        max_length=500,
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    country = forms.CharField(
        label=pgettext_lazy("staff", "Country"),
        help_text=pgettext_lazy("staff", "When it comes from abroad."),
        max_length=60,
        required=False,
    )
    audience = forms.ChoiceField(
        label=pgettext_lazy("staff", "Who is addressed"), choices=[("", "–"), *Audience.choices], required=False
    )
    spreader = forms.ChoiceField(
        label=pgettext_lazy("staff", "What kind of sender"),
        help_text=pgettext_lazy("staff", "A kind, never who it was."),
        choices=[("", "–"), *Spreader.choices],
        required=False,
    )
    reached = forms.IntegerField(
        label=pgettext_lazy("staff", "About how many it has reached"),
        help_text=pgettext_lazy("staff", "Views or people in the room, roughly."),
        min_value=0,
        max_value=2_000_000_000,
        required=False,
    )

    FOLDED: ClassVar[tuple[str, ...]] = ("precision", "archive_url", "country", "audience", "spreader", "reached")
    """What the page keeps folded away: mostly not known, or right as it is."""

    def shown(self) -> Iterator[forms.BoundField]:
        return (field for field in self.visible_fields() if field.name not in self.FOLDED)

    def folded(self) -> Iterator[forms.BoundField]:
        return (self[name] for name in self.FOLDED)

    def has_folded_errors(self) -> bool:
        return not self.errors.keys().isdisjoint(self.FOLDED)

    def clean_precision(self) -> str:
        return str(self.cleaned_data["precision"] or Precision.DAY)

    def clean_seen_on(self) -> date:
        day: date = self.cleaned_data["seen_on"]
        if day > timezone.localdate():
            raise ValidationError(pgettext("staff", "This day has not come yet."))
        if day.year < 2000:
            raise ValidationError(pgettext("staff", "Is the year right?"))
        return day


class SightingForm(SeenForm):
    """One more time that a known claim was heard."""

    guarded: ClassVar[tuple[str, ...]] = ("original", *SeenForm.guarded)

    original = _original()
    language = _language()

    field_order = ("original", "language")


class RumorForm(GuardedForm):
    """What is said, and how it is handled."""

    guarded: ClassVar[tuple[str, ...]] = ("claim", "original")

    claim = forms.CharField(
        label=pgettext_lazy("staff", "The claim, in one Swedish sentence"),
        help_text=pgettext_lazy("staff", "Put it neutrally, without names: “It is said that …”"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2, "lang": "sv"}),
    )
    original = _original()
    original_language = _language()
    claim_type = forms.ChoiceField(
        label=pgettext_lazy("staff", "Kind of claim"), choices=ClaimType.choices, initial=ClaimType.HOW_IT_WORKS
    )
    topic = forms.ModelChoiceField(
        label=pgettext_lazy("staff", "Topic"), queryset=Topic.objects.all(), required=False, empty_label="–"
    )
    priority = forms.ChoiceField(
        label=pgettext_lazy("staff", "Priority"), choices=Priority.choices, initial=Priority.MEDIUM
    )
    sensitivity = forms.ChoiceField(
        label=pgettext_lazy("staff", "Who may read it"),
        help_text=pgettext_lazy("staff", "A secret one is for the security role only, and every reading is logged."),
        choices=Sensitivity.choices,
        initial=Sensitivity.INTERNAL,
    )

    def clean_claim(self) -> str:
        return " ".join(str(self.cleaned_data["claim"]).split())


class EditForm(MeanwhileForm, RumorForm):
    verifiability = forms.ChoiceField(
        label=pgettext_lazy("staff", "Can it be checked?"),
        help_text=pgettext_lazy("staff", "If it is simply an opinion, it is not disinformation."),
        choices=[("", "–"), *Verifiability.choices],
        required=False,
    )
    narratives = forms.ModelMultipleChoiceField(
        label=pgettext_lazy("staff", "Narratives"),
        queryset=Narrative.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    review_on = forms.DateField(
        label=pgettext_lazy("staff", "Look at it again"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )


class VersionForm(GuardedForm):
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    """Of the rumor that the writer has before them."""

    def show_again(self, version: int) -> None:
        """Sent once more, it is about the rumor as it is now."""
        assert isinstance(self.data, QueryDict)
        data = self.data = self.data.copy()
        data["version"] = str(version)


class RateForm(VersionForm):
    guarded: ClassVar[tuple[str, ...]] = ("basis",)

    verdict = forms.ChoiceField(
        label=pgettext_lazy("staff", "Verdict"),
        help_text=pgettext_lazy("staff", "If it is simply an opinion, it is not disinformation."),
        choices=Verdict.choices,
        widget=forms.RadioSelect,
    )
    basis = forms.CharField(
        label=pgettext_lazy("staff", "What the verdict rests on"),
        help_text=pgettext_lazy("staff", "The law, the figure, or whom you asked."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    confidence = forms.ChoiceField(
        label=pgettext_lazy("staff", "How sure is that?"),
        choices=Confidence.choices,
        initial=Confidence.MEDIUM,
        required=False,
    )

    def clean_confidence(self) -> str:
        return str(self.cleaned_data["confidence"] or Confidence.MEDIUM)


class NarrativeForm(GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("name", "description")

    name = forms.CharField(
        label=pgettext_lazy("staff", "The story in a few words"),
        help_text=pgettext_lazy("staff", "As its tellers would put it: “the state wants our children”."),
        max_length=120,
    )
    description = forms.CharField(
        label=pgettext_lazy("staff", "What it says, and how to know it"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class HandleForm(GuardedForm):
    """What was done about a threat."""

    guarded: ClassVar[tuple[str, ...]] = ("note",)

    note = forms.CharField(
        label=pgettext_lazy("staff", "What was done?"),
        help_text=pgettext_lazy("staff", "Who was told, whether it was reported to the police. No names."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class MoveForm(GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("reason",)

    status = forms.ChoiceField(choices=Status.choices, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=pgettext_lazy("staff", "Why?"),
        help_text=pgettext_lazy("staff", "Needed where it is not answered, and where it is taken up again."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class FactSearchForm(forms.Form):
    q = forms.CharField(
        label=pgettext_lazy("staff", "Words in the fact"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class LinkForm(GuardedForm):
    """How a chosen fact answers a rumor, and where the answer will stand."""

    open_to_all: ClassVar[tuple[str, ...]] = ("slug",)

    fact = forms.ModelChoiceField(queryset=Fact.objects.published(), to_field_name="slug", widget=forms.HiddenInput)
    strength = forms.ChoiceField(
        label=pgettext_lazy("staff", "What the fact does to the claim"),
        choices=Strength.choices,
        initial=Strength.REFUTES,
        widget=forms.RadioSelect,
    )
    slug = forms.SlugField(
        label=pgettext_lazy("staff", "Address of the answer"),
        help_text=pgettext_lazy(
            "staff",
            "It states the truth and never repeats the claim: the-court-decides. Small letters a–z and hyphens.",
        ),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )

    def clean_slug(self) -> str:
        slug: str = slugify(self.cleaned_data["slug"].replace("_", "-"))
        if not slug:
            raise ValidationError(pgettext("staff", "Use letters and digits."))
        if Rebuttal.objects.filter(slug=slug).exists():
            raise ValidationError(pgettext("staff", "Another answer has this address already."))
        return slug
