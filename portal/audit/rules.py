"""The log in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db.models import Model
from django.utils.translation import pgettext, pgettext_lazy

from portal import guard
from portal.audit.models import AuditEvent

DEEDS: Final = {
    "accept": pgettext_lazy("staff", "Took an offered seat"),
    "add": pgettext_lazy("staff", "Made an account"),
    "add_attachment": pgettext_lazy("staff", "Put a document to an event"),
    "add_evidence": pgettext_lazy("staff", "Wrote down what speaks for or against it"),
    "add_rule": pgettext_lazy("staff", "Made a reminder"),
    "agree_to_be_named": pgettext_lazy("staff", "Noted that a speaker may be named"),
    "agree": pgettext_lazy("staff", "Wrote down what was agreed"),
    "answer_check": pgettext_lazy("staff", "Told, by a secret link, how a text reads"),
    "answer_invitation": pgettext_lazy("staff", "Answered an invitation, by a secret link"),
    "approve": pgettext_lazy("staff", "Approved what is to be done"),
    "approve_answer": pgettext_lazy("staff", "Approved an answer to the public"),
    "approve_risks": pgettext_lazy("staff", "Approved a risk assessment"),
    "approved": pgettext_lazy("staff", "Approved a text"),
    "ask": pgettext_lazy("staff", "Asked or told something"),
    "ask_reader": pgettext_lazy("staff", "Asked a native reader"),
    "assess": pgettext_lazy("staff", "Said how far it has come or how hard it hits"),
    "assess_risks": pgettext_lazy("staff", "Wrote a risk assessment"),
    "assign": pgettext_lazy("staff", "Said who takes care of it"),
    "cancel": pgettext_lazy("staff", "Canceled"),
    "change": pgettext_lazy("staff", "Changed"),
    "change_profile": pgettext_lazy("staff", "Changed their own profile"),
    "change_second_factors": pgettext_lazy("staff", "Changed their second step"),
    "check_again": pgettext_lazy("staff", "Had a link checked again"),
    "check_in": pgettext_lazy("staff", "Checked somebody in"),
    "comment": pgettext_lazy("staff", "Commented"),
    "confirm": pgettext_lazy("staff", "Confirmed who is behind it"),
    "confirm_answer": pgettext_lazy("staff", "Confirmed that an answer holds, though the fact has changed"),
    "count": pgettext_lazy("staff", "Wrote down how many there were"),
    "create": pgettext_lazy("staff", "Made"),
    "decide": pgettext_lazy("staff", "Decided what became of an uncertain message"),
    "delete": pgettext_lazy("staff", "Deleted"),
    "describe": pgettext_lazy("staff", "Described it by ABCDE"),
    "describe_speaker": pgettext_lazy("staff", "Changed who speaks"),
    "download": pgettext_lazy("staff", "Downloaded an export"),
    "draft": pgettext_lazy("staff", "Kept a draft"),
    "drop": pgettext_lazy("staff", "Took back what was to be done"),
    "edit": pgettext_lazy("staff", "Changed"),
    "edit_rule": pgettext_lazy("staff", "Changed a reminder"),
    "erase": pgettext_lazy("staff", "Deleted everything about somebody who had registered"),
    "export": pgettext_lazy("staff", "Exported from the register"),
    "export_registrations": pgettext_lazy("staff", "Took out who had registered, as a file"),
    "finish": pgettext_lazy("staff", "Did what was to be done"),
    "handle": pgettext_lazy("staff", "Handled a threat"),
    "hide_recording": pgettext_lazy("staff", "Led readers to a recording no longer"),
    "hide_minutes": pgettext_lazy("staff", "Kept minutes for colleagues only"),
    "import": pgettext_lazy("staff", "Imported"),
    "invite": pgettext_lazy("staff", "Invited"),
    "keep_picture": pgettext_lazy("staff", "Kept a picture"),
    "keep_recording": pgettext_lazy("staff", "Wrote down where a recording is"),
    "lapse": pgettext_lazy("staff", "Let an offer of a seat end, by the clock"),
    "lift": pgettext_lazy("staff", "Let mail go to an address again"),
    "link": pgettext_lazy("staff", "Linked a fact as the answer"),
    "log": pgettext_lazy("staff", "Logged"),
    "look_up": pgettext_lazy("staff", "Looked up why an address gets no mail"),
    "make_report": pgettext_lazy("staff", "Kept a report"),
    "merge": pgettext_lazy("staff", "Found to be the same as another one"),
    "move": pgettext_lazy("staff", "Changed the status"),
    "name_program": pgettext_lazy("staff", "Changed the texts of the program in one language"),
    "note_consents": pgettext_lazy("staff", "Noted who agrees that a recording is shown"),
    "note_safety": pgettext_lazy("staff", "Wrote down what was not safe at a visit"),
    "offer": pgettext_lazy("staff", "Offered a seat, by the clock"),
    "own_reminders": pgettext_lazy("staff", "Gave an event reminders of its own"),
    "pause": pgettext_lazy("staff", "Held mail back"),
    "plan": pgettext_lazy("staff", "Said what is to be done"),
    "point": pgettext_lazy("staff", "Told who had asked of the public answer"),
    "publish_program": pgettext_lazy("staff", "Published the program"),
    "publish_minutes": pgettext_lazy("staff", "Published minutes"),
    "published": pgettext_lazy("staff", "Published a text"),
    "purge": pgettext_lazy("staff", "Deleted what was old, by the clock"),
    "rate": pgettext_lazy("staff", "Gave a verdict"),
    "read": pgettext_lazy("staff", "Read"),
    "read_history": pgettext_lazy("staff", "Looked up which mail an address was sent"),
    "register": pgettext_lazy("staff", "Registered"),
    "regret": pgettext_lazy("staff", "Registered again after canceling"),
    "rejected": pgettext_lazy("staff", "Sent a text back"),
    "relate": pgettext_lazy("staff", "Said whether two rumors belong together"),
    "remove_attachment": pgettext_lazy("staff", "Took a document of an event away"),
    "remove_evidence": pgettext_lazy("staff", "Took back what speaks for or against it"),
    "remove_photo": pgettext_lazy("staff", "Deleted the photo of a speaker"),
    "remove_picture": pgettext_lazy("staff", "Removed a picture"),
    "remove_recording": pgettext_lazy("staff", "Took a recording away"),
    "remove_rule": pgettext_lazy("staff", "Took a reminder away"),
    "renew_link": pgettext_lazy("staff", "Sent a new private link; the old one leads nowhere"),
    "reopen": pgettext_lazy("staff", "Took back what had become of it"),
    "reopen_agreement": pgettext_lazy("staff", "Took back what had become of an agreement"),
    "restrict": pgettext_lazy("staff", "Kept it for the security role"),
    "renew_invitation": pgettext_lazy("staff", "Sent an invitation again, with a new link"),
    "resubscribe": pgettext_lazy("staff", "Asked, as the owner of an address, for mail again"),
    "resume": pgettext_lazy("staff", "Let mail leave again"),
    "revoke_link": pgettext_lazy("staff", "Ended a secret link"),
    "set_password": pgettext_lazy("staff", "Set a password"),
    "set_status": pgettext_lazy("staff", "Changed the status"),
    "settle": pgettext_lazy("staff", "Settled"),
    "settle_agreement": pgettext_lazy("staff", "Said what became of an agreement"),
    "settle_need": pgettext_lazy("staff", "Said how far a need has come"),
    "share_reminders": pgettext_lazy("staff", "Took an event's own reminders away"),
    "show_recording": pgettext_lazy("staff", "Led readers to a recording"),
    "sight": pgettext_lazy("staff", "Added a sighting"),
    "submitted": pgettext_lazy("staff", "Sent a text for approval"),
    "suppress": pgettext_lazy("staff", "Stopped mail to an address"),
    "take_back_comment": pgettext_lazy("staff", "Took back a comment"),
    "take_name_back": pgettext_lazy("staff", "Noted that a speaker may not be named any more"),
    "tell": pgettext_lazy("staff", "Wrote down a narrative"),
    "undo": pgettext_lazy("staff", "Undid a merge"),
    "undo_check_in": pgettext_lazy("staff", "Took a check-in back"),
    "withdraw": pgettext_lazy("staff", "Withdrew a text"),
    "withdraw_invitation": pgettext_lazy("staff", "Withdrew an invitation"),
    "write_minutes": pgettext_lazy("staff", "Wrote minutes"),
    "write_program": pgettext_lazy("staff", "Wrote the program"),
    "write_reminder": pgettext_lazy("staff", "Wrote what a reminder says"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    event: AuditEvent
    deed: str
    thing: str
    """Its kind and number; the number alone says nothing about anybody. Of a list the kind, in the plural."""
    changes: list[tuple[str, str, str]]
    """Field, before and after; both are empty where the text itself is not told."""
    excuse: str = ""
    """What the guard had found, and why it may stand."""


def entries(events: Iterable[AuditEvent]) -> Iterator[Entry]:
    for event in events:
        model = _model(event.kind)
        fields = {name: _field(model, name) for name in event.changes}
        changes = [
            (str(getattr(fields[name], "verbose_name", name)), _word(fields[name], before), _word(fields[name], after))
            for name, (before, after) in event.changes.items()
        ]
        yield Entry(event, str(DEEDS.get(event.verb, event.verb)), _thing(event, model), changes, _excuse(event))


def _thing(event: AuditEvent, model: type[Model] | None) -> str:
    if not event.object_id:
        return str(model._meta.verbose_name_plural if model else event.kind)
    return f"{model._meta.verbose_name if model else event.kind} {event.object_id}"


def _excuse(event: AuditEvent) -> str:
    if not event.excuse:
        return ""
    kinds = ", ".join(str(guard.KINDS[guard.Kind(kind)]) for kind in event.excuse["kinds"])
    words = [str(guard.Ground(event.excuse["ground"]).label), event.excuse["words"]]
    return f"{kinds}: {'. '.join(filter(None, words))}"


def _model(kind: str) -> type[Model] | None:
    """None for a kind that the site had once."""
    try:
        return apps.get_model(kind)
    except LookupError:
        return None


def _field(model: type[Model] | None, name: str) -> Any:
    """The field of the model, or of one that belongs to it: linking an answer is told of the rumor."""
    owners = [model, *(relation.related_model for relation in model._meta.related_objects)] if model else []
    return next((field for owner in owners for field in owner._meta.concrete_fields if field.name == name), None)


def _word(field: Any, value: Any) -> str:
    """The word that people know for a code."""
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    if isinstance(value, bool):
        return pgettext("staff", "yes") if value else pgettext("staff", "no")
    labels = dict(getattr(field, "flatchoices", ()))
    return str(labels.get(value, "" if value is None else value))
