"""An award keeps the reference of its transfer, so that a query can join it with the ledger."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("partners", "0010_claim_links")]

    operations = [
        migrations.AddField(
            "partnercredit",
            "reference",
            models.CharField(max_length=60, unique=True, editable=False),
        ),
        migrations.AddIndex(
            "partnercredit",
            models.Index(
                fields=["settled_at"],
                condition=Q(settled_at__isnull=False),
                name="partners_awards_settled",
            ),
        ),
    ]
