"""Balances of a former system that became lots, and their history, to be read and never changed."""

from pathlib import Path

import django.db.models.functions
from django.db import migrations, models
from django.db.models import Q

import apps.core.ids
import apps.core.models

SQL = Path(__file__).with_suffix(".sql")
REVERSE = SQL.with_name("0202_former_accounts_reverse.sql")


def _of_every_row() -> list[tuple[str, models.Field]]:
    return [
        (
            "id",
            models.UUIDField(
                primary_key=True, default=apps.core.ids.new_id, editable=False, serialize=False
            ),
        ),
        (
            "created_at",
            models.DateTimeField(db_default=django.db.models.functions.Now(), editable=False),
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("credits", "0201_holders"), ("tenants", "0041_clocks_of_sandboxes")]

    operations = [
        migrations.CreateModel(
            name="FormerAccount",
            fields=[
                *_of_every_row(),
                ("former_id", models.CharField(max_length=100)),
                ("balance", models.BigIntegerField()),
                ("history_digest", models.BinaryField(max_length=32, null=True)),
                ("difference", models.BigIntegerField(default=0)),
                ("difference_reason", models.CharField(blank=True, max_length=500)),
                (
                    "organization",
                    models.ForeignKey("tenants.organization", models.PROTECT, related_name="+"),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        "credits.wallet", models.PROTECT, related_name="+", db_index=False
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["former_id"], name="credits_former_account_is_imported_once"
                    ),
                    models.CheckConstraint(
                        name="credits_former_balance_is_not_negative", condition=Q(balance__gte=0)
                    ),
                    models.CheckConstraint(
                        name="credits_former_difference_has_a_reason",
                        condition=Q(difference=0, difference_reason="")
                        | ~Q(difference=0)
                        & ~Q(difference_reason="")
                        & Q(history_digest__isnull=False),
                    ),
                ],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="FormerMovement",
            fields=[
                *_of_every_row(),
                ("former_id", models.CharField(max_length=100)),
                ("occurred_at", models.DateTimeField()),
                ("kind", models.CharField(blank=True, max_length=100)),
                ("amount", models.BigIntegerField()),
                ("balance_after", models.BigIntegerField(blank=True, null=True)),
                ("description", models.TextField(blank=True)),
                ("stripe_payment_intent_id", models.CharField(blank=True, max_length=255)),
                (
                    "organization",
                    models.ForeignKey(
                        "tenants.organization", models.PROTECT, related_name="+", db_index=False
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        "credits.formeraccount",
                        models.PROTECT,
                        related_name="movements",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "ordering": ["-occurred_at", "-id"],
                "indexes": [
                    models.Index(
                        fields=["organization", "-occurred_at", "-id"],
                        name="credits_former_of_tenant",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["account", "former_id"],
                        name="credits_former_movement_is_imported_once",
                    )
                ],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.RunSQL(SQL.read_text(), REVERSE.read_text()),
    ]
