"""Who may open what: every address, by role. An address without a row fails."""

from datetime import time
from uuid import uuid4

import pytest
from django.urls import get_resolver, reverse
from django.utils import timezone

from events import actions as events
from events.agreements import actions as agreements
from events.attachments import actions as attachments
from events.invitations import actions as invitations
from events.programs import actions as programs
from events.programs.models import Speaker
from events.recordings import actions as recordings
from events.registrations.models import Need, Registration
from events.registrations.rules import CHECK_IN
from events.reminders import actions as reminders
from events.series import actions as series
from portal import secret_links
from portal.accounts.models import Role, User
from portal.audit.models import AuditEvent
from portal.facts.links.models import CheckedLink
from portal.facts.readings import actions as readings
from portal.mail.models import Reason, Suppression
from portal.pages.models import Page
from portal.pictures import actions as pictures
from portal.questions import actions as questions
from portal.questions.models import Door
from portal.reports import actions as reports
from portal.revisions import actions as revisions
from portal.revisions.readers import actions as readers
from rumors import actions as rumors
from rumors.comments import actions as comments
from rumors.evidence import actions as evidence
from rumors.lists import actions as lists
from rumors.models import Narrative
from rumors.pairs import actions as pairs
from rumors.responses import actions as responses
from tests import factories
from tests.accounts.people import browser, person, sign_in
from tests.actors import conftest as actors
from tests.attachments.conftest import pdf
from tests.attachments.pdfs import tagged
from tests.outreach.conftest import visit
from tests.pictures.conftest import sent
from tests.pictures.images import file_of, screenshot

R = Role
ALL = frozenset(Role)
PUBLIC = "public"
OWN = "own"  # allauth's own pages: their rules are tested in tests/accounts
WRITERS = {R.EDITOR}
EXPORTERS = {R.EDITOR, R.SECURITY, R.MANAGER, R.AUDITOR}
LOGGERS = {R.REPORTER, R.EDITOR, R.EVENTS, R.SECURITY}


def words(text: str) -> list[str]:
    return text.split()


TABLE = {
    # everybody
    **dict.fromkeys(
        words("""
        root sitemap robots security_txt healthz readyz short unsubscribe front search feed accessibility
        privacy preview parents children embassies fact handout card tell_us told_answer rumors rumor rumor_card events
        events_ics speaker_photo attachment
        handouts print packs pack pack_pdf pack_zip follow followed following event_ics event register
        registered registration invitation find_registration feedback feedback_thanks openapi-json api-root
        list_languages list_facts get_fact
        list_rebuttals list_events helpful helped words reader_check
        """),
        PUBLIC,
    ),
    **dict.fromkeys(
        words("""
        account_login account_logout account_inactive account_reauthenticate profile account_change_password
        account_set_password account_reset_password account_reset_password_done
        account_reset_password_from_key_done account_reset_password_from_key mfa_index mfa_authenticate
        mfa_reauthenticate mfa_activate_totp mfa_deactivate_totp mfa_view_recovery_codes
        mfa_generate_recovery_codes mfa_download_recovery_codes mfa_list_webauthn mfa_add_webauthn
        mfa_login_webauthn mfa_reauthenticate_webauthn mfa_edit_webauthn mfa_remove_webauthn
        socialaccount_login_cancelled socialaccount_login_error openid_connect_login openid_connect_callback
        """),
        OWN,
    ),
    # off unless a setting is on
    "metrics": frozenset(),
    "mailbox": frozenset(),
    "mailbox_message": frozenset(),
    "machine_translate": frozenset(),
    # staff
    "staff": ALL,
    "staff_contacts": {R.EDITOR, R.ADMIN},
    "staff_page": ALL,
    "purges": {R.AUDITOR, R.ADMIN},
    "text": {R.EDITOR},
    "writing": {R.EDITOR},
    "text_history": ALL,
    "assign": {R.EDITOR, R.APPROVER},
    "renew": {R.EDITOR, R.TRANSLATOR},
    "withdraw": {R.APPROVER},
    "translations": ALL,
    "compare": ALL,
    "revision": ALL,
    "comment_revision": ALL,
    "schedule_revision": {R.APPROVER},
    "unschedule": {R.APPROVER},
    "move_revision": {R.APPROVER},
    "exchange": {R.EDITOR, R.TRANSLATOR, R.EVENTS},
    "exchange_bundle": {R.EDITOR, R.TRANSLATOR, R.EVENTS},
    "exchange_text": {R.EDITOR, R.TRANSLATOR},
    "exchange_upload": {R.EDITOR, R.TRANSLATOR, R.EVENTS},
    "revision_readers": ALL,
    "revoke_reader": {R.EDITOR, R.TRANSLATOR, R.APPROVER},
    "staff_facts": ALL,
    "new_fact": {R.EDITOR},
    "export_facts": {R.EDITOR},
    "staff_topics": ALL,
    "new_topic": {R.EDITOR},
    "staff_topic": {R.EDITOR},
    "staff_fact": ALL,
    "edit_fact": {R.EDITOR},
    "confirm_fact": {R.EDITOR},
    "matrix": ALL,
    "library": ALL,
    "forget_comment": {R.EDITOR, R.APPROVER},
    "staff_words": ALL,
    "print_words": ALL,
    "staff_word": ALL,
    "wording": ALL,
    "new_word": {R.EDITOR},
    "edit_word": {R.EDITOR},
    "delete_word": {R.EDITOR},
    "approve_wording": {R.APPROVER},
    "staff_packs": ALL,
    "new_pack": {R.EDITOR, R.APPROVER},
    "staff_links": ALL,
    "check_link_again": {R.EDITOR},
    "staff_questions": ALL,
    "ask_missed": {R.EDITOR, R.REPORTER, R.EVENTS},
    "staff_question": ALL,
    "missing_facts": ALL,
    "settle_question": {R.EDITOR, R.REPORTER, R.EVENTS},
    "approve_answer": {R.EDITOR, R.APPROVER},
    "reopen_question": {R.EDITOR, R.REPORTER, R.EVENTS, R.APPROVER},
    "staff_rumors": ALL,
    "save_filter": ALL,
    "forget_filter": ALL,
    "log_rumor": LOGGERS,
    "log_from_question": LOGGERS,
    "known_rumors": LOGGERS,
    "known_to_question": LOGGERS,
    "throw_draft_away": LOGGERS,
    "suggestions": ALL,
    "confirm_rebuttal": {R.EDITOR},
    "add_evidence": {R.EDITOR, R.SECURITY},
    "remove_evidence": {R.EDITOR, R.SECURITY},
    "comment_rumor": LOGGERS | {R.APPROVER},
    "take_comment_back": LOGGERS | {R.APPROVER},
    "staff_rebuttal": ALL,
    "staff_rumor": ALL,
    "logged_rumor": LOGGERS,
    "merge_rumor": LOGGERS,
    "sight_rumor": LOGGERS,
    "edit_rumor": {R.EDITOR, R.SECURITY},
    "rate_rumor": {R.EDITOR, R.SECURITY},
    "move_rumor": {R.EDITOR, R.SECURITY},
    "link_fact": {R.EDITOR},
    "approve_rumor": {R.APPROVER},
    "assign_rumor": {R.EDITOR, R.SECURITY},
    "watch_rumor": ALL,
    "respond": {R.EDITOR, R.SECURITY},
    "finish_response": {R.EDITOR, R.SECURITY},
    "drop_response": {R.EDITOR, R.SECURITY},
    "relate": {R.EDITOR, R.SECURITY},
    "assess": {R.EDITOR, R.SECURITY},
    "abcde": {R.EDITOR, R.SECURITY},
    "confirm_attribution": {R.EDITOR, R.SECURITY},
    "rumor_dashboard": ALL,
    "settle_pair": {R.EDITOR, R.SECURITY},
    "undo_merge": {R.EDITOR, R.SECURITY},
    "sighting_picture": ALL,
    "sighting_preview": ALL,
    **dict.fromkeys(words("import_sightings import_template_csv import_template_xlsx import_mapping"), LOGGERS),
    **dict.fromkeys(words("import_check import_faults drop_import"), LOGGERS),
    **dict.fromkeys(words("export_rumors rumor_export download_export forget_export"), EXPORTERS),
    "threats": {R.SECURITY},
    "threat": {R.SECURITY},
    "alarms": ALL,
    "see_alarm": ALL,
    "unsee_alarm": ALL,
    "rumor_notices": ALL,
    "narratives": ALL,
    "new_narrative": {R.EDITOR, R.SECURITY},
    "narrative": {R.EDITOR, R.SECURITY},
    "staff_events": ALL,
    "new_event": {R.EVENTS},
    "staff_event": ALL,
    "edit_event": {R.EVENTS},
    **dict.fromkeys(words("copy_event hand_in_event cancel_event restore_event assess_event program"), {R.EVENTS}),
    **dict.fromkeys(words("publish_event send_back_event approve_risks"), {R.EVENTS, R.APPROVER}),
    **dict.fromkeys(words("event_registrations needs settle_need export_registrations"), {R.EVENTS}),
    **dict.fromkeys(words("event_registration change_registration"), {R.EVENTS}),
    "program_texts": {R.EVENTS, R.EDITOR, R.TRANSLATOR},
    **dict.fromkeys(words("publish_program move_program speakers speaker speaker_preview remove_photo"), {R.EVENTS}),
    **dict.fromkeys(words("agree_to_be_named take_name_back"), {R.EVENTS}),
    "program_version": ALL,
    **dict.fromkeys(
        words("recording note_consents show_recording hide_recording remove_recording"),
        {R.EVENTS},
    ),
    **dict.fromkeys(words("attachments staff_attachment"), ALL),
    **dict.fromkeys(words("add_attachment remove_attachment"), {R.EVENTS}),
    **dict.fromkeys(words("check_in_list walk_in undo_walk_in check_in undo_check_in scan_check_in"), {R.EVENTS}),
    **dict.fromkeys(words("attendance event_feedback"), {R.EVENTS, R.MANAGER}),
    **dict.fromkeys(words("outreach outreach_session"), {R.REPORTER, R.EDITOR, R.EVENTS, R.SECURITY, R.MANAGER}),
    **dict.fromkeys(words("log_session keep_session throw_session_away ask_session"), {R.REPORTER, R.EVENTS}),
    "edit_session": {R.REPORTER, R.EVENTS},
    "session_safety": {R.EVENTS, R.SECURITY},
    **dict.fromkeys(words("reminders event_reminders preview_reminder"), ALL),
    **dict.fromkeys(words("new_rule edit_rule remove_rule own_reminders share_reminders"), {R.EVENTS}),
    "rule_text": {R.EVENTS, R.EDITOR, R.TRANSLATOR},
    **dict.fromkeys(words("all_series series"), ALL),
    **dict.fromkeys(words("new_series edit_series"), {R.EVENTS}),
    **dict.fromkeys(words("event_agreements series_agreements"), {R.EVENTS, R.MANAGER}),
    **dict.fromkeys(words("edit_agreement minutes publish_minutes hide_minutes"), {R.EVENTS}),
    **dict.fromkeys(
        words("event_invitations invite invite_by_hand staff_invitation send_invitation_again withdraw_invitation"),
        {R.EVENTS},
    ),
    **dict.fromkeys(words("coverage export_coverage"), {R.EVENTS, R.MANAGER}),
    **dict.fromkeys(
        words("staff_mail deliveries mail_history pause_mail pause_event resume_mail uncertain_mail"),
        {R.EVENTS, R.ADMIN},
    ),
    "stopped_addresses": {R.EVENTS, R.ADMIN},
    "lift_stop": {R.EVENTS, R.ADMIN},
    **dict.fromkeys(words("staff_actors actor export_actors"), {R.EVENTS, R.MANAGER}),
    **dict.fromkeys(words("new_actor edit_actor delete_actor new_contact edit_contact delete_contact"), {R.EVENTS}),
    **dict.fromkeys(words("helpers new_helper edit_helper delete_helper"), {R.EVENTS}),
    "staff_reports": {R.MANAGER, R.AUDITOR, R.EDITOR},
    **dict.fromkeys(words("report report_pdf report_workbook"), {R.MANAGER, R.AUDITOR, R.EDITOR}),
    "keep_report": {R.MANAGER, R.EDITOR},
    "staff_audit": {R.AUDITOR},
}
POSTS = set(
    words("""
    writing renew confirm_fact comment_revision schedule_revision unschedule move_revision merge_rumor move_rumor
    approve_rumor confirm_rebuttal watch_rumor forget_filter known_rumors known_to_question throw_draft_away
    drop_response remove_evidence take_comment_back settle_pair undo_merge confirm_attribution
    forget_comment ask_missed approve_answer reopen_question approve_wording machine_translate
    revoke_reader
    check_link_again keep_report see_alarm unsee_alarm drop_import forget_export
    hand_in_event restore_event publish_event approve_risks settle_need change_registration remove_rule
    own_reminders share_reminders move_program
    agree_to_be_named take_name_back remove_photo note_consents show_recording hide_recording remove_recording
    remove_attachment
    publish_minutes hide_minutes send_invitation_again
    check_link_again keep_report see_alarm unsee_alarm drop_import forget_export resume_mail
    walk_in undo_walk_in check_in undo_check_in keep_session throw_session_away
    """)
)
NOT_THEIRS = {
    ("merge_rumor", 404),
    ("take_comment_back", 404),
    ("show_recording", 404),
    ("speaker_preview", 404),
    ("staff_attachment", 404),
    ("change_registration", 404),
    ("settle_need", 404),
}
# What an address asks for in its query.
QUERIES = {"compare": "?old={draft}&new={draft}"}


def names(patterns=None, prefix="") -> dict[str, str]:
    found = {}
    for entry in patterns or get_resolver().url_patterns:
        route = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            if getattr(entry, "app_name", "") != "admin":
                found |= names(entry.url_patterns, route)
        elif entry.name:
            found[entry.name] = route
    return found


def test_every_address_has_a_row_and_every_row_an_address():
    assert set(names()) == set(TABLE)


@pytest.fixture
def arguments(db) -> dict[str, dict]:
    """What an address needs to be opened, with everything that could leak behind it."""
    fact = factories.published_fact("ar")
    author = factories.user()
    text = {"title": "Ny fråga?", "summary": "Svar.", "body": "Text."}
    draft = revisions.draft(fact, language="sv", fields=text, by=author)
    revisions.submit(draft, by=author)
    rumor = rumors.log(claim="Påståendet att X", channel="tiktok", seen_on=timezone.localdate(), by=author)
    same, repeating = (
        rumors.log(claim="Påståendet att Y", channel="web", seen_on=timezone.localdate(), by=author) for _ in range(2)
    )
    pair = pairs.relate(rumor, other=same, kind="related", by=author)
    merge = pairs.merge(repeating, into=rumor, by=author)
    first, second = (responses.plan(rumor, action="reply_public", by=author) for _ in range(2))
    picture = pictures.keep(sent(file_of(screenshot(), "PNG")), by=author)
    with_picture = rumors.sight(
        rumor,
        channel="web",
        seen_on=timezone.localdate(),
        by=author,
        picture=picture,
    )
    threat = rumors.sight(rumor, channel="phone", seen_on=timezone.localdate(), by=author, is_threat=True)
    rebuttal = rumors.link(rumor=rumor, fact=fact, strength="refutes", slug="sant", by=author)
    starts_at = timezone.now() + timezone.timedelta(days=5)
    event = events.create(
        by=author, kind="seminar", slug="traff", starts_at=starts_at, ends_at=starts_at + timezone.timedelta(hours=1)
    )
    speaker = {"name": "Nils", "title": "", "organization": ""}
    row = {"day": 1, "starts": time(8), "ends": time(9), "is_break": False, "titles": {"sv": "Ett"}}
    programs.write(event, [row | {"speakers": [speaker]}], by=author)
    programs.publish(event, by=author)
    photo = pictures.keep(sent(file_of(screenshot(), "PNG")), by=author)
    speaker = programs.describe(Speaker.objects.get(), photo=photo, by=author)
    recordings.keep(
        event,
        url="https://video.example.org",
        until=event.ends_at.date(),
        captions=["sv"],
        no_captions_reason="",
        by=author,
    )
    document = {"title": "Program", "language": "sv", "file": pdf(content=tagged())}
    document = attachments.add(event, by=author, **document)
    holder = Registration.objects.create(event=event, name="Bo")
    need = Need.objects.create(registration=holder, kind="access", detail="Hiss")
    rule, spare = (
        reminders.add(by=author, event=event, audience="staff", anchor="start", days=days) for days in (1, 2)
    )
    contact, helper = actors.contact(), actors.helper()
    circle = series.create(name="Rundabordet", by=author)
    agreed = agreements.agree(event=event, what="Vi träffas igen", owner="Föreningen", by=author)
    agreements.write_minutes(event, text="Vi talades vid.", by=author)
    guest = {"name": "Styrelsen", "email": "styrelsen@example.org", "language": "sv"}
    (invited,) = invitations.invite(event, guests=[guest], by=author)
    page = Page.objects.create(key="privacy")
    question = questions.ask(text="Hur?", language="sv", door=Door.FORM)
    opinion = readings.give(
        fact_id=fact.pk, revision_id=draft.pk, language="sv", is_helpful=True, comment="Bra", form_id=uuid4()
    )
    word = factories.term("orosanmälan")
    factories.wording(word, "ar", is_approved=False)
    month = timezone.localdate().replace(day=1)
    kept = reports.keep(scope="period", first=month, last=timezone.localdate(), by=author, form_id=uuid4())
    on_fact = {"kind": "fact", "object_id": fact.pk, "language": "sv"}
    at = timezone.now() + timezone.timedelta(days=1)
    promise = revisions.schedule(fact, language="sv", at=at, by=author)
    return {
        "writing": on_fact,
        "text_history": on_fact,
        "assign": on_fact | {"language": "ar"},
        "renew": on_fact | {"language": "ar"},
        **dict.fromkeys(["comment_revision", "schedule_revision"], {"pk": draft.pk}),
        "unschedule": {"pk": promise.pk},
        "staff_page": {"pk": page.pk},
        "text": on_fact,
        "withdraw": on_fact,
        "revision": {"pk": draft.pk},
        "exchange_text": on_fact | {"language": "ar"},
        "exchange_upload": {"pk": 1},
        "machine_translate": on_fact | {"language": "ar"},
        "move_revision": {"pk": draft.pk, "step": "approve"},
        "revision_readers": {"pk": draft.pk},
        "revoke_reader": {"pk": readers.ask(draft, by=author, days=21).pk},
        "staff_topic": {"pk": fact.topic_id},
        "staff_fact": {"pk": fact.pk},
        "edit_fact": {"pk": fact.pk},
        "confirm_fact": {"pk": fact.pk},
        "forget_comment": {"pk": opinion.pk},
        "print_words": {"language": "ar"},
        **dict.fromkeys(["staff_word", "edit_word", "delete_word"], {"pk": word.pk}),
        **dict.fromkeys(["wording", "approve_wording"], {"pk": word.pk, "language": "ar"}),
        "check_link_again": {"pk": CheckedLink.objects.create(url="https://law.example", next_check_at=starts_at).pk},
        **dict.fromkeys(
            ["staff_question", "settle_question", "approve_answer", "reopen_question"], {"pk": question.pk}
        ),
        **dict.fromkeys(["log_from_question", "known_to_question"], {"pk": question.pk}),
        **dict.fromkeys(["staff_rebuttal", "confirm_rebuttal"], {"pk": rebuttal.pk}),
        **dict.fromkeys(
            [
                "staff_rumor",
                "logged_rumor",
                "merge_rumor",
                "sight_rumor",
                "edit_rumor",
                "rate_rumor",
                "move_rumor",
                "link_fact",
                "approve_rumor",
                "assign_rumor",
                "watch_rumor",
                "respond",
                "add_evidence",
                "comment_rumor",
            ],
            {"pk": rumor.pk},
        ),
        **dict.fromkeys(["relate", "assess", "abcde", "confirm_attribution"], {"pk": rumor.pk}),
        "remove_evidence": {"pk": evidence.add(rumor, stance="refutes", text="LVU", by=author).pk},
        "take_comment_back": {"pk": comments.comment(rumor, text="Hej", form_id=uuid4(), by=author).pk},
        "forget_filter": {"pk": lists.save(name="Mina", query="overdue=yes", by=author).pk},
        "settle_pair": {"rumor_pk": rumor.pk, "pk": pair.pk},
        "undo_merge": {"pk": merge.pk},
        "finish_response": {"pk": first.pk},
        "drop_response": {"pk": second.pk},
        "threat": {"pk": threat.pk},
        # Nobody's: they are their maker's alone, and all others are led back (tests/imports, tests/exports).
        **dict.fromkeys(["import_mapping", "import_check", "import_faults", "drop_import"], {"pk": 1}),
        **dict.fromkeys(["rumor_export", "download_export", "forget_export"], {"pk": 1}),
        **dict.fromkeys(["sighting_picture", "sighting_preview"], {"pk": with_picture.pk}),
        "narrative": {"pk": Narrative.objects.create(name="Staten vill ha våra barn").pk},
        **dict.fromkeys(
            [
                "staff_event",
                "edit_event",
                "copy_event",
                "hand_in_event",
                "cancel_event",
                "restore_event",
                "publish_event",
                "send_back_event",
                "assess_event",
                "approve_risks",
                "program",
                "publish_program",
                "move_program",
                "speakers",
                "recording",
                "note_consents",
                "show_recording",
                "hide_recording",
                "remove_recording",
                "attachments",
                "add_attachment",
                "event_registrations",
                "export_registrations",
                "check_in_list",
                "walk_in",
                "undo_walk_in",
                "attendance",
                "event_feedback",
                "event_reminders",
                "pause_event",
                "own_reminders",
                "share_reminders",
            ],
            {"pk": event.pk},
        ),
        "program_texts": {"pk": event.pk, "language": "ar"},
        **dict.fromkeys(["staff_attachment", "remove_attachment"], {"pk": event.pk, "attachment": document.pk}),
        "program_version": {"pk": event.pk, "number": 1},
        **dict.fromkeys(
            ["speaker", "speaker_preview", "remove_photo", "agree_to_be_named", "take_name_back"],
            {"pk": event.pk, "speaker": speaker.pk},
        ),
        **dict.fromkeys(
            words("event_agreements minutes publish_minutes hide_minutes event_invitations invite invite_by_hand"),
            {"pk": event.pk},
        ),
        **dict.fromkeys(words("series edit_series series_agreements"), {"pk": circle.pk}),
        "edit_agreement": {"pk": agreed.pk},
        **dict.fromkeys(words("staff_invitation send_invitation_again withdraw_invitation"), {"pk": invited.pk}),
        "settle_need": {"pk": need.pk},
        **dict.fromkeys(["event_registration", "change_registration"], {"pk": event.pk, "registration": holder.pk}),
        **dict.fromkeys(["check_in", "undo_check_in"], {"pk": event.pk, "registration": holder.pk}),
        "scan_check_in": {"token": secret_links.token(CHECK_IN, holder.pk, holder.nonce)},
        **dict.fromkeys(
            ["outreach_session", "edit_session", "ask_session", "session_safety"], {"pk": visit(by=author).pk}
        ),
        "edit_rule": {"pk": rule.pk},
        "remove_rule": {"pk": spare.pk},
        "rule_text": {"pk": rule.pk, "language": "ar"},
        "preview_reminder": {"pk": event.pk, "rule": rule.pk, "language": "ar"},
        **dict.fromkeys(["staff_event", "edit_event", "event_registrations"], {"pk": event.pk}),
        **dict.fromkeys(["actor", "edit_actor", "delete_actor", "new_contact"], {"pk": contact.actor_id}),
        **dict.fromkeys(["edit_contact", "delete_contact"], {"pk": contact.pk}),
        **dict.fromkeys(["edit_helper", "delete_helper"], {"pk": helper.pk}),
        **dict.fromkeys(["report", "report_pdf", "report_workbook"], {"pk": kept.pk}),
        "uncertain_mail": {"kind": "account"},
        "lift_stop": {"pk": Suppression.objects.create(address_hash="0", reason=Reason.UNKNOWN, at=starts_at).pk},
        "mailbox_message": {"name": "00000000000000000001-1"},
    }


STAFF = sorted(name for name, who in TABLE.items() if who not in (PUBLIC, OWN))


def answer(client, name, arguments):
    url = reverse(name, kwargs=arguments.get(name))
    if name in QUERIES:
        url += QUERIES[name].format(draft=arguments["revision"]["pk"])
    response = client.post(url) if name in POSTS else client.get(url)
    if response.streaming:
        list(response.streaming_content)  # or the file stays open
    return response


@pytest.mark.parametrize("role", [*Role, None], ids=str)
def test_staff_addresses_open_for_their_roles_only(role, arguments):
    client = sign_in(person(*([role] if role else [])))
    wrong = []
    for name in STAFF:
        before = AuditEvent.objects.count()
        response = answer(client, name, arguments)
        may = role in TABLE[name]
        # A form that is sent empty is answered with 422, a move with a redirect to the page it came from, and a merge
        # with nothing to merge into, the comment of somebody else, or what was taken away a moment ago, with 404.
        is_open = response.status_code in {200, 302, 422} or (name, response.status_code) in NOT_THEIRS
        if is_open != may or (response.status_code == 302 and "login" in response["Location"]):
            wrong.append((name, response.status_code))
        if not may and AuditEvent.objects.count() != before:
            wrong.append((name, "left a trace"))
    assert wrong == []


def test_strangers_are_sent_to_sign_in(arguments):
    client = browser()
    for name in STAFF:
        response = answer(client, name, arguments)
        if TABLE[name]:
            assert response["Location"].startswith("/staff/login/"), name
        else:
            assert response.status_code in {302, 404}, name


def test_without_a_second_factor_no_staff_address_opens(arguments):
    user = person(*Role, password="gurka läser tidning")
    client = browser()
    client.force_login(user)
    for name in STAFF:
        if TABLE[name]:
            assert answer(client, name, arguments)["Location"].startswith("/staff/mfa/"), name
    assert User.objects.filter(pk=user.pk).exists()


def test_everything_under_staff_says_what_it_asks_for():
    """A staff view without `@staff` would be open to everybody."""
    from django.urls import resolve

    for name in STAFF:
        if name == "metrics":
            continue
        kwargs = {
            "pk": 1,
            "rumor_pk": 1,
            "kind": "fact",
            "object_id": 1,
            "language": "sv",
            "step": "approve",
            "name": "1-1",
            "speaker": 1,
            "attachment": 1,
            "rule": 1,
            "number": 1,
            "registration": 1,
            "token": "1-1",
        }
        route = names()[name]
        path = reverse(name, kwargs={key: value for key, value in kwargs.items() if f"{key}>" in route})
        assert getattr(resolve(path).func, "permission", None), name
