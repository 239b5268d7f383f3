from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils.translation import pgettext, pgettext_lazy

from events.actors.models import Actor
from events.series.models import Series
from portal import guard
from portal.meanwhile import MeanwhileForm


class SeriesForm(guard.GuardedForm, forms.ModelForm[Series]):
    guarded: ClassVar[tuple[str, ...]] = ("name", "about")

    class Meta:
        model = Series
        fields = ("name", "about", "circle")
        help_texts: ClassVar = {
            "circle": pgettext_lazy(
                "staff", "Organizations. Who is written to at each of them is chosen when you invite."
            ),
        }
        widgets: ClassVar = {
            "about": forms.Textarea(attrs={"rows": 3}),
            "circle": forms.CheckboxSelectMultiple,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        circle = self.fields["circle"]
        assert isinstance(circle, forms.ModelMultipleChoiceField)
        stays = [each.pk for each in self.instance.circle.all()] if self.instance.pk else []
        circle.queryset = Actor.objects.filter(Q(is_active=True) | Q(pk__in=stays))

    def values(self) -> dict[str, Any]:
        """As the actions want them."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def refuse_name(self) -> None:
        """Somebody else has taken it since it was looked for."""
        self.add_error("name", pgettext("staff", "There is a series of this name already."))


class EditSeriesForm(MeanwhileForm, SeriesForm):
    """Colleagues may be changing the same circle."""
