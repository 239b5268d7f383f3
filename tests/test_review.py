"""What a hostile review found once, so that it does not come back."""

import os
import subprocess
import sys

import pytest
from django.test import Client
from django.utils import timezone

from events.forms import EventForm
from rumors import actions as rumors
from rumors.models import Sighting
from tests import factories


@pytest.mark.django_db
def test_the_district_of_a_secret_rumor_is_not_offered_to_others():
    for sensitivity, area in (("secret", "Hemligt"), ("internal", "Norr")):
        rumors.log(
            claim="Påståendet att X",
            channel="tiktok",
            area=area,
            seen_on=timezone.localdate(),
            sensitivity=sensitivity,
            by=factories.user(),
        )
    assert list(Sighting.objects.areas()) == ["Norr"]


@pytest.mark.django_db
@pytest.mark.parametrize("year", ["0001", "1999", "2101", "9999"])
def test_an_event_lies_in_years_that_calendars_can_write(year):
    form = EventForm(
        {"kind": "seminar", "slug": "a", "starts_at": f"{year}-05-05T08:00", "ends_at": f"{year}-05-05T09:00"}
    )
    assert "starts_at" in form.errors


def test_demo_mode_does_not_start_on_a_public_address():
    environment = os.environ | {"KLARLAGT_DEMO": "1", "PUBLIC_URL": "https://fakta.example.se"}
    result = subprocess.run(
        [sys.executable, "-c", "import portal.settings"], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "KLARLAGT_DEMO" in result.stderr


def test_an_error_page_stands_without_the_list_of_static_files(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    response = Client().get("/sv/nope/")
    assert response.status_code == 404
    assert "116 111" in response.content.decode()
