"""Blocks, allocations and rates keep what they say, and none of them is deleted."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("capacity", "0001_projects_and_allocations")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql=Path(__file__).with_name(f"{Path(__file__).stem}_reverse.sql").read_text(),
        )
    ]
