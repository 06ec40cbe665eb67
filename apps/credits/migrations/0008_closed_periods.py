"""The monthly close: months into which nothing is written any more, and what they held."""

from pathlib import Path

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.core.ids
import apps.core.models

SQL = Path(__file__).with_suffix(".sql")
REVERSE = SQL.with_name("0008_closed_periods_reverse.sql")


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0007_expiry_warnings"),
        ("tenants", "0002_audit_guard"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClosedPeriod",
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
                ("month", models.DateField(unique=True)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(unique=True)),
                ("closed_by", models.CharField(max_length=100)),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="ClosedWallet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("opening", models.BigIntegerField()),
                ("credits_in", models.BigIntegerField()),
                ("credits_out", models.BigIntegerField()),
                ("closing", models.BigIntegerField()),
                ("totals", models.JSONField(default=dict)),
                ("sequence", models.BigIntegerField()),
                ("head_hash", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.AddIndex(
            model_name="credittransaction",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["created_at"], name="credits_entries_by_time"
            ),
        ),
        migrations.CreateModel(
            name="ClosedTotals",
            fields=[
                (
                    "period",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="totals",
                        serialize=False,
                        to="credits.closedperiod",
                    ),
                ),
                ("wallets", models.PositiveIntegerField()),
                ("opening", models.BigIntegerField()),
                ("credits_in", models.BigIntegerField()),
                ("credits_out", models.BigIntegerField()),
                ("closing", models.BigIntegerField()),
                ("totals", models.JSONField(default=dict)),
                ("deferred_revenue", models.JSONField(default=dict)),
                ("breakage_credits", models.BigIntegerField(default=0)),
                ("breakage_value", models.JSONField(default=dict)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="closedperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_at__lt", models.F("ends_at"))),
                name="credits_period_is_a_month",
            ),
        ),
        migrations.CreateModel(
            name="LiabilityReport",
            fields=[],
            options={
                "verbose_name": "liability",
                "verbose_name_plural": "liability",
                "proxy": True,
                "default_permissions": ("view",),
                "indexes": [],
                "constraints": [],
            },
            bases=("credits.closedperiod",),
        ),
        migrations.AddField(
            model_name="closedwallet",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.organization",
            ),
        ),
        migrations.AddField(
            model_name="closedwallet",
            name="period",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="wallets",
                to="credits.closedperiod",
            ),
        ),
        migrations.AddField(
            model_name="closedwallet",
            name="wallet",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="credits.wallet",
            ),
        ),
        migrations.AddConstraint(
            model_name="closedtotals",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "closing",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("opening"), "+", models.F("credits_in")
                            ),
                            "-",
                            models.F("credits_out"),
                        ),
                    )
                ),
                name="credits_closed_totals_add_up",
            ),
        ),
        migrations.AddIndex(
            model_name="closedwallet",
            index=models.Index(fields=["organization", "wallet"], name="credits_closed_of_tenant"),
        ),
        migrations.AddConstraint(
            model_name="closedwallet",
            constraint=models.UniqueConstraint(
                fields=("period", "wallet"), name="credits_wallet_is_closed_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="closedwallet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "closing",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("opening"), "+", models.F("credits_in")
                            ),
                            "-",
                            models.F("credits_out"),
                        ),
                    )
                ),
                name="credits_closed_wallet_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="closedwallet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credits_in__gte", 0), ("credits_out__gte", 0), ("sequence__gt", 0)
                ),
                name="credits_closed_wallet_moves_forwards",
            ),
        ),
        migrations.RunSQL(SQL.read_text(), reverse_sql=REVERSE.read_text()),
    ]
