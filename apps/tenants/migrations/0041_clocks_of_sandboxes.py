"""The clock of a sandbox, and the trigger that keeps it from going back."""

from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0040_outbox"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="clock_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="""
                DROP TRIGGER tenants_clock_goes_on ON tenants_organization;
                DROP FUNCTION tenants_clock_goes_on();
            """,
        ),
    ]
