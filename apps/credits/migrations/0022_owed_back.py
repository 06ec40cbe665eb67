"""What a wallet owes beside its credit line."""

import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0021_heirs"),
        ("tenants", "0031_personal_values"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="wallet",
            name="credits_balance_is_covered",
        ),
        migrations.AddField(
            model_name="wallet",
            name="owed_back",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddConstraint(
            model_name="wallet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "balance__gte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("credit_line"), "*", models.Value(-1)
                            ),
                            "-",
                            models.F("owed_back"),
                        ),
                    )
                ),
                name="credits_balance_is_covered",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallet",
            constraint=models.CheckConstraint(
                condition=models.Q(("owed_back__gte", 0)), name="credits_owed_back_is_not_negative"
            ),
        ),
    ]
