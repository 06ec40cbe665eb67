"""Shares have their part of the project, and what they earned; projects a true-up month."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("capacity", "0012_waiting_stays"),
        ("tenants", "0041_clocks_of_sandboxes"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="generationreading",
            name="capacity_shared_reading_says_what_is_left",
        ),
        migrations.RemoveConstraint(
            model_name="generationshare",
            name="capacity_share_is_not_negative",
        ),
        migrations.AddField(
            model_name="generationreading",
            name="banked_percent",
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=6, null=True),
        ),
        migrations.AddField(
            model_name="generationreading",
            name="posted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="generationshare",
            name="earned",
            field=models.DecimalField(decimal_places=9, default=0, max_digits=36),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="generationshare",
            name="percent",
            field=models.DecimalField(decimal_places=3, default=0, max_digits=6),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="project",
            name="true_up_month",
            field=models.PositiveSmallIntegerField(
                blank=True,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(12),
                ],
            ),
        ),
        migrations.AddIndex(
            model_name="generationreading",
            index=models.Index(
                condition=models.Q(("posted_at", None)),
                fields=["project", "created_at", "id"],
                name="capacity_readings_to_post",
            ),
        ),
        migrations.AddIndex(
            model_name="generationshare",
            index=models.Index(
                condition=models.Q(("posted_at", None)),
                fields=["reading", "organization"],
                name="capacity_shares_to_post",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationreading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("banked_percent", None),
                        ("banked_wh", None),
                        ("posted_at", None),
                        ("shared_at", None),
                    ),
                    models.Q(
                        ("banked_percent__gte", 0),
                        ("banked_percent__lte", 100),
                        ("banked_wh__gte", 0),
                        ("banked_wh__lte", models.F("energy_wh")),
                        ("shared_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="capacity_shared_reading_says_what_is_left",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationshare",
            constraint=models.CheckConstraint(
                condition=models.Q(("earned__gte", 0), ("energy_wh__gte", 0), ("percent__gte", 0)),
                name="capacity_share_is_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("true_up_month", None),
                    models.Q(("true_up_month__gte", 1), ("true_up_month__lte", 12)),
                    _connector="OR",
                ),
                name="capacity_true_up_month_is_one",
            ),
        ),
    ]
