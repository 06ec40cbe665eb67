from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0106_payments_for_capacity")]

    operations = [
        migrations.RemoveConstraint(
            model_name="reconciliationcase", name="billing_case_kind_is_known"
        ),
        migrations.AlterField(
            model_name="reconciliationcase",
            name="kind",
            field=models.CharField(
                choices=[
                    ("paid_not_settled", "Paid at Stripe, not settled here"),
                    ("payment_missing", "Paid at Stripe, no payment here"),
                    ("settled_not_paid", "Settled here, not paid at Stripe"),
                    ("amount_differs", "Another amount was paid"),
                    ("refund_differs", "Another amount was refunded"),
                    ("not_granted", "Paid, and credits not granted"),
                    ("credits_differ", "Other credits were granted"),
                    ("granted_not_paid", "Granted without a payment"),
                    ("not_given_back", "Had to go back, and Stripe refused"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="reconciliationcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "paid_not_settled",
                            "payment_missing",
                            "settled_not_paid",
                            "amount_differs",
                            "refund_differs",
                            "not_granted",
                            "credits_differ",
                            "granted_not_paid",
                            "not_given_back",
                        ],
                    )
                ),
                name="billing_case_kind_is_known",
            ),
        ),
    ]
