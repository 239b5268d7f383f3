"""What the records of mail servers tell. `postfix.log` was written by a Postfix 3.7 to which all of this happened."""

import gzip
import os
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.utils import timezone

from portal.mail import ledger
from portal.mail.ledger import Fate

REAL = (Path(__file__).parent / "postfix.log").read_text()
FENCE = datetime(2026, 11, 29, 21, 54, tzinfo=UTC)
"""22:54 in Stockholm, in whose time the log was written."""
OURS = "<ours@klarlagt.example>"
HOURS = timedelta(hours=1)


@pytest.fixture
def log(tmp_path):
    class Log:
        path = tmp_path / "mail.log"

        def write(self, *lines, name="mail.log", at=None):
            """`at`: when the file was last written to; when its last line says, if nothing is said."""
            path = tmp_path / name
            text = "".join(lines).encode()
            path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
            if at:
                os.utime(path, (at.timestamp(), at.timestamp()))

        def fate(self, message_id=OURS, fenced_at=FENCE):
            return ledger.PostfixLog(self.path).fates({message_id: fenced_at})[message_id]

    return Log()


def full(moment, text="other[1]: nothing"):
    return f"{moment.isoformat()} mail {text}\n"


def syslog(moment, text="other[1]: nothing"):
    local = timezone.localtime(moment)
    return f"{local:%b} {local.day:2} {local:%H:%M:%S} mail {text}\n"


def talk(*texts, at=FENCE, line=full):
    return [line(at, f"postfix/{text}") for text in texts]


NAMED = ("smtpd[7]: A1: client=x[::1]", f"cleanup[8]: A1: message-id={OURS}")
TAKEN = (*NAMED, "qmgr[9]: A1: from=<n@x.se>, size=9, nrcpt=1 (queue active)")
CUT = "smtpd[7]: lost connection after DATA (102 bytes) from x[::1]"


def around(*middle, line=full, before=3 * HOURS, after=HOURS):
    """A log from well before the fence to well after it, and when it was written."""
    return [line(FENCE - before), *middle, line(FENCE + after)], FENCE + after


# Postfix ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("taken", Fate.TAKEN),
        ("long", Fate.TAKEN),  # with long queue ids
        ("dot-and-gone", Fate.TAKEN),  # the answer never reached us
        ("cut-in-data", Fate.ABSENT),
        ("cut-early", Fate.ABSENT),  # smtpd says so before cleanup names it
        ("slept", Fate.ABSENT),  # timeout
        ("never", Fate.REFUSED),
        ("later", Fate.ABSENT),  # refused for now
        ("held", Fate.UNKNOWN),  # an administrator looks at it
        ("refused", Fate.ABSENT),  # before its name was read, which nobody can see
        ("nobody-saw-it", Fate.ABSENT),
    ],
)
def test_what_a_real_postfix_says(log, name, fate):
    log.write(syslog(FENCE - 3 * HOURS), REAL, *(lines := around(line=syslog))[0][1:], at=lines[1])
    assert log.fate(f"<{name}@klarlagt.example>") == fate


def test_all_is_known_in_one_reading(log):
    log.write(syslog(FENCE - 3 * HOURS), REAL, syslog(FENCE + HOURS), at=FENCE + HOURS)
    fenced = {f"<{name}@klarlagt.example>": FENCE for name in ("taken", "never", "cut-early")}
    assert list(ledger.PostfixLog(log.path).fates(fenced).values()) == [Fate.TAKEN, Fate.REFUSED, Fate.ABSENT]


@pytest.mark.parametrize("line", [full, syslog])
@pytest.mark.parametrize(
    ("texts", "fate"),
    [
        (TAKEN, Fate.TAKEN),
        (NAMED, Fate.UNKNOWN),  # it may wait for the queue manager
        ((*NAMED, CUT), Fate.ABSENT),
        ((*NAMED, CUT, *TAKEN), Fate.TAKEN),  # the second attempt
        ((*TAKEN, *NAMED, CUT), Fate.TAKEN),  # a copy has arrived whatever became of the second
        ((*NAMED, CUT, *NAMED), Fate.UNKNOWN),
        ((*NAMED, "smtpd[6]: lost connection after DATA (1 bytes) from y"), Fate.UNKNOWN),  # another process
        ((*NAMED, "cleanup[8]: A1: milter-reject: END-OF-MESSAGE from x: 5.7.1 spam; from=<n>"), Fate.REFUSED),
        ((*NAMED, "cleanup[8]: A1: milter-reject: END-OF-MESSAGE from x: 4.7.1 later; from=<n>"), Fate.ABSENT),
        ((*NAMED, "smtpd[7]: A1: reject: END-OF-MESSAGE from x: 554 5.7.1 <END>: no"), Fate.REFUSED),
        # The queue id is used again, by a message of somebody else.
        ((*NAMED, CUT, "cleanup[8]: A1: message-id=<x@y>", TAKEN[-1]), Fate.ABSENT),
        ((*NAMED, "pickup[5]: A1: uid=0", "cleanup[8]: A1: message-id=<x@y>", TAKEN[-1]), Fate.UNKNOWN),
        # A stranger who says what the queue manager would say.
        ((*NAMED, "smtpd[4]: A1: warning: x/qmgr[9]: A1: from=<n@x.se> (queue active)"), Fate.UNKNOWN),
        (("postscreen[3]: A1: message-id=" + OURS, TAKEN[-1]), Fate.ABSENT),
    ],
)
def test_a_message_is_taken_when_the_queue_manager_has_it(log, texts, fate, line):
    lines, at = around(*talk(*texts, line=line), line=line)
    log.write(*lines, at=at)
    assert log.fate() == fate


@pytest.mark.parametrize(
    ("before", "after", "fate"),
    [
        (3 * HOURS, HOURS, Fate.ABSENT),
        (2 * HOURS, timedelta(minutes=15), Fate.ABSENT),
        (timedelta(minutes=119), HOURS, Fate.UNKNOWN),  # rotated away
        (3 * HOURS, timedelta(minutes=14), Fate.UNKNOWN),  # not yet written, or still on its way
        (-timedelta(minutes=20), HOURS, Fate.UNKNOWN),
    ],
)
@pytest.mark.parametrize("middle", [(), (*NAMED, CUT)])
def test_absence_is_believed_only_of_a_log_that_reaches_from_before_to_well_after(log, before, after, fate, middle):
    lines, at = around(*talk(*middle), before=before, after=after)
    log.write(*lines, at=at)
    assert log.fate() == fate


@pytest.mark.parametrize("line", [full, syslog])
def test_what_was_rotated_away_is_read_too_oldest_first(log, line):
    log.write(line(FENCE - 60 * HOURS), at=FENCE - 30 * HOURS, name="mail.log.3.gz")
    log.write(line(FENCE - 30 * HOURS), *talk(*NAMED, at=FENCE, line=line), at=FENCE, name="mail.log.2.gz")
    log.write(*talk(TAKEN[-1], line=line), at=FENCE + HOURS / 60, name="mail.log.1")
    log.write(line(FENCE + HOURS), at=FENCE + HOURS)
    assert log.fate() == Fate.TAKEN
    assert log.fate("<other@klarlagt.example>") == Fate.ABSENT


def test_a_quiet_server_may_have_begun_its_log_just_before(log):
    log.write(full(FENCE - 30 * HOURS), full(FENCE - 5 * HOURS), at=FENCE - 5 * HOURS, name="mail.log.1")
    log.write(full(FENCE - HOURS), full(FENCE + HOURS), at=FENCE + HOURS)
    assert log.fate() == Fate.ABSENT


def test_a_log_that_was_rotated_a_moment_ago_is_the_one_before(log):
    lines, at = around()
    log.write(*lines, at=at, name="mail.log-20261129")
    log.write("", at=at + HOURS)
    assert log.fate() == Fate.ABSENT


@pytest.mark.parametrize("name", ["mail.log.bak", "mail.logs", "xmail.log.1", "mail.log.1.xz"])
def test_other_files_prove_nothing(log, name):
    log.write(full(FENCE - 60 * HOURS), at=FENCE - 50 * HOURS, name=name)
    lines, at = around(before=HOURS)
    log.write(*lines, at=at)
    assert log.fate() == Fate.UNKNOWN


def test_logs_that_are_rotated_while_they_are_read_prove_nothing(log, monkeypatch):
    lines, at = around()
    log.write(*lines, at=at)
    read = ledger._lines

    def rotating(path):
        yield from read(path)
        log.path.rename(log.path.with_suffix(".log.1"))
        log.write("", at=at)

    monkeypatch.setattr(ledger, "_lines", rotating)
    assert log.fate() == Fate.UNKNOWN


def test_half_a_last_line_is_left_for_the_next_time(log):
    lines, at = around(*talk(*TAKEN[:2]), after=timedelta(minutes=1))
    whole = talk(TAKEN[-1])[0]
    log.write(*lines, whole.rstrip("\n"), at=at)
    assert log.fate() == Fate.UNKNOWN
    log.write(*lines, whole, at=at)
    assert log.fate() == Fate.TAKEN


def test_a_clock_in_another_zone_proves_nothing(log):
    lines, at = around(line=syslog)
    log.write(*lines, at=at + HOURS)
    assert log.fate() == Fate.UNKNOWN
    log.write(*lines, at=at + timedelta(minutes=4))
    assert log.fate() == Fate.ABSENT


def test_a_year_is_found_where_none_is_written(log):
    midnight = datetime(2027, 1, 1, 0, 5, tzinfo=timezone.get_default_timezone())
    lines = [syslog(midnight - 5 * HOURS), syslog(midnight), syslog(midnight + HOURS)]
    assert [line[:6] for line in lines] == ["Dec 31", "Jan  1", "Jan  1"]
    log.write(*lines, at=midnight + HOURS)
    assert log.fate(fenced_at=midnight - HOURS) == Fate.ABSENT
    assert log.fate(fenced_at=midnight - 4 * HOURS) == Fate.UNKNOWN
    # Nobody has written to it for a year.
    log.write(*lines, at=midnight + 366 * 24 * HOURS)
    assert log.fate(fenced_at=midnight - HOURS) == Fate.UNKNOWN


def test_the_29th_of_february_is_a_day_of_its_year(log):
    day = datetime(2028, 2, 29, 12, tzinfo=UTC)
    log.write(syslog(day - 3 * HOURS), syslog(day + HOURS), at=day + HOURS)
    assert log.fate(fenced_at=day) == Fate.ABSENT
    log.write("Feb 29 10:00:00 mail x\n", syslog(day + 360 * 24 * HOURS), at=day + 360 * 24 * HOURS)
    assert log.fate(fenced_at=day + 359 * 24 * HOURS) == Fate.ABSENT
    log.write("Feb 30 10:00:00 mail x\nnothing of a log\n", at=day)
    assert log.fate(fenced_at=day) == Fate.UNKNOWN


def test_the_hour_that_comes_twice_is_not_believed(log):
    """At 3 o'clock summer time it is 2 again: half past two stands for two moments, an hour apart."""
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    log.write(syslog(second - 5 * HOURS), syslog(second), at=second)
    assert log.fate(fenced_at=second - HOURS / 2) == Fate.UNKNOWN
    log.write(syslog(second - 5 * HOURS), syslog(second + HOURS), at=second + HOURS)
    assert log.fate(fenced_at=second) == Fate.ABSENT


@pytest.mark.parametrize("make", ["nothing", "folder", "damaged"])
def test_a_log_that_cannot_be_read_says_so(log, make):
    if make == "folder":
        log.path.mkdir()
    elif make == "damaged":
        log.write(full(FENCE), name="mail.log.1.gz")
        (damaged := log.path.with_name("mail.log.1.gz")).write_bytes(damaged.read_bytes()[:-9])
    else:
        log.path = log.path.with_name("nowhere") / "mail.log"
    with pytest.raises(ledger.UnreadableError):
        log.fate()


def test_a_folder_without_the_log_knows_nothing(log):
    assert log.fate() == Fate.UNKNOWN


# A journal ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path):
    for name in ("new", "cur", "tmp"):
        (tmp_path / "journal" / name).mkdir(parents=True)

    def put(at, message_id="<other@x.se>"):
        letter = EmailMessage()
        letter["Message-ID"] = message_id
        path = tmp_path / "journal" / "new" / f"{at.timestamp():.0f}.{message_id.strip('<>')}"
        path.write_bytes(letter.as_bytes())
        os.utime(path, (at.timestamp(), at.timestamp()))

    put.url = f"maildir:{tmp_path}/journal"
    return put


@pytest.mark.parametrize(
    ("copies", "fate"),
    [
        ([(timedelta(minutes=1), OURS)], Fate.TAKEN),
        ([(9 * HOURS, OURS)], Fate.TAKEN),
        ([], Fate.UNKNOWN),
        ([(-3 * HOURS, "<a@x.se>"), (7 * HOURS, "<b@x.se>")], Fate.ABSENT),
        ([(-3 * HOURS, "<a@x.se>"), (5 * HOURS, "<b@x.se>")], Fate.UNKNOWN),  # the copy may be on its way
        ([(-HOURS, "<a@x.se>"), (7 * HOURS, "<b@x.se>")], Fate.UNKNOWN),
    ],
)
def test_a_journal_holds_what_was_taken(journal, settings, copies, fate):
    for after, message_id in copies:
        journal(FENCE + after, message_id)
    settings.MAIL_LEDGER = f"journal:{journal.url}"
    assert ledger.configured().fates({OURS: FENCE}) == {OURS: fate}


def test_a_journal_that_cannot_be_read_says_so(tmp_path, settings):
    settings.MAIL_LEDGER = f"journal:maildir:{tmp_path}/nowhere"
    with pytest.raises(ledger.UnreadableError):
        ledger.configured().fates({OURS: FENCE})
