from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from portal.accounts.models import User
from portal.audit import actions as audit
from portal.reports import rules
from portal.reports.models import Report, digest_of


def counted(*, scope: str, first: date, last: date) -> Report:
    """What there is to tell of the period now; it is not kept."""
    as_of = timezone.now()
    report = Report(scope=scope, first=first, last=last, as_of=as_of, counting=Report.COUNTING)
    report.numbers = rules.count(rules.Period(first, last, as_of), scope)
    return report


@transaction.atomic
def keep(*, scope: str, first: date, last: date, by: User, form_id: UUID, name: str = "") -> Report:
    """Count now and keep the numbers for good; what is there already when the same form comes again."""
    # One that is sent twice at once waits here until the first has committed.
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
    sent_before: Report | None = Report.objects.filter(made_by=by, form_id=form_id).first()
    if sent_before:
        return sent_before
    report = counted(scope=scope, first=first, last=last)
    report.name, report.made_by, report.form_id = name, by, form_id
    report.digest = digest_of(report.content)
    report.save()
    audit.record("make_report", report, by=by, note=f"{scope} {first} {last}")
    return report
