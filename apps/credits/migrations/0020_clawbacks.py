"""Credits that are taken back may be given back; nothing is drawn from a frozen lot."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).with_suffix(".sql")
REVERSE = SQL.with_name("0020_clawbacks_reverse.sql")


class Migration(migrations.Migration):
    dependencies = [("credits", "0015_expiry_mails")]

    operations = [
        migrations.RemoveConstraint(
            model_name="credittransaction", name="credits_sign_follows_from_type"
        ),
        migrations.AddConstraint(
            model_name="credittransaction",
            constraint=models.CheckConstraint(
                name="credits_sign_follows_from_type",
                condition=models.Q(
                    amount__gt=0,
                    transaction_type__in=[
                        "earned",
                        "purchased",
                        "released",
                        "refunded",
                        "transferred_in",
                    ],
                )
                | models.Q(
                    amount__lt=0,
                    transaction_type__in=[
                        "consumed",
                        "held",
                        "expired",
                        "voided",
                        "transferred_out",
                        "clawed_back",
                    ],
                )
                | models.Q(transaction_type="clawed_back", amount__gt=0, reverses__isnull=False)
                | (
                    models.Q(transaction_type__in=["adjusted", "repaid", "redated"])
                    & ~models.Q(amount=0)
                ),
            ),
        ),
        migrations.RunSQL(SQL.read_text(), reverse_sql=REVERSE.read_text()),
    ]
