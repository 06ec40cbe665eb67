"""Warnings of expiry are sent as other mails are, with the columns of those."""

from django.db import migrations, models
from django.db.models import Q

# What waits has at least one attempt left: so far there was no end to them.
COPY = """
    UPDATE credits_expirywarning
       SET mail_due_at = CASE WHEN status = 'claimed' THEN locked_until END,
           mail_attempts = CASE WHEN status = 'claimed' THEN least(attempts, 7)
                                ELSE least(attempts, 32767) END
"""
COPY_BACK = """
    UPDATE credits_expirywarning
       SET attempts = mail_attempts, claim = gen_random_uuid(),
           locked_until = coalesce(mail_due_at, created_at),
           status = CASE WHEN sent_at IS NOT NULL THEN 'sent'
                         WHEN mail_due_at IS NULL THEN 'dropped' ELSE 'claimed' END
"""
INDEX = models.Index(
    fields=["mail_due_at"],
    condition=Q(mail_due_at__isnull=False),
    name="credits_expirywarning_to_mail",
)
GUARD = models.CheckConstraint(
    name="credits_sent_warning_is_over", condition=Q(sent_at=None) | Q(mail_due_at=None)
)


class Migration(migrations.Migration):
    dependencies = [("credits", "0014_budget_mails")]

    operations = [
        migrations.RemoveIndex("expirywarning", "credits_warnings_to_send"),
        migrations.RemoveConstraint("expirywarning", "credits_warning_status_is_known"),
        migrations.RemoveConstraint("expirywarning", "credits_sent_warning_has_a_time"),
        migrations.AddField(
            "expirywarning", "mail_due_at", models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            "expirywarning", "mail_attempts", models.PositiveSmallIntegerField(default=0)
        ),
        migrations.AlterField("expirywarning", "locked_until", models.DateTimeField(null=True)),
        migrations.RunSQL(COPY, COPY_BACK),
        migrations.RemoveField("expirywarning", "status"),
        migrations.RemoveField("expirywarning", "claim"),
        migrations.RemoveField("expirywarning", "locked_until"),
        migrations.RemoveField("expirywarning", "attempts"),
        migrations.AddIndex("expirywarning", INDEX),
        migrations.AddConstraint("expirywarning", GUARD),
    ]
