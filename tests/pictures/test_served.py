"""How a picture leaves: through a view of the app above, as in the site with all that stands around it."""

import re
from pathlib import Path

import pytest
from django.shortcuts import get_object_or_404
from django.urls import path

from portal.http import staff
from portal.pictures import actions, views
from portal.pictures.models import Picture
from portal.urls import urlpatterns as whole_site
from tests.accounts.people import sign_in
from tests.pictures import images
from tests.pictures.conftest import sent


@staff("staff.home")
def download(request, pk):
    return views.served(get_object_or_404(Picture, pk=pk), filename=request.GET.get("name", "R-2026-0042"))


@staff("staff.home")
def small(request, pk):
    return views.preview(get_object_or_404(Picture, pk=pk), filename="R-2026-0042")


urlpatterns = [
    path("staff/tests/pictures/<int:pk>/", download),
    path("staff/tests/pictures/<int:pk>/preview/", small),
    *whole_site,
]
VIEWS = ["", "preview/"]


@pytest.fixture(autouse=True)
def _with_views(settings):
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def client(reporter):
    return sign_in(reporter)


def address(picture, view=""):
    return f"/staff/tests/pictures/{picture.pk}/{view}"


@pytest.mark.parametrize("view", VIEWS)
def test_whatever_a_browser_takes_it_for_nothing_in_it_runs(client, picture, view):
    response = client.get(address(picture, view))
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert int(response.headers["Content-Length"]) == len(b"".join(response))


def test_the_picture_is_a_download_with_a_neutral_name(client, picture):
    response = client.get(address(picture))
    assert response.headers["Content-Disposition"] == 'attachment; filename="R-2026-0042.png"'
    assert response.streaming
    content = b"".join(response)
    assert images.opened(content).size == (picture.width, picture.height)
    assert len(content) == picture.bytes


def test_the_small_copy_is_shown_in_the_page(client, reporter):
    large = actions.keep(sent(images.file_of(images.photograph((1500, 900)), "JPEG")), by=reporter)
    response = client.get(address(large, "preview/"))
    assert response.headers["Content-Disposition"] == 'inline; filename="R-2026-0042.jpg"'
    content = b"".join(response)
    assert images.opened(content).size == (480, 288)
    assert len(content) < large.bytes / 2


@pytest.mark.parametrize("name", ["", "../x", 'a"; x="', "å.html", "a\r\nSet-Cookie: x", ".htaccess", "x" * 99])
def test_a_name_that_is_not_neutral_is_left_out(client, picture, name):
    response = client.get(address(picture), {"name": name})
    response.close()
    assert response.headers["Content-Disposition"] == 'attachment; filename="picture.png"'


@pytest.mark.parametrize("view", VIEWS)
def test_a_head_request_gets_the_headers(client, picture, view):
    response = client.head(address(picture, view))
    response.close()
    assert response.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("accident", ["gone", "folder", "link"])
def test_a_file_that_is_not_there_has_a_page_that_says_so(client, picture, files, view, accident, tmp_path):
    for file in files():
        file.unlink()
        if accident == "folder":
            file.mkdir()
        elif accident == "link":
            file.symlink_to("/etc/hostname")
    response = client.get(address(picture, view))
    html = response.content.decode()
    assert response.status_code == 404
    assert "Bilden finns inte kvar" in html
    assert Path("/etc/hostname").read_text().strip() not in re.sub(r"localhost|testserver", "", html)
    assert picture.name not in html
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("view", VIEWS)
def test_a_stranger_gets_no_byte(picture, view, client):
    client.logout()
    assert "/staff/login/" in client.get(address(picture, view)).headers["Location"]
