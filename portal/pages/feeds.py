"""What machines read: Atom, sitemap, robots.txt, security.txt. The search index knows every published page."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.translation import get_language, pgettext
from django.views.decorators.http import require_safe

from events.models import Event
from portal import contacts, languages
from portal.pages.models import Page
from portal.public import absolute, alternates, in_language, public
from portal.revisions.glossary.models import Wording
from portal.search.models import IndexRow

NEWEST: Final = 30
_NOT_IN_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STANDING: Final = (
    "front",
    "parents",
    "children",
    "embassies",
    "rumors",
    "events",
    "tell_us",
)


class Feed(Atom1Feed):
    """Atom whose entries name their language, which need not be that of the feed."""

    def item_attributes(self, item: Mapping[str, Any]) -> dict[str, str]:
        return {"xml:lang": item["language"]}


@require_safe
@public(stale_if_error=False)
def feed(request: HttpRequest) -> HttpResponse:
    """Atom: new and changed facts, rebuttals and events for readers of one language, newest first."""
    language = languages.get(get_language() or languages.SOURCE)
    atom = Feed(
        title=f"{settings.SITE_NAME} – {settings.MUNICIPALITY}",
        link=absolute(reverse("front")),
        description=pgettext("feed", "New and changed facts, answers and events"),
        language=language.tag,
        feed_url=absolute(request.path),
        author_name=settings.MUNICIPALITY,
    )
    rows = list(IndexRow.objects.read_in(language.code).order_by("-updated_at")[:NEWEST])
    events = [row.object_id for row in rows if row.kind == "event"]
    canceled = set(Event.objects.canceled().filter(pk__in=events).values_list("pk", flat=True))
    for row in rows:
        url = absolute(in_language(row.url, language.code))
        title = contacts.expand(row.title)
        if row.kind == "event" and row.object_id in canceled:
            title = pgettext("mail", "Canceled: %(title)s") % {"title": title}
        atom.add_item(
            title=_NOT_IN_XML.sub(" ", title),
            link=url,
            # Django says that it is HTML.
            description=escape(_NOT_IN_XML.sub(" ", contacts.expand(row.text)[:300])),
            unique_id=url,
            updateddate=row.updated_at,
            language=languages.get(row.language).tag,
        )
    response = HttpResponse(content_type="application/atom+xml; charset=utf-8")
    atom.write(response, "utf-8")
    return response


@require_safe
@public()
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every published page with its other languages; standing pages exist in all active ones."""
    active = {language.code: language for language in languages.ACTIVE}
    pages = [_versions(reverse(name), dict.fromkeys(active)) for name in STANDING]
    for page in Page.objects.published():
        codes = [code for code in active if getattr(page, languages.suffixed("title", code))]
        pages.append(_versions(reverse(page.key), dict.fromkeys(codes)))
    shown = Wording.objects.shown().codes()
    pages.append(_versions(reverse("words"), dict.fromkeys(code for code in active if code in shown)))
    rows = (
        IndexRow.objects.filter(language__in=active)
        .order_by("kind", "object_id", "language")
        .values_list("kind", "object_id", "language", "url", "updated_at")
    )
    for _key, group in groupby(rows, key=lambda row: row[:2]):
        versions = list(group)
        pages.append(_versions(versions[0][3], {code: at for _kind, _pk, code, _url, at in versions}))
    return render(request, "pages/sitemap.xml", {"pages": pages}, content_type="application/xml; charset=utf-8")


def _versions(path: str, changed: Mapping[str, datetime | None]) -> dict[str, Any]:
    """One page in its languages, as the page itself names them; `changed` by language."""
    return {
        "alternates": alternates(path, changed.keys()),
        "rows": [(absolute(in_language(path, code)), at) for code, at in changed.items()],
    }


@require_safe
@public()
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", "Disallow: /staff/", "Disallow: /admin/", f"Sitemap: {absolute('/sitemap.xml')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
@public()
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116. Expires is always half a year away: whoever runs the site reads the contact's mail."""
    expires = (timezone.now() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires}",
        "Preferred-Languages: sv, en",
        f"Canonical: {absolute('/.well-known/security.txt')}",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
