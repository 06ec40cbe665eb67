"""Events that others are told of, and the trigger that keeps them as they were written."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.core.ids
import apps.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0031_personal_values"),
        ("core", "0002_refuse_change"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutboxEvent",
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
                ("event_type", models.CharField(max_length=100)),
                ("object_id", models.CharField(max_length=60)),
                ("data", models.JSONField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organization", "-created_at", "-id"],
                        name="tenants_events_of_tenant",
                    ),
                    models.Index(fields=["object_id"], name="tenants_events_by_object"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("event_type__regex", "^[a-z_]+(\\.[a-z_]+)+$")),
                        name="tenants_event_has_a_type",
                    )
                ],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="DROP TRIGGER tenants_events_stay ON tenants_outboxevent;",
        ),
    ]
