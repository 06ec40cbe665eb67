"""Allocations that were imported say from which row of the former system, once and for ever."""

from pathlib import Path

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("capacity", "0022_readings_stay")]

    operations = [
        migrations.AddField(
            "allocation",
            "former_id",
            models.CharField(max_length=110, blank=True, default="", editable=False),
        ),
        migrations.AddConstraint(
            "allocation",
            models.UniqueConstraint(
                fields=["former_id"],
                condition=~Q(former_id=""),
                name="capacity_allocation_is_imported_once",
            ),
        ),
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql=Path(__file__).with_name(f"{Path(__file__).stem}_reverse.sql").read_text(),
        ),
    ]
