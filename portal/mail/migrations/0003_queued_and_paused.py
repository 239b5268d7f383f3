import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Nothing is lost while workers of the old release still run: what they hold before the fence they give up there,
    since it is no longer `sending`, and what they would claim the database refuses, so that it waits for the new ones.
    """

    dependencies = [
        ("mail", "0002_say_what_it_is"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Pause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("prefix", models.CharField(max_length=200, unique=True)),
                ("reason", models.CharField(max_length=200)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "pause of sending",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(("prefix", ""), ("prefix__endswith", ":"), _connector="OR"),
                        name="pause_names_whole_parts_of_keys",
                    )
                ],
            },
        ),
        # No claim between what becomes `queued` and the constraint that asks for it.
        migrations.RunSQL("LOCK TABLE mail_delivery IN ACCESS EXCLUSIVE MODE", migrations.RunSQL.noop),
        migrations.RemoveConstraint("delivery", "delivery_is_leased_while_it_is_being_sent"),
        migrations.RemoveConstraint("delivery", "delivery_has_ended_with_its_time"),
        migrations.RemoveConstraint("delivery", "waiting_delivery_is_before_the_fence"),
        migrations.RemoveConstraint("delivery", "sent_or_uncertain_delivery_passed_the_fence"),
        migrations.RemoveIndex("delivery", "delivery_still_to_do"),
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("planned", "Planned"),
                    ("queued", "About to be sent"),
                    ("sending", "Being sent"),
                    ("sent", "Sent"),
                    ("retry", "Will be tried again"),
                    ("uncertain", "Uncertain: it may have been sent"),
                    ("failed", "Failed"),
                    ("expired", "Too late to be sent"),
                    ("canceled", "Canceled"),
                    ("suppressed", "Not sent: the address takes no such mail"),
                ],
                default="planned",
                max_length=10,
            ),
        ),
        migrations.RunSQL(
            "UPDATE mail_delivery SET state = 'queued' WHERE state = 'sending' AND fenced_at IS NULL",
            "UPDATE mail_delivery SET state = 'sending' WHERE state = 'queued'",
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["planned", "retry", "queued", "sending"]),
                name="delivery_still_to_do",
            ),
        ),
        migrations.AddConstraint(
            "delivery",
            models.CheckConstraint(
                condition=Q(
                    Q(("lease_until__isnull", False), ("state__in", ["queued", "sending"])),
                    Q(Q(("state__in", ["queued", "sending"]), _negated=True), ("lease_until__isnull", True)),
                    _connector="OR",
                ),
                name="delivery_is_leased_while_a_worker_has_it",
            ),
        ),
        migrations.AddConstraint(
            "delivery",
            models.CheckConstraint(
                condition=Q(
                    Q(("ended_at__isnull", True), ("state__in", ["planned", "retry", "queued", "sending"])),
                    Q(
                        Q(("state__in", ["planned", "retry", "queued", "sending"]), _negated=True),
                        ("ended_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="delivery_ends_with_its_time",
            ),
        ),
        migrations.AddConstraint(
            "delivery",
            models.CheckConstraint(
                condition=Q(
                    Q(("state__in", ["planned", "retry", "queued"]), _negated=True),
                    ("fenced_at__isnull", True),
                    _connector="OR",
                ),
                name="delivery_is_before_the_fence_until_it_is_being_sent",
            ),
        ),
        migrations.AddConstraint(
            "delivery",
            models.CheckConstraint(
                condition=Q(
                    Q(("state__in", ["sending", "sent", "uncertain"]), _negated=True),
                    ("fenced_at__isnull", False),
                    _connector="OR",
                ),
                name="delivery_has_passed_the_fence_when_it_may_have_arrived",
            ),
        ),
    ]
