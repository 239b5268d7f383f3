from itertools import groupby
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from portal import guard, languages
from portal.accounts.models import User
from portal.facts.matrix import Cell
from portal.facts.models import Audience, Fact, FormerAddress, Matter, Source, Topic
from portal.revisions.forms import SeenForm
from portal.revisions.rules import Text, heading, read

DateInput = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class FactForm(SeenForm, guard.GuardedForm, forms.ModelForm[Fact]):
    """What is not text: of the fact itself, and of its matter, which its sisters for other audiences share."""

    open_to_all: ClassVar[tuple[str, ...]] = ("slug",)

    reviewed_on = forms.DateField(label=pgettext_lazy("staff", "Checked on"), widget=DateInput)
    review_due = forms.DateField(label=pgettext_lazy("staff", "Check again by"), widget=DateInput)
    owner = forms.ModelChoiceField(
        label=pgettext_lazy("staff", "Who checks it"),
        queryset=User.objects.none(),
        help_text=pgettext_lazy("staff", "Gets a mail when the day comes."),
    )

    class Meta:
        model = Fact
        fields = ("audience", "topic", "slug", "order", "is_asked_often", "is_about_violence")
        help_texts: ClassVar = {
            "slug": pgettext_lazy("staff", "Short, for print: small letters a–z, digits and hyphens."),
            "order": pgettext_lazy("staff", "Small numbers come first."),
        }

    def __init__(self, *args: Any, matter: Matter | None = None, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.matter = matter
        today = timezone.localdate()
        shared: dict[str, Any] = {"reviewed_on": today, "review_due": today + Matter.REVIEW, "owner": by}
        if matter is not None:
            shared = {name: getattr(matter, name) for name in shared}
        self.initial = {**shared, **self.initial}
        if self.instance.pk:
            self.initial["seen"] = self.instance.version
        else:
            del self.fields["seen"]
        people = User.objects.filter(Q(is_active=True) | Q(pk=shared["owner"].pk)).order_by("name")
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        taken = FormerAddress.objects.filter(slug=slug).exclude(fact=self.instance.pk).first()
        if taken:
            raise ValidationError(
                pgettext("staff", "This address leads to “%(title)s”, which stood there before.")
                % {"title": heading(taken.fact)}
            )
        return slug

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        reviewed, due = data.get("reviewed_on"), data.get("review_due")
        if reviewed and reviewed > timezone.localdate():
            self.add_error("reviewed_on", pgettext("staff", "This day has not come yet."))
        if reviewed and due and due <= reviewed:
            self.add_error("review_due", pgettext("staff", "The next check has to come after the last one."))
        sisters = self.matter.facts.exclude(pk=self.instance.pk) if self.matter else Fact.objects.none()
        if there := sisters.filter(audience=data.get("audience")).first():
            why = pgettext("staff", "There is a text of this matter for them already: %(slug)s.")
            self.add_error("audience", why % {"slug": there.slug})
        return data

    def told(self) -> dict[str, tuple[str, str]]:
        """Label and value of each field that is seen, in words."""
        return {field.name: (str(field.label), self._word(field)) for field in self.visible_fields()}

    @staticmethod
    def _word(field: forms.BoundField) -> str:
        value = field.value()
        if isinstance(field.field, forms.BooleanField):
            return pgettext("staff", "yes") if value else pgettext("staff", "no")
        choices = {str(key): str(name) for key, name in getattr(field.field, "choices", ())}
        return choices.get(str(value), str(value))


class SourceForm(guard.GuardedForm, forms.ModelForm[Source]):
    open_to_all: ClassVar[tuple[str, ...]] = ("title", "sfs", "sections", "url")

    class Meta:
        model = Source
        fields = ("title", "sfs", "sections", "url")
        help_texts: ClassVar = {
            "title": pgettext_lazy("staff", "As readers know it: LVU, or the name of a report."),
            "sfs": pgettext_lazy("staff", "For a law, like 1990:52."),
            "sections": pgettext_lazy("staff", "Like 1–4 §§."),
        }


SourceFormSet = forms.formset_factory(SourceForm, extra=2, can_delete=True, max_num=20, absolute_max=30)


class AudienceAndTopicForm(forms.Form):
    audience = forms.ChoiceField(
        label=pgettext_lazy("staff", "Audience"),
        choices=[("", pgettext_lazy("staff", "All")), *Audience.choices],
        required=False,
    )
    topic = forms.ModelChoiceField(
        label=pgettext_lazy("staff", "Topic"),
        queryset=Topic.objects.all(),
        empty_label=pgettext_lazy("staff", "All"),
        required=False,
    )


class FactFilterForm(AudienceAndTopicForm):
    missing = forms.ChoiceField(
        label=pgettext_lazy("staff", "Missing in"),
        choices=[("", pgettext_lazy("staff", "Any language")), *languages.LANGUAGES],
        required=False,
    )


class TopicForm(forms.Form):
    """The names of one topic in every active language."""

    def __init__(self, topic: Topic | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topic = topic
        if topic is None:
            self.fields["key"] = forms.SlugField(
                label=pgettext_lazy("staff", "Short name"),
                help_text=pgettext_lazy("staff", "For addresses and exports; it cannot be changed later."),
                max_length=30,
                validators=[guard.validate],
            )
        for language in languages.ACTIVE:
            self.fields[language.code] = forms.CharField(
                label=language.autonym,
                max_length=80,
                required=language.code == languages.SOURCE,
                initial=getattr(topic, languages.suffixed("name", language.code), "") if topic else "",
                show_hidden_initial=True,
                validators=[guard.validate],
                widget=forms.TextInput(attrs={"lang": language.tag, "dir": language.direction}),
            )

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if Topic.objects.filter(key=key).exists():
            raise ValidationError(pgettext("staff", "There is a topic with this name already."))
        return key

    def names(self) -> dict[str, str]:
        """Those that this writer has changed, by language: a name that somebody else wrote meanwhile stays."""
        return {code: self.cleaned_data[code] for code in self.changed_data if code != "key"}


class MatrixForm(AudienceAndTopicForm):
    language = forms.ChoiceField(
        label=pgettext_lazy("staff", "Language"),
        choices=[("", pgettext_lazy("staff", "All")), *languages.LANGUAGES[1:]],
        required=False,
    )
    state = forms.ChoiceField(
        label=pgettext_lazy("staff", "State"),
        choices=[("", pgettext_lazy("staff", "All")), *Cell.choices],
        required=False,
    )


class PrintForm(forms.Form):
    """Which facts a reader of `code` wants on paper, and beside which other language."""

    MOST: Final = 12

    facts = forms.MultipleChoiceField(
        label=pgettext_lazy("print", "Questions"),
        error_messages={"required": pgettext_lazy("print", "Choose at least one.")},
    )

    def __init__(self, *args: Any, code: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.code = code
        order = list(Audience)
        published = Fact.objects.published().read_in(code)
        self.published = sorted(published, key=lambda fact: order.index(Audience(fact.audience)))
        choices: Any = [(fact.slug, fact.slug) for fact in self.published]
        self.fields["facts"].choices = choices  # type: ignore[attr-defined]
        others = [(known, name) for known, name in languages.LANGUAGES if known != code]
        # A name that no attribute can have.
        self.fields["with"] = forms.ChoiceField(
            label=pgettext_lazy("print", "Beside it, in another language"),
            choices=[("", pgettext_lazy("print", "No other language")), *others],
            required=False,
        )

    def clean_facts(self) -> list[str]:
        slugs: list[str] = self.cleaned_data["facts"]
        if len(slugs) > self.MOST:
            raise ValidationError(pgettext("print", "Choose at most %(most)s.") % {"most": self.MOST})
        return slugs

    def groups(self) -> list[tuple[Audience, list[tuple[str, Text | None, bool]]]]:
        """Address, text and whether it is chosen, by audience."""
        chosen = self.data.getlist("facts") if self.is_bound else []  # type: ignore[attr-defined]
        return [
            (
                Audience(audience),
                [(fact.slug, read(fact, self.code, audience=audience), fact.slug in chosen) for fact in facts],
            )
            for audience, facts in groupby(self.published, lambda fact: fact.audience)
        ]

    def query(self) -> str:
        chosen = {"facts": ",".join(self.cleaned_data["facts"]), "with": self.cleaned_data["with"]}
        return urlencode({name: value for name, value in chosen.items() if value}, safe=",")
