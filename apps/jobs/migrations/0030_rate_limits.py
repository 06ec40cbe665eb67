"""Policies of rate limits."""

import django.db.models.functions.datetime
from django.db import migrations, models

import apps.core.ids
import apps.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0021_first_styles"),
    ]

    operations = [
        migrations.CreateModel(
            name="RateLimitPolicy",
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
                ("code", models.SlugField(unique=True)),
                (
                    "subject",
                    models.CharField(
                        choices=[
                            ("organization", "Organization"),
                            ("key", "API key"),
                            ("user", "Person"),
                            ("ip", "Address"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "requests",
                    models.CharField(
                        help_text="any, read, write, money, or a permission that they ask for.",
                        max_length=100,
                    ),
                ),
                (
                    "plan",
                    models.SlugField(
                        blank=True,
                        help_text="Code of a plan; its policies replace those without one for the same requests.",
                    ),
                ),
                (
                    "limit",
                    models.PositiveIntegerField(help_text="Requests that pass in any window."),
                ),
                ("seconds", models.PositiveIntegerField(help_text="Length of the window.")),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "verbose_name": "rate limit",
                "ordering": ["subject", "requests", "plan", "seconds"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("limit__range", (1, 100000)),
                            ("seconds__range", (1, 2592000)),
                            ("subject__in", ["organization", "key", "user", "ip"]),
                        ),
                        name="jobs_rate_limit_is_possible",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("subject", "ip"), _negated=True),
                            ("plan", ""),
                            _connector="OR",
                        ),
                        name="jobs_rate_limit_of_addresses_has_no_plan",
                    ),
                ],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
    ]
