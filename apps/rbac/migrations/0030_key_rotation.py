"""API keys with a secret before the last rotation, and by which program they were used."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rbac", "0020_invitations"),
        ("tenants", "0020_audit_chain"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="last_used_agent",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_digest",
            field=models.BinaryField(max_length=32, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_hint",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="apikey",
            name="previous_used_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="apikey",
            name="rotated_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("previous_digest", None), ("previous_until__isnull", False), _connector="OR"
                ),
                name="rbac_old_secret_has_an_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("previous_until", None),
                    ("expires_at", None),
                    ("previous_until__lte", models.F("expires_at")),
                    _connector="OR",
                ),
                name="rbac_old_secret_ends_with_its_key",
            ),
        ),
    ]
