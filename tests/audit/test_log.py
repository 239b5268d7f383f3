from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from portal.audit import actions
from portal.audit.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    actions.record("edit", factories.topic(), by=None, changes={"name": ("a", "b")})
    return AuditEvent.objects.get(verb="edit")


def test_the_database_refuses_to_change_or_delete_a_line(event):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.filter(pk=event.pk).update(verb="nothing")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        event.delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER audit_refuse_truncate")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute("TRUNCATE audit_auditevent")
    assert AuditEvent.objects.filter(pk=event.pk, verb="edit").exists()


def test_a_session_cannot_talk_its_way_past_the_trigger(event):
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        cursor.execute(
            """DO $$ BEGIN
            DELETE FROM audit_auditevent; -- PL/pgSQL function audit_purge(timestamp with time zone)
            END $$"""
        )
    assert AuditEvent.objects.exists()


def test_the_purge_takes_only_what_is_too_old(event):
    assert actions.purge(now=event.at + AuditEvent.KEEP) == 0
    assert AuditEvent.objects.exists()
    assert actions.purge(now=event.at + AuditEvent.KEEP + timedelta(seconds=1)) == 1
    assert not AuditEvent.objects.exists()


def test_who_is_kept_and_the_clock_is_nobody():
    topic, person = factories.topic(), factories.user()
    actions.record("edit", topic, by=person)
    actions.record("purge", topic, by=None)
    assert set(AuditEvent.objects.about(topic).values_list("verb", "by_id")) == {("edit", person.pk), ("purge", None)}
