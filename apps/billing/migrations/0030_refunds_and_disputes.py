"""Refunds and disputes, and what they take back of a payment's credits."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import apps.core.ids
import apps.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0020_purchases"),
        ("tenants", "0031_personal_values"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Dispute",
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
                ("stripe_dispute_id", models.CharField(max_length=255, unique=True)),
                ("amount", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("warning_needs_response", "Inquiry: needs an answer"),
                            ("warning_under_review", "Inquiry: under review"),
                            ("needs_response", "Needs an answer"),
                            ("under_review", "Under review"),
                            ("warning_closed", "Inquiry: closed"),
                            ("prevented", "Prevented"),
                            ("won", "Won"),
                            ("lost", "Lost"),
                        ],
                        max_length=25,
                    ),
                ),
                ("reason", models.CharField(max_length=100)),
                ("credits", models.BigIntegerField(default=0)),
                ("evidence_due_at", models.DateTimeField(blank=True, null=True)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="Refund",
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
                    "stripe_refund_id",
                    models.CharField(blank=True, max_length=255, null=True, unique=True),
                ),
                ("amount", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("pending", "Pending"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("requested_by_customer", "The customer asked for it"),
                            ("duplicate", "Paid twice"),
                            ("fraudulent", "Paid with somebody else's card"),
                            ("other", "Another reason"),
                        ],
                        default="other",
                        max_length=25,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("credits", models.BigIntegerField(default=0)),
                ("failure_reason", models.CharField(blank=True, max_length=500)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.AddField(
            model_name="payment",
            name="to_claw_back",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("to_claw_back__gt", models.F("clawed_back"))),
                fields=["stripe_payment_intent_id"],
                name="billing_payments_to_claw_back",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("to_claw_back__gte", models.F("clawed_back")),
                    ("to_claw_back__lte", models.F("credits")),
                ),
                name="billing_clawed_back_was_refunded_or_lost",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.organization",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="disputes",
                to="billing.payment",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.organization",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refunds",
                to="billing.payment",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="requested_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(
                condition=models.Q(("closed_at", None)),
                fields=["evidence_due_at"],
                name="billing_disputes_to_answer",
            ),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["organization", "-id"], name="billing_disputes_of_tenant"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0), ("credits__gte", 0)),
                name="billing_dispute_is_possible",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_at", None),
                        (
                            "status__in",
                            [
                                "warning_needs_response",
                                "warning_under_review",
                                "needs_response",
                                "under_review",
                            ],
                        ),
                    ),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("status__in", ["warning_closed", "prevented", "won", "lost"]),
                    ),
                    _connector="OR",
                ),
                name="billing_dispute_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("credits", 0), ("status", "lost"), _connector="OR"),
                name="billing_only_a_lost_dispute_takes",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("status", "requested")),
                fields=["created_at"],
                name="billing_refunds_to_resume",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["organization", "-id"], name="billing_refunds_of_tenant"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("credits__gte", 0)),
                name="billing_refund_is_possible",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["requested", "failed"]),
                    models.Q(
                        ("status__in", ["pending", "succeeded"]),
                        ("stripe_refund_id__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="billing_refund_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("stripe_refund_id", None), ("told_at", None)),
                    models.Q(("stripe_refund_id__isnull", False), ("told_at__isnull", False)),
                    _connector="OR",
                ),
                name="billing_refund_at_stripe_says_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credits", 0), ("status__in", ["pending", "succeeded"]), _connector="OR"
                ),
                name="billing_failed_refund_takes_nothing",
            ),
        ),
    ]
