"""The tables were made by `events`, which held these models before."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('events', '0002_say_what_it_is'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='Speaker',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=120, verbose_name='name')),
                        ('title', models.CharField(blank=True, max_length=120, verbose_name='title')),
                        ('organization', models.CharField(blank=True, max_length=160, verbose_name='organization')),
                    ],
                    options={
                        'db_table': 'events_speaker',
                        'ordering': ['name', 'pk'],
                    },
                ),
                migrations.CreateModel(
                    name='ProgramItem',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('starts_at', models.DateTimeField(verbose_name='starts')),
                        ('ends_at', models.DateTimeField(verbose_name='ends')),
                        ('title', models.CharField(blank=True, default='', max_length=200, verbose_name='title')),
                        ('title_sv', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_en', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_ar', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_so', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_fa', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_prs', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_ti', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_kmr', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_ckb', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_tr', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_pl', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_uk', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_ru', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_fi', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_bs', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_hr', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_sr', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_es', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_fr', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_ro', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_ps', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_ur', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_sq', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_am', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_th', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_zh_hans', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_fit', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_se', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_smj', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_sma', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_rom', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('title_yi', models.CharField(blank=True, default='', max_length=200, null=True, verbose_name='title')),
                        ('is_break', models.BooleanField(default=False, verbose_name='break')),
                        ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='program', to='events.event')),
                        ('speakers', models.ManyToManyField(blank=True, related_name='items', to='programs.speaker', verbose_name='speakers')),
                    ],
                    options={
                        'db_table': 'events_programitem',
                        'ordering': ['starts_at', 'pk'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='program_item_ends_after_it_starts')],
                    },
                ),
            ],
        ),
    ]
