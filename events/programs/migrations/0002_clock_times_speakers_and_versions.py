import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0006_nouns_move_out"),
        ("pictures", "0001_initial"),
        ("programs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # The table is the one that Django made for `speakers`.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Appearance",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "item",
                            models.ForeignKey(
                                db_column="programitem_id",
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="appearances",
                                to="programs.programitem",
                            ),
                        ),
                        (
                            "speaker",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="appearances",
                                to="programs.speaker",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "events_programitem_speakers",
                        "ordering": ["pk"],
                        "unique_together": {("item", "speaker")},
                    },
                ),
                migrations.AlterField(
                    model_name="programitem",
                    name="speakers",
                    field=models.ManyToManyField(
                        blank=True,
                        related_name="items",
                        through="programs.Appearance",
                        to="programs.speaker",
                        verbose_name="speakers",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="appearance",
            name="is_moderator",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="programitem",
            name="starts_at",
            field=models.DateTimeField(null=True, verbose_name="starts"),
        ),
        migrations.AlterField(
            model_name="programitem",
            name="ends_at",
            field=models.DateTimeField(null=True, verbose_name="ends"),
        ),
        migrations.AddField(
            model_name="programitem",
            name="day",
            field=models.PositiveSmallIntegerField(null=True, verbose_name="day of the event"),
        ),
        migrations.AddField(
            model_name="programitem",
            name="starts",
            field=models.TimeField(null=True, verbose_name="starts"),
        ),
        migrations.AddField(
            model_name="programitem",
            name="ends",
            field=models.TimeField(null=True, verbose_name="ends"),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_sv",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_en",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_ar",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_so",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_fa",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_prs",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_ti",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_kmr",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_ckb",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_tr",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_pl",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_uk",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_ru",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_fi",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_bs",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_hr",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_sr",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_es",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_fr",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_ro",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_ps",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_ur",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_sq",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_am",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_th",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_zh_hans",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_fit",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_se",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_smj",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_sma",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_rom",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AddField(
            model_name="programitem",
            name="abstract_yi",
            field=models.TextField(
                blank=True, db_default="", default="", max_length=800, null=True, verbose_name="what it is about"
            ),
        ),
        migrations.AlterModelOptions(
            name="speaker",
            options={"ordering": ["name", "pk"], "verbose_name": "speaker"},
        ),
        migrations.AddField(
            model_name="speaker",
            name="email",
            field=models.EmailField(
                blank=True, db_default="", default="", max_length=254, verbose_name="e-mail address"
            ),
        ),
        migrations.AddField(
            model_name="speaker",
            name="consent_to_be_named_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="speaker",
            name="consent_photo_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="speaker",
            name="photo",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="pictures.picture",
            ),
        ),
        migrations.AddConstraint(
            model_name="speaker",
            constraint=models.CheckConstraint(
                condition=models.Q(("photo__isnull", True), ("consent_photo_at__isnull", False), _connector="OR"),
                name="photo_is_kept_with_consent",
            ),
        ),
        migrations.CreateModel(
            name="ProgramVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(editable=False)),
                ("published_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="why it changes")),
                ("lines", models.JSONField(editable=False)),
                ("texts", models.JSONField(editable=False)),
                ("is_to_be_told", models.BooleanField(default=False)),
                ("told_at", models.DateTimeField(editable=False, null=True)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="program_versions",
                        to="events.event",
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "speakers",
                    models.ManyToManyField(editable=False, related_name="versions", to="programs.speaker"),
                ),
            ],
            options={
                "verbose_name": "program",
                "ordering": ["-number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event", "number"), name="program_versions_of_an_event_are_numbered"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("told_at__isnull", True), ("is_to_be_told", True), _connector="OR"),
                        name="program_is_told_if_it_is_to_be_told",
                    ),
                ],
            },
        ),
    ]
