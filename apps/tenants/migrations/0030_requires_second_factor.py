"""Organizations may let in only those who have shown a second factor."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0020_audit_chain")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="requires_second_factor",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Its pages open only to those who have shown a second factor.",
            ),
        )
    ]
