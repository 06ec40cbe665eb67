"""Holds, debts, and what else the complete ledger keeps."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.core.ids
import apps.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0002_ledger_guards"),
        ("tenants", "0002_audit_guard"),
    ]

    operations = [
        migrations.CreateModel(
            name="Hold",
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
                ("reference", models.CharField(max_length=200)),
                ("amount", models.BigIntegerField()),
                ("captured", models.BigIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("held", "Held"),
                            ("captured", "Captured"),
                            ("released", "Released"),
                            ("expired", "Expired"),
                        ],
                        default="held",
                        max_length=10,
                    ),
                ),
                (
                    "policy",
                    models.CharField(
                        choices=[("reject", "Reject"), ("cap", "Cap"), ("overflow", "Overflow")],
                        default="reject",
                        max_length=10,
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                (
                    "features",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.RemoveConstraint(
            model_name="credittransaction",
            name="credits_sign_follows_from_type",
        ),
        migrations.RemoveConstraint(
            model_name="lot",
            name="credits_lot_grants_something",
        ),
        migrations.RemoveConstraint(
            model_name="lot",
            name="credits_remaining_is_part_of_granted",
        ),
        migrations.RemoveConstraint(
            model_name="lot",
            name="credits_lot_kind_is_known",
        ),
        migrations.RemoveIndex(
            model_name="lot",
            name="credits_lots_with_credits",
        ),
        migrations.RemoveIndex(
            model_name="lot",
            name="credits_lots_by_expiry",
        ),
        migrations.AddField(
            model_name="lot",
            name="has_credits",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.ExpressionWrapper(
                    models.Q(("remaining", 0), _negated=True), output_field=models.BooleanField()
                ),
                output_field=models.BooleanField(),
            ),
        ),
        migrations.AlterField(
            model_name="credittransaction",
            name="transaction_type",
            field=models.CharField(
                choices=[
                    ("earned", "Earned"),
                    ("purchased", "Purchased"),
                    ("consumed", "Consumed"),
                    ("held", "Held"),
                    ("released", "Released"),
                    ("refunded", "Refunded"),
                    ("expired", "Expired"),
                    ("voided", "Voided"),
                    ("transferred_in", "Transferred In"),
                    ("transferred_out", "Transferred Out"),
                    ("adjusted", "Adjusted"),
                    ("clawed_back", "Clawed Back"),
                    ("repaid", "Repaid"),
                    ("redated", "Redated"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="lot",
            name="kind",
            field=models.CharField(
                choices=[
                    ("trial", "Trial"),
                    ("promotional", "Promotional"),
                    ("partner", "Partner"),
                    ("subscription", "Subscription"),
                    ("purchase", "Purchase"),
                    ("generation", "Generation"),
                    ("adjustment", "Adjustment"),
                    ("debt", "Debt"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                condition=models.Q(("has_credits", True)),
                fields=["wallet"],
                name="credits_lots_with_credits",
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                condition=models.Q(("has_credits", True)),
                fields=["expires_at", "wallet"],
                name="credits_lots_by_expiry",
            ),
        ),
        migrations.AddConstraint(
            model_name="credittransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount__gt", 0),
                        (
                            "transaction_type__in",
                            ["earned", "purchased", "released", "refunded", "transferred_in"],
                        ),
                    ),
                    models.Q(
                        ("amount__lt", 0),
                        (
                            "transaction_type__in",
                            [
                                "consumed",
                                "held",
                                "expired",
                                "voided",
                                "transferred_out",
                                "clawed_back",
                            ],
                        ),
                    ),
                    models.Q(
                        ("transaction_type__in", ["adjusted", "repaid", "redated"]),
                        models.Q(("amount", 0), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="credits_sign_follows_from_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(models.Q(("kind", "debt"), _negated=True), ("granted__gt", 0)),
                    models.Q(("granted__lt", 0), ("kind", "debt")),
                    _connector="OR",
                ),
                name="credits_lot_grants_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("remaining__gte", 0), ("remaining__lte", models.F("granted"))),
                    models.Q(("remaining__gte", models.F("granted")), ("remaining__lte", 0)),
                    _connector="OR",
                ),
                name="credits_remaining_is_part_of_granted",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "trial",
                            "promotional",
                            "partner",
                            "subscription",
                            "purchase",
                            "generation",
                            "adjustment",
                            "debt",
                        ],
                    )
                ),
                name="credits_lot_kind_is_known",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="credit_event",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="credits.creditevent",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.organization",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="wallet",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="credits.wallet"
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("status", "held")),
                fields=["wallet", "expires_at"],
                name="credits_open_holds_of_wallet",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("status", "held")),
                fields=["expires_at"],
                name="credits_holds_by_expiry",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                fields=["organization", "-created_at", "-id"], name="credits_holds_of_tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(
                fields=("wallet", "reference"), name="credits_one_hold_per_reference"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="credits_hold_sets_something_aside"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["held", "captured", "released", "expired"])),
                name="credits_hold_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("policy__in", ["reject", "cap", "overflow"])),
                name="credits_hold_policy_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("captured__gt", 0),
                        ("captured__lte", models.F("amount")),
                        ("status", "captured"),
                    ),
                    models.Q(("captured__gt", 0), ("policy", "overflow"), ("status", "captured")),
                    models.Q(models.Q(("status", "captured"), _negated=True), ("captured", 0)),
                    _connector="OR",
                ),
                name="credits_captured_fits_the_hold",
            ),
        ),
    ]
