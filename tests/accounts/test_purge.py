from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from portal.pages import actions
from tests.accounts import people

pytestmark = pytest.mark.django_db


def test_the_purge_removes_sessions_that_have_run_out_and_signs_nobody_out():
    here, gone = people.sign_in(people.person("editor")), people.sign_in(people.person("editor"))
    Session.objects.filter(pk=gone.session.session_key).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert actions.purge(now=timezone.now()).counts["sessions"] == 1
    assert here.get("/staff/").status_code == 200
    assert [session.pk for session in Session.objects.all()] == [here.session.session_key]
