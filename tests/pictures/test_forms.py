"""A form that a screenshot may come with."""

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string

from portal.facts.models import Topic
from portal.pictures import encoding, pixels
from portal.pictures.forms import ACCEPT, PictureField, WithPicture
from tests.pictures import images
from tests.pictures.conftest import sent

PNG = images.file_of(images.screenshot(), "PNG")


class Told(WithPicture, forms.Form):
    claim = forms.CharField(label="Claim")
    when = forms.DateField(required=False)


def faults(form) -> dict[str, list[str]]:
    return {name: [fault.code for fault in found.data] for name, found in form.errors.items()}


def test_a_form_with_a_picture_gives_the_file():
    form = Told({"claim": "x"}, {"picture": sent(PNG)})
    assert form.is_valid()
    assert form.cleaned_data["picture"].read() == PNG


def test_a_form_without_a_picture_is_whole():
    form = Told({"claim": "x"})
    assert form.is_valid()
    assert form.cleaned_data["picture"] is None


def test_a_form_may_ask_for_a_picture():
    class Asked(forms.Form):
        picture = PictureField(required=True)

    assert faults(Asked({})) == {"picture": ["required"]}


@pytest.mark.parametrize(
    ("data", "wrong"),
    [({}, {"claim"}), ({"claim": "x", "when": "never"}, {"when"}), ({"when": "x"}, {"claim", "when"})],
)
def test_a_form_that_comes_back_says_that_the_file_has_to_be_chosen_again(data, wrong):
    found = faults(Told(data, {"picture": sent(PNG)}))
    assert found["picture"] == ["again"]
    assert set(found) == {"picture"} | wrong


def test_a_form_that_comes_back_without_a_picture_says_nothing_of_one():
    assert set(faults(Told({}))) == {"claim"}


def test_what_an_action_refuses_counts_as_well():
    form = Told({"claim": "x"}, {"picture": sent(PNG)})
    assert form.is_valid()
    form.add_error(None, ValidationError("The rumor was closed meanwhile."))
    assert faults(form)["picture"] == ["again"]


def test_a_picture_that_is_refused_is_told_of_once():
    form = Told({}, {"picture": sent(b"")})
    assert faults(form) == {"claim": ["required"], "picture": ["empty"]}
    form = Told({"claim": "x"}, {"picture": sent(PNG)})
    form.add_error(None, ValidationError({"claim": "No.", "picture": encoding.too_large()}))
    form.add_error("claim", "And no.")
    assert faults(form)["picture"] == ["too_large"]


def test_the_prefix_of_a_form_is_known():
    assert faults(Told({}, {"b-picture": sent(PNG)}, prefix="b")) == {"claim": ["required"], "picture": ["again"]}


def test_it_can_be_mixed_into_a_form_of_a_model():
    class TopicForm(WithPicture, forms.ModelForm):
        class Meta:
            model = Topic
            fields = ("key",)

    form = TopicForm({"key": "care"}, {"picture": sent(PNG)})
    assert set(form.fields) == {"key", "picture"}
    assert form.fields["picture"].required is False


def test_it_stands_last_unless_the_form_has_an_order():
    class Ordered(Told):
        field_order = ("picture", "claim")

    assert list(Told().fields) == ["claim", "when", "picture"]
    assert list(Ordered().fields) == ["picture", "claim", "when"]


def test_too_large_is_said_at_once():
    file = sent(PNG)
    file.size = pixels.MOST_BYTES + 1
    assert faults(Told({"claim": "x"}, {"picture": file})) == {"picture": ["too_large"]}


def test_the_page_says_what_is_taken_how_large_and_what_is_removed():
    html = render_to_string("components/form.html", {"form": Told()})
    assert f'type="file" name="picture" accept="{ACCEPT}"' in html
    assert ACCEPT == "image/jpeg,image/png,image/webp"
    assert f"{pixels.MOST_BYTES // 1024**2} MB" in html
    assert 'aria-describedby="id_picture_helptext"' in html
