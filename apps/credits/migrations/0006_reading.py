from django.db import migrations, models


class Migration(migrations.Migration):
    """Finds the rare types of transactions without reading the charges between them."""

    dependencies = [("credits", "0005_corrections")]

    operations = [
        migrations.AddIndex(
            model_name="credittransaction",
            index=models.Index(
                condition=models.Q(("transaction_type", "consumed"), _negated=True),
                fields=["wallet", "transaction_type", "-sequence"],
                name="credits_entries_but_charges",
            ),
        ),
    ]
