"""The table was made by `events`, which held this model before."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import portal.secret_links
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
                    name='Registration',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=120, verbose_name='Name')),
                        ('email', models.EmailField(max_length=254, verbose_name='E-mail address')),
                        ('language', models.CharField(choices=[('sv', 'Svenska'), ('en', 'English'), ('ar', 'العربية'), ('so', 'Soomaali'), ('fa', 'فارسی'), ('prs', 'دری'), ('ti', 'ትግርኛ'), ('kmr', 'Kurmancî'), ('ckb', 'کوردیی ناوەندی'), ('tr', 'Türkçe'), ('pl', 'Polski'), ('uk', 'Українська'), ('ru', 'Русский'), ('fi', 'Suomi'), ('bs', 'Bosanski'), ('hr', 'Hrvatski'), ('sr', 'Српски'), ('es', 'Español'), ('fr', 'Français'), ('ro', 'Română'), ('ps', 'پښتو'), ('ur', 'اردو'), ('sq', 'Shqip'), ('am', 'አማርኛ'), ('th', 'ไทย'), ('zh-hans', '简体中文'), ('fit', 'Meänkieli'), ('se', 'Davvisámegiella'), ('smj', 'Julevsámegiella'), ('sma', 'Åarjelsaemien'), ('rom', 'Romani čhib'), ('yi', 'ייִדיש')], default='sv', max_length=10)),
                        ('nonce', models.CharField(default=portal.secret_links.new_nonce, editable=False, max_length=32)),
                        ('registered_at', models.DateTimeField(auto_now_add=True)),
                        ('canceled_at', models.DateTimeField(null=True)),
                        ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='registrations', to='events.event')),
                    ],
                    options={
                        'verbose_name': 'registration',
                        'db_table': 'events_registration',
                        'ordering': ['registered_at', 'pk'],
                    },
                ),
                migrations.AddConstraint(
                    model_name='registration',
                    constraint=models.UniqueConstraint(models.F('event'), django.db.models.functions.text.Lower('email'), condition=models.Q(('canceled_at__isnull', True)), name='person_has_one_seat_per_event'),
                ),
            ],
        ),
    ]
