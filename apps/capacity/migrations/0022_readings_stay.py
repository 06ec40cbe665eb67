"""What was read, divided and posted stays as it is, and is never deleted."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("capacity", "0021_shares_in_credits")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql=Path(__file__).with_name(f"{Path(__file__).stem}_reverse.sql").read_text(),
        )
    ]
