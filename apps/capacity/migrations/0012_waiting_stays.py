"""Where somebody stands in the line; what has ended on a waiting list stays so."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("capacity", "0011_offers")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql=Path(__file__).with_name(f"{Path(__file__).stem}_reverse.sql").read_text(),
        )
    ]
