"""A cause may give back two movements of one lot."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0009_prices_are_kept"),
        ("tenants", "0002_audit_guard"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="credittransaction",
            name="credits_cause_moves_a_lot_once",
        ),
        migrations.AddConstraint(
            model_name="credittransaction",
            constraint=models.UniqueConstraint(
                fields=("wallet", "reference", "transaction_type", "lot", "reverses"),
                name="credits_cause_moves_a_lot_once",
                nulls_distinct=False,
            ),
        ),
    ]
