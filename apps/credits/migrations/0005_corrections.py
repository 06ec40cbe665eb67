"""What staff change by hand, and who agreed."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import apps.core.ids
import apps.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0004_hold_guards"),
        ("tenants", "0002_audit_guard"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Correction",
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
                    "action",
                    models.CharField(
                        choices=[
                            ("grant", "Grant"),
                            ("deduct", "Deduct"),
                            ("void", "Void"),
                            ("change_expiry", "Change Expiry"),
                        ],
                        max_length=20,
                    ),
                ),
                ("terms", models.JSONField()),
                ("amount", models.BigIntegerField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("goodwill", "Goodwill"),
                            ("service_failure", "Service Failure"),
                            ("billing_error", "Billing Error"),
                            ("migration", "Migration"),
                            ("fraud", "Fraud"),
                            ("contract", "Contract"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("ticket", models.CharField(blank=True, max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("posted", "Posted"),
                            ("rejected", "Rejected"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("needs_second_person", models.BooleanField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("comment", models.TextField(blank=True)),
                ("expires_at", models.DateTimeField()),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="credits.wallet",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["expires_at"],
                        name="credits_pending_corrections",
                    ),
                    models.Index(
                        fields=["organization", "-created_at", "-id"],
                        name="credits_corrections_of_tenant",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="credits_maker_is_not_checker",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_by", None), ("status", "pending")),
                            models.Q(("needs_second_person", False), ("status", "posted")),
                            models.Q(
                                ("decided_by__isnull", False),
                                ("status__in", ["posted", "rejected"]),
                            ),
                            _connector="OR",
                        ),
                        name="credits_decision_has_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("action__in", ["grant", "deduct", "void", "change_expiry"])
                        ),
                        name="credits_correction_action_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="credits_correction_is_about_credits",
                    ),
                ],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
