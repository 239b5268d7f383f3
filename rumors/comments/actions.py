from uuid import UUID

from django.db import transaction

from portal.accounts.models import User
from portal.audit import actions as audit
from rumors import actions as rumors
from rumors.comments.models import Comment
from rumors.models import Rumor


@transaction.atomic
def comment(rumor: Rumor, *, text: str, form_id: UUID, by: User) -> Comment:
    """Who comments on it follows it from now on. The same form sent twice is one comment."""
    held = rumors.locked(rumor)
    made: Comment
    made, is_new = Comment.objects.get_or_create(
        form_id=form_id, defaults={"rumor": held, "text": text, "written_by": by}
    )
    if is_new:
        held.watchers.add(by)
        audit.record("comment", held, by=by)
    return made


@transaction.atomic
def take_back(made: Comment, *, by: User) -> None:
    """By whom it was written; a second time changes nothing."""
    count, _per_model = Comment.objects.filter(pk=made.pk, written_by=by).delete()
    if count:
        audit.record("take_back_comment", made.rumor, by=by)
