import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registrations", "0001_initial"),
        ("events", "0003_status_risks_and_appointments"),
    ]

    operations = [
        migrations.AlterField(
            model_name="registration",
            name="name",
            field=models.CharField(max_length=120, verbose_name="name"),
        ),
        migrations.AlterField(
            model_name="registration",
            name="email",
            field=models.EmailField(blank=True, max_length=254, verbose_name="e-mail address"),
        ),
        migrations.AddField(
            model_name="registration",
            name="party_size",
            field=models.PositiveSmallIntegerField(db_default=1, default=1, verbose_name="seats"),
        ),
        migrations.AddField(
            model_name="registration",
            name="state",
            field=models.CharField(
                choices=[
                    ("confirmed", "Has a seat"),
                    ("waiting", "On the waiting list"),
                    ("offered", "Has been offered a seat"),
                    ("lapsed", "Did not answer the offer"),
                    ("canceled", "Canceled"),
                ],
                db_default="confirmed",
                default="confirmed",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="form_id",
            field=models.UUIDField(editable=False, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="registration",
            name="code_hash",
            field=models.CharField(editable=False, max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="registration",
            name="uid",
            field=models.UUIDField(
                db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="calendar_changes",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="registration",
            name="registered_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name="registration",
            name="queued_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name="registration",
            name="offered_until",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="registration",
            name="told_sequence",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="registration",
            name="told_join",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="registration",
            name="canceled_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name="Need",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("interpreter", "Interpreter"),
                            ("access", "Something that makes it possible to come"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("sv", "Svenska"),
                            ("en", "English"),
                            ("ar", "العربية"),
                            ("so", "Soomaali"),
                            ("fa", "فارسی"),
                            ("prs", "دری"),
                            ("ti", "ትግርኛ"),
                            ("kmr", "Kurmancî"),
                            ("ckb", "کوردیی ناوەندی"),
                            ("tr", "Türkçe"),
                            ("pl", "Polski"),
                            ("uk", "Українська"),
                            ("ru", "Русский"),
                            ("fi", "Suomi"),
                            ("bs", "Bosanski"),
                            ("hr", "Hrvatski"),
                            ("sr", "Српски"),
                            ("es", "Español"),
                            ("fr", "Français"),
                            ("ro", "Română"),
                            ("ps", "پښتو"),
                            ("ur", "اردو"),
                            ("sq", "Shqip"),
                            ("am", "አማርኛ"),
                            ("th", "ไทย"),
                            ("zh-hans", "简体中文"),
                            ("fit", "Meänkieli"),
                            ("se", "Davvisámegiella"),
                            ("smj", "Julevsámegiella"),
                            ("sma", "Åarjelsaemien"),
                            ("rom", "Romani čhib"),
                            ("yi", "ייִדיש"),
                        ],
                        max_length=10,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=300)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked for"),
                            ("booked", "Booked"),
                            ("confirmed", "Confirmed"),
                            ("failed", "Cannot be had"),
                        ],
                        default="asked",
                        max_length=9,
                    ),
                ),
                ("state_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "registration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="needs",
                        to="registrations.registration",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Reveal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("join_version", models.PositiveIntegerField()),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "registration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reveals",
                        to="registrations.registration",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "pk"],
            },
        ),
        migrations.AddConstraint(
            model_name="need",
            constraint=models.UniqueConstraint(fields=("registration", "kind"), name="one_need_of_a_kind"),
        ),
        migrations.AddConstraint(
            model_name="need",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "interpreter"), _negated=True),
                    models.Q(("language", ""), _negated=True),
                    _connector="OR",
                ),
                name="interpreter_speaks_a_language",
            ),
        ),
        migrations.AddConstraint(
            model_name="need",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "access"), _negated=True),
                    models.Q(("detail", ""), _negated=True),
                    _connector="OR",
                ),
                name="need_says_what_it_is",
            ),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["event", "queued_at"], name="waiting_list"
            ),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(
                condition=models.Q(("state", "offered")), fields=["offered_until"], name="offers_by_end"
            ),
        ),
    ]
