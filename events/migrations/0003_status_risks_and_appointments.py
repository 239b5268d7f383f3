import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0002_say_what_it_is"),
        ("series", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Appointment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.PositiveIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("place", models.CharField(blank=True, max_length=200)),
                ("is_online", models.BooleanField()),
                ("is_canceled", models.BooleanField()),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["sequence"],
            },
        ),
        migrations.CreateModel(
            name="RiskAssessment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("risks", models.TextField(max_length=4000, verbose_name="what may happen, and to whom")),
                ("measures", models.TextField(max_length=4000, verbose_name="what is done about it")),
                ("responsible", models.CharField(max_length=200, verbose_name="who sees to it on the day")),
                ("filled_at", models.DateTimeField(auto_now_add=True)),
                ("approved_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "risk assessment",
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="event",
            name="access",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("step_free", "No steps"),
                        ("lift", "Lift"),
                        ("toilet", "Accessible toilet"),
                        ("hearing_loop", "Hearing loop"),
                        ("parking", "Accessible parking"),
                        ("strollers", "Room for strollers"),
                        ("quiet", "A quiet room to rest in"),
                    ],
                    max_length=12,
                ),
                blank=True,
                db_default=[],
                default=list,
                size=None,
                verbose_name="the place has",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="access_note",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=300, verbose_name="how to get there and in"
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="answers_due_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="who is invited answers until"),
        ),
        migrations.AddField(
            model_name="event",
            name="approved_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="are_speakers_public",
            field=models.BooleanField(db_default=False, default=False, verbose_name="everybody may read who speaks"),
        ),
        migrations.AddField(
            model_name="event",
            name="asked_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="groups",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("everybody", "Everybody"),
                        ("parents", "Parents"),
                        ("young", "Children and young people"),
                        ("new", "People new in Sweden"),
                        ("schools", "Schools and preschools"),
                        ("faith", "Faith communities"),
                        ("associations", "Associations"),
                        ("interpreters", "Interpreters and bridge builders"),
                        ("staff", "Staff of the municipality"),
                        ("authorities", "Authorities and embassies"),
                    ],
                    max_length=12,
                ),
                blank=True,
                db_default=[],
                default=list,
                size=None,
                verbose_name="for whom",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="interpreted",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
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
                blank=True,
                db_default=[],
                default=list,
                size=None,
                verbose_name="languages interpreted",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="is_place_public",
            field=models.BooleanField(db_default=False, default=False, verbose_name="everybody may read where it is"),
        ),
        migrations.AddField(
            model_name="event",
            name="join_minutes",
            field=models.PositiveSmallIntegerField(
                db_default=60, default=60, verbose_name="minutes before the start that the link is shown"
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="join_version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="event",
            name="largest_party",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, verbose_name="seats that one person may take"
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="risk_approved_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="event",
            name="series",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="series.series",
                verbose_name="series",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="theme",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=160, verbose_name="theme of this sitting"
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="status",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("review", "Waits for approval"),
                    ("published", "Published"),
                    ("canceled", "Canceled"),
                ],
                db_default="draft",
                default="draft",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="team",
            field=models.ManyToManyField(
                blank=True, related_name="events", to=settings.AUTH_USER_MODEL, verbose_name="colleagues who hold it"
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="time_set_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AlterField(
            model_name="event",
            name="spoken",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
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
                blank=True,
                default=list,
                size=None,
                verbose_name="languages spoken",
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="event",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="appointments", to="events.event"
            ),
        ),
        migrations.AddField(
            model_name="riskassessment",
            name="approved_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="riskassessment",
            name="event",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="risk_assessments", to="events.event"
            ),
        ),
        migrations.AddField(
            model_name="riskassessment",
            name="filled_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.UniqueConstraint(fields=("event", "sequence"), name="one_appointment_per_sequence"),
        ),
        migrations.AddConstraint(
            model_name="riskassessment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by__isnull", True),
                    models.Q(("approved_by", models.F("filled_by")), _negated=True),
                    _connector="OR",
                ),
                name="risk_assessment_is_approved_by_somebody_else",
            ),
        ),
        migrations.AddConstraint(
            model_name="riskassessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("approved_by__isnull", True), ("approved_at__isnull", False), _connector="OR"),
                name="risk_assessment_is_approved_at_some_time",
            ),
        ),
    ]
