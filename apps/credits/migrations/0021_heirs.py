"""A lot says whose heir it is, so that what becomes of the money reaches it."""

from pathlib import Path

from django.db import migrations, models
from django.db.models import Q

SQL = Path(__file__).with_suffix(".sql")
REVERSE = SQL.with_name("0021_heirs_reverse.sql")


class Migration(migrations.Migration):
    dependencies = [("credits", "0020_clawbacks")]

    operations = [
        migrations.AddField(
            "lot",
            "heir_of",
            models.ForeignKey(
                "credits.Lot",
                models.PROTECT,
                related_name="+",
                null=True,
                blank=True,
                db_index=False,
            ),
        ),
        migrations.AddIndex(
            "lot",
            models.Index(
                fields=["heir_of"], condition=Q(heir_of__isnull=False), name="credits_heirs"
            ),
        ),
        migrations.RunSQL(SQL.read_text(), REVERSE.read_text()),
    ]
