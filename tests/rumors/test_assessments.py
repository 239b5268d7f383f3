"""How far a rumor has come, how hard it hits, and who is behind it."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors.assessments import actions
from rumors.assessments.models import Abcde, ReachEstimate
from rumors.vocabulary import ImpactOn
from tests.accounts.people import person, sign_in
from tests.rumors.conftest import log

pytestmark = pytest.mark.django_db


def test_another_reach_is_kept_with_its_basis_and_who_thought_so(as_editor, editor):
    rumor = log()
    page = f"/staff/rumors/{rumor.pk}/assess/"
    bare = as_editor.post(page, {"reach": "trending", "basis": " "})
    assert "basis" in bare.context["form"].errors
    for reach, basis in [
        ("filter_bubble", "Två grupper"),
        ("trending", "1 200 visningar"),
        ("trending", "1 200 visningar"),
    ]:
        as_editor.post(page, {"reach": reach, "basis": basis})
    rumor.refresh_from_db()
    assert rumor.reach == "trending"
    history = list(rumor.reaches.values_list("level", "basis", "estimated_by"))
    assert history == [("trending", "1 200 visningar", editor.pk), ("filter_bubble", "Två grupper", editor.pk)]
    shown = as_editor.get(rumor.get_absolute_url()).content.decode()
    assert "1 200 visningar" in shown
    assert "Två grupper" in shown
    with pytest.raises(IntegrityError, match="has_a_basis"), transaction.atomic():
        ReachEstimate.objects.create(rumor=rumor, level="trending", basis="", estimated_by=editor)


def test_an_impact_can_be_said_changed_and_taken_back(as_editor):
    rumor = log()
    page = f"/staff/rumors/{rumor.pk}/assess/"
    as_editor.post(page, {"on_staff_safety": "high", "on_reputation": "low"})
    as_editor.post(page, {"on_staff_safety": "medium"})
    assert dict(rumor.impacts.values_list("on", "level")) == {ImpactOn.STAFF_SAFETY: "medium"}
    assert "Personalens säkerhet: medel" in " ".join(as_editor.get(rumor.get_absolute_url()).content.decode().split())
    changes = [event.changes for event in AuditEvent.objects.about(rumor).filter(verb="assess").order_by("pk")]
    assert changes[1] == {"reputation": ["low", ""], "staff_safety": ["…", "…"]}


def test_who_is_behind_it_is_said_by_two_people(as_editor, editor):
    rumor, page = log(), ""
    page = f"/staff/rumors/{rumor.pk}/abcde/"
    said = {"actor": "group_abroad", "confidence": "medium", "attribution": "En grupp utomlands"}
    as_editor.post(page, said)
    found = Abcde.objects.get()
    assert (found.actor, found.attributed_by, found.confirmed_by) == ("group_abroad", editor, None)
    assert "Bara en person säger det" in as_editor.get(rumor.get_absolute_url()).content.decode()
    as_editor.post(f"{page}confirm/", {"attribution": "En grupp utomlands"})
    found.refresh_from_db()
    assert found.confirmed_by is None
    with pytest.raises(IntegrityError, match="confirmed_by_somebody_else"), transaction.atomic():
        Abcde.objects.update(confirmed_by=editor)

    other = person(Role.EDITOR)
    with pytest.raises(ValidationError, match="ändrades"):
        actions.confirm(rumor, attribution="En annan grupp", by=other)
    sign_in(other).post(f"{page}confirm/", {"attribution": "En grupp utomlands"})
    found.refresh_from_db()
    assert found.confirmed_by == other
    as_editor.post(page, said | {"effect": "worry"})
    found.refresh_from_db()
    assert (found.effect, found.confirmed_by) == ("worry", other)
    as_editor.post(page, said | {"attribution": "En stat"})
    found.refresh_from_db()
    assert found.confirmed_by is None


def test_a_personal_number_is_refused_here_too(as_editor):
    rumor = log()
    base = f"/staff/rumors/{rumor.pk}/"
    for path, field, sent in [
        ("assess/", "basis", {"reach": "trending"}),
        ("abcde/", "attribution", {"confidence": "low"}),
        ("respond/", "reason", {"action": "reply_public"}),
    ]:
        answer = as_editor.post(f"{base}{path}", sent | {field: "om 900101-9802"})
        assert field in answer.context["form"].errors, path
    assert not ReachEstimate.objects.exists()
    assert not Abcde.objects.exists()
    assert not rumor.responses.exists()


@pytest.mark.parametrize(
    ("page", "mine", "theirs"),
    [
        ("assess", {"on_reputation": "high"}, {"on_stakeholders": "low"}),
        ("abcde", {"actor": "group_abroad", "confidence": "low"}, {"behavior": "organic", "confidence": "low"}),
    ],
)
def test_two_who_assess_at_once_do_not_undo_each_other(as_editor, page, mine, theirs):
    rumor = log()
    address = f"/staff/rumors/{rumor.pk}/{page}/"
    opened = as_editor.get(address).context["form"]["version"].value()
    sign_in(person(Role.EDITOR)).post(address, theirs | {"version": opened})
    refused = as_editor.post(address, mine | {"version": opened})
    form = refused.context["form"]
    assert "efter att du öppnade" in form.non_field_errors()[0]
    for name, value in mine.items():
        assert form[name].value() == value
    shown = as_editor.get(address).context["form"]
    assert {name: shown[name].value() for name in theirs} == theirs
    as_editor.post(address, mine | {"version": form["version"].value()})
    shown = as_editor.get(address).context["form"]
    assert {name: shown[name].value() for name in mine} == mine
