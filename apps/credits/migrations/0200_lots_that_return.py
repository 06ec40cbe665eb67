"""A lot says to which other one its credits return if they are not used."""

from pathlib import Path

from django.db import migrations, models
from django.db.models import Q

SQL = Path(__file__).with_suffix(".sql")
REVERSE = SQL.with_name("0200_lots_that_return_reverse.sql")


class Migration(migrations.Migration):
    dependencies = [("credits", "0022_owed_back")]

    operations = [
        migrations.AddField(
            "lot",
            "returns_to",
            models.ForeignKey(
                "credits.Lot",
                models.PROTECT,
                related_name="+",
                null=True,
                blank=True,
                db_index=False,
            ),
        ),
        migrations.AddConstraint(
            "lot",
            models.CheckConstraint(
                name="credits_debts_return_nowhere",
                condition=Q(returns_to=None) | ~Q(kind="debt"),
            ),
        ),
        migrations.AddIndex(
            "lot",
            models.Index(
                fields=["expires_at"],
                condition=Q(has_credits=True, returns_to__isnull=False),
                name="credits_lots_to_recall",
            ),
        ),
        migrations.RunSQL(SQL.read_text(), REVERSE.read_text()),
    ]
