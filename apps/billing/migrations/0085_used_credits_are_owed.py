"""Credits that were used before their money went back may be owed."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0080_plans_that_end_by_themselves"),
        ("tenants", "0031_personal_values"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="clawed_back_as_debt",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="owes_used",
            field=models.BooleanField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("clawed_back_as_debt", 0),
                    models.Q(
                        ("clawed_back_as_debt__gt", 0),
                        ("clawed_back_as_debt__lte", models.F("clawed_back")),
                        ("owes_used", True),
                    ),
                    _connector="OR",
                ),
                name="billing_debt_is_part_of_clawed_back",
            ),
        ),
    ]
