"""Organizations whose clock staff move."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.core.ids
import apps.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0101_invoice_attempts"),
        ("tenants", "0041_clocks_of_sandboxes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Sandbox",
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
                (
                    "stripe_clock_id",
                    models.CharField(blank=True, max_length=255, null=True, unique=True),
                ),
                ("moving_to", models.DateTimeField(blank=True, null=True)),
                ("moving_since", models.DateTimeField(blank=True, null=True)),
                ("step_to", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "sandboxes",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("moving_since", None), ("moving_to", None), ("step_to", None)
                            ),
                            models.Q(
                                ("error", ""),
                                ("moving_since__isnull", False),
                                ("moving_to__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="billing_sandbox_moves_or_stands",
                    )
                ],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
    ]
