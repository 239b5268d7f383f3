"""What readers have seen until now becomes the first version of each program, names and all, as they stood there; times
become those of the clock in Stockholm. Lines that overlap, which nobody refused before, follow each other in the draft.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import migrations
from django.utils import timezone

from portal import languages

STOCKHOLM = ZoneInfo("Europe/Stockholm")
LAST_MINUTE = time(23, 59)
A_DAY = date(2000, 1, 1)


def forward(apps, schema_editor):
    for event in apps.get_model("events", "Event").objects.filter(program__isnull=False).distinct():
        lines, texts, speakers = [], {}, set()
        first_day = event.starts_at.astimezone(STOCKHOLM).date()
        written = []
        for item in event.program.order_by("starts_at", "pk").prefetch_related("speakers"):
            starts, ends = item.starts_at.astimezone(STOCKHOLM), item.ends_at.astimezone(STOCKHOLM)
            item.day = min(max((starts.date() - first_day).days + 1, 1), 30)
            item.starts = starts.time().replace(second=0, microsecond=0)
            item.ends = ends.time().replace(second=0, microsecond=0) if ends.date() == starts.date() else LAST_MINUTE
            written.append(item)
            there = list(item.speakers.order_by("name", "pk"))
            speakers.update(there)
            lines.append(
                {
                    "id": item.pk,
                    "day": item.day,
                    "starts": f"{starts:%H:%M}",
                    "ends": f"{ends:%H:%M}",
                    "is_break": item.is_break,
                    "speakers": [
                        {
                            "id": speaker.pk,
                            "name": speaker.name,
                            "title": speaker.title,
                            "organization": speaker.organization,
                            "is_moderator": False,
                            "photo": None,
                        }
                        for speaker in there
                    ],
                }
            )
            for code in languages.CATALOG:
                if title := getattr(item, languages.suffixed("title", code)):
                    texts.setdefault(code, {})[str(item.pk)] = {"title": title, "abstract": ""}
        version = apps.get_model("programs", "ProgramVersion").objects.create(
            event=event, number=1, published_at=timezone.now(), lines=lines, texts=texts
        )
        version.speakers.set(speakers)
        _straighten(written)


def _straighten(items):
    free_from = {}
    for item in sorted(items, key=lambda each: (each.day, each.starts, each.pk)):
        item.starts = max(item.starts, free_from.get(item.day, time.min))
        if item.ends <= item.starts:
            item.ends = (datetime.combine(A_DAY, item.starts) + timedelta(minutes=1)).time()
        free_from[item.day] = item.ends
        item.save(update_fields=["day", "starts", "ends"])


class Migration(migrations.Migration):
    dependencies = [
        ("programs", "0002_clock_times_speakers_and_versions"),
        ("events", "0006_nouns_move_out"),
    ]

    operations = [
        migrations.RunPython(forward, migrations.RunPython.noop),
    ]
