"""A reservation is never deleted, and what is allocated or late stays so."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("capacity", "0020_generation")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql=Path(__file__).with_name(f"{Path(__file__).stem}_reverse.sql").read_text(),
        )
    ]
