"""Styles with versions, which are added and never changed."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.core.ids
import apps.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0012_work_is_in_areas"),
    ]

    operations = [
        migrations.CreateModel(
            name="Style",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("operation", models.CharField(max_length=100)),
                ("code", models.SlugField()),
                ("name", models.CharField(max_length=100)),
                ("description", models.CharField(blank=True, max_length=200)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["position", "code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("operation", "code"), name="jobs_style_has_its_code"
                    ),
                    models.UniqueConstraint(
                        fields=("operation", "name"), name="jobs_style_has_its_name"
                    ),
                ],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="StyleVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("swatches", models.JSONField(default=list)),
                ("parameters", models.JSONField(default=dict)),
                ("prompt_template", models.TextField(blank=True, max_length=2000)),
                (
                    "style",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="jobs.style",
                    ),
                ),
            ],
            options={
                "ordering": ["style", "-number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("style", "number"), name="jobs_style_version_has_no_twin"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)),
                        name="jobs_style_versions_count_from_one",
                    ),
                ],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql=Path(__file__).with_name(f"{Path(__file__).stem}_reverse.sql").read_text(),
        ),
    ]
