"""Evidence, comments, who takes care of it."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors.assignments import actions as assignments
from rumors.assignments.models import Assignment
from rumors.comments import actions as comments
from rumors.comments.models import Comment
from rumors.evidence.models import Evidence
from rumors.vocabulary import Sensitivity
from tests import factories
from tests.accounts.people import person, sign_in
from tests.rumors.conftest import log
from tests.rumors.test_log import NUMBER

pytestmark = pytest.mark.django_db


def words(response) -> str:
    return " ".join(response.content.decode().split())


# Evidence --------------------------------------------------------------------------------------------------------


def test_evidence_is_added_once_shown_and_taken_back(as_editor, editor):
    rumor, fact = log(), factories.published_fact()
    page = f"/staff/rumors/{rumor.pk}/"
    sent = {
        "stance": "refutes",
        "text": "LVU 4 §: rätten beslutar",
        "url": "https://lagen.example/lvu",
        "fact": fact.pk,
        "checked_on": timezone.localdate().isoformat(),
    }
    for _twice in range(2):
        as_editor.post(f"{page}evidence/", sent)
    one = Evidence.objects.get()
    assert (one.rumor, one.stance, one.fact, one.added_by) == (rumor, "refutes", fact, editor)
    shown = words(as_editor.get(page))
    for part in ["LVU 4 §: rätten beslutar", 'href="https://lagen.example/lvu"', "Det talar emot påståendet"]:
        assert part in shown
    assert AuditEvent.objects.about(rumor).first().verb == "add_evidence"
    for _twice in range(2):
        as_editor.post(f"/staff/rumors/evidence/{one.pk}/remove/")
    assert not Evidence.objects.exists()
    assert AuditEvent.objects.about(rumor).filter(verb="remove_evidence").count() == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": f"Enligt {NUMBER}"}, "text"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"stance": "x"}, "stance"),
        ({"checked_on": "2999-01-01"}, "checked_on"),
    ],
)
def test_bad_evidence_is_refused_beside_its_field_and_stays(as_editor, values, field):
    rumor = log()
    sent = {"stance": "refutes", "text": "Lagen säger annat", "url": "", "fact": "", "checked_on": ""} | values
    response = as_editor.post(f"/staff/rumors/{rumor.pk}/evidence/", sent)
    assert response.context["form"].errors.keys() == {field}
    assert not Evidence.objects.exists()


# Comments --------------------------------------------------------------------------------------------------------


def test_a_comment_is_written_once_and_its_writer_follows_the_rumor(as_editor, editor):
    rumor, form_id = log(), uuid4()
    for _twice in range(2):
        as_editor.post(f"/staff/rumors/{rumor.pk}/comment/", {"text": "Jag frågar rätten", "form_id": form_id})
    made = Comment.objects.get()
    assert editor in rumor.watchers.all()
    event = AuditEvent.objects.about(rumor).first()
    assert (event.verb, event.changes) == ("comment", {})
    stranger = sign_in(person(Role.APPROVER))
    page = words(stranger.get(f"/staff/rumors/{rumor.pk}/"))
    assert "Jag frågar rätten" in page
    assert "take-back" not in page
    assert stranger.post(f"/staff/rumors/comments/{made.pk}/take-back/").status_code == 404
    as_editor.post(f"/staff/rumors/comments/{made.pk}/take-back/")
    assert not Comment.objects.exists()
    assert AuditEvent.objects.about(rumor).first().verb == "take_back_comment"


def test_a_comment_with_a_number_is_refused_and_stays_in_the_form(as_editor):
    rumor = log()
    response = as_editor.post(f"/staff/rumors/{rumor.pk}/comment/", {"text": f"Jfr {NUMBER}", "form_id": uuid4()})
    assert response.context["form"].errors.keys() == {"text"}
    assert NUMBER in words(response)
    assert not Comment.objects.exists()


def test_a_comment_on_a_secret_rumor_is_for_those_who_may_read_it(as_editor, security):
    rumor = log(sensitivity=Sensitivity.SECRET)
    made = comments.comment(rumor, text="Hemligt", form_id=uuid4(), by=security)
    assert as_editor.post(f"/staff/rumors/{rumor.pk}/comment/", {"text": "x", "form_id": uuid4()}).status_code == 404
    assert sign_in(person(Role.EDITOR)).post(f"/staff/rumors/comments/{made.pk}/take-back/").status_code == 404
    assert "Hemligt" in words(sign_in(security).get(f"/staff/rumors/{rumor.pk}/"))


def test_a_comment_is_shown_as_text(as_editor):
    rumor = log()
    as_editor.post(f"/staff/rumors/{rumor.pk}/comment/", {"text": "<script>x</script>", "form_id": uuid4()})
    assert "&lt;script&gt;x&lt;/script&gt;" in words(as_editor.get(f"/staff/rumors/{rumor.pk}/"))


# Who takes care of it ---------------------------------------------------------------------------------------------


def test_who_has_taken_care_of_it_stays_on_the_page(as_editor, editor):
    rumor, colleague = log(), person(Role.EDITOR)
    address = f"/staff/rumors/{rumor.pk}/assign/"
    as_editor.post(address, {"assignee": editor.pk, "note": "Ring rätten"})
    as_editor.post(address, {"assignee": editor.pk, "note": "Ring tingsrätten"})
    assert Assignment.objects.get().note == "Ring tingsrätten"
    as_editor.post(address, {"assignee": colleague.pk, "note": ""})
    as_editor.post(address, {"assignee": "", "note": ""})
    rumor.refresh_from_db()
    assert rumor.assignee is None
    rows = Assignment.objects.order_by("pk").values_list("to", "note", "made_by")
    assert list(rows) == [(editor.pk, "Ring tingsrätten", editor.pk), (colleague.pk, "", editor.pk)]
    assert not Assignment.objects.filter(ended_at=None).exists()
    page = words(as_editor.get(f"/staff/rumors/{rumor.pk}/"))
    assert "Ring tingsrätten" in page
    assert colleague.name in page


def test_one_person_at_a_time_and_the_database_insists(editor):
    rumor = log()
    assignments.assign(rumor, to=editor, by=editor)
    with pytest.raises(IntegrityError, match="one_person_at_a_time"), transaction.atomic():
        Assignment.objects.create(rumor=rumor, to=person(Role.EDITOR), made_by=editor)
