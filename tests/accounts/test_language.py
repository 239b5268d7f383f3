import pytest
from django.urls import reverse

from portal.accounts.models import Role
from tests.accounts.people import browser, person, sign_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("accepts", "expected"),
    [
        ("en-GB,en;q=0.9", "en"),
        ("ar,en;q=0.5", "en"),
        ("sv-FI,en", "sv"),
        ("ar,so", "sv"),
        ("", "sv"),
        ("%%;q=x", "sv"),
    ],
)
def test_before_sign_in_the_browser_chooses_among_the_two_staff_languages(accepts, expected):
    response = browser().get(reverse("account_login"), headers={"accept-language": accepts})

    assert response.headers["Content-Language"] == expected
    assert f'<html lang="{expected}"' in response.content.decode()


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("path", ["/staff/", "/admin/"])
def test_after_it_the_person_does_whatever_the_browser_says(language, path):
    client = sign_in(person(Role.ADMIN, language=language))

    other = "en" if language == "sv" else "sv"
    response = client.get(path, headers={"accept-language": other})

    assert response.status_code == 200
    assert response.headers["Content-Language"] == language
