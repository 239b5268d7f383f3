"""What a view of the app above answers with, once it has seen who asks: the picture itself, or its small copy."""

import re
from typing import Final

import structlog
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import pgettext

from portal.pictures import storage
from portal.pictures.models import Picture
from portal.public import explained

log = structlog.get_logger(__name__)

HEADERS: Final = {
    # Even if somebody manages to have it taken for a page: nothing in it runs, and it belongs to no site.
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_NEUTRAL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


def served(picture: Picture, *, filename: str = "") -> HttpResponseBase:
    """To download, as `filename`, such as the number of the rumor, with the ending that fits."""
    return _answer(picture, "", filename, as_attachment=True)


def preview(picture: Picture, *, filename: str = "") -> HttpResponseBase:
    """The small copy, to be shown in a page."""
    return _answer(picture, storage.PREVIEW, filename, as_attachment=False)


def _answer(picture: Picture, suffix: str, filename: str, *, as_attachment: bool) -> HttpResponseBase:
    try:
        file = storage.read(picture.name, suffix)
    except OSError as error:
        log.error("picture_file_unreadable", picture=picture.pk, error=type(error).__name__)
        return _lost()
    name = filename if _NEUTRAL.fullmatch(filename) else "picture"
    return FileResponse(
        file,
        as_attachment=as_attachment,
        filename=f"{name}.{picture.extension}",
        content_type=picture.media_type,
        headers=HEADERS,
    )


def _lost() -> HttpResponse:
    return explained(
        HttpResponse(status=404),
        title=pgettext("staff", "The picture is not there any more"),
        because=pgettext(
            "staff",
            "Its file is gone, or cannot be read. Tell those who run this site: a backup may have it.",
        ),
    )
