"""API keys say when the next warning of their end is due, and not of which they were warned."""

from django.db import migrations, models
from django.db.models import Q

# The first threshold that the key has lived through and of which nobody was told; one that
# has passed already is told of at once, as it would have been.
FILL = """
    UPDATE rbac_apikey
       SET mail_due_at = least(
           CASE WHEN (warned_days IS NULL OR warned_days > 7)
                 AND created_at < expires_at - interval '168 hours'
                THEN expires_at - interval '168 hours' END,
           CASE WHEN (warned_days IS NULL OR warned_days > 1)
                 AND created_at < expires_at - interval '24 hours'
                THEN expires_at - interval '24 hours' END)
     WHERE revoked_at IS NULL AND expires_at > now()
"""
# What was told is what is not due any more.
FILL_BACK = """
    UPDATE rbac_apikey
       SET warned_days = CASE WHEN mail_due_at IS NULL AND expires_at <= now() + interval '1 day'
                              THEN 1
                              WHEN mail_due_at > expires_at - interval '168 hours' THEN 7 END
"""
INDEX = models.Index(
    fields=["mail_due_at"],
    condition=Q(mail_due_at__isnull=False),
    name="rbac_apikey_to_mail",
)


class Migration(migrations.Migration):
    dependencies = [("rbac", "0061_invitation_mails")]

    operations = [
        migrations.AddField("apikey", "mail_due_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("apikey", "mail_attempts", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("apikey", "sent_at", models.DateTimeField(blank=True, null=True)),
        migrations.RunSQL(FILL, FILL_BACK),
        migrations.RemoveIndex("apikey", "rbac_keys_that_will_end"),
        migrations.AddIndex("apikey", INDEX),
        migrations.RemoveField("apikey", "warned_days"),
        migrations.RemoveField("apikey", "warning_claimed_until"),
    ]
