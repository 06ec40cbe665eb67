"""Results are kept until a date, too; those that exist for thirty days from now on."""

from datetime import timedelta
from typing import Any

from django.db import migrations, models
from django.db.models.functions import Now


def keep_for_a_month(apps: Any, schema_editor: Any) -> None:
    areas = apps.get_model("jobs", "GenerationArea")._base_manager
    areas.exclude(result="").update(result_expires_at=Now() + timedelta(days=30))


class Migration(migrations.Migration):
    dependencies = [("jobs", "0041_claims_open")]

    operations = [
        migrations.AddField(
            model_name="generationarea",
            name="result_expires_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="generationarea",
            name="result_gone_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(keep_for_a_month, migrations.RunPython.noop),
    ]
