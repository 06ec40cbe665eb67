"""Mails about budgets are sent as other mails are, with the columns of those."""

from django.db import migrations, models

# What waits has at least one attempt left: so far there was no end to them.
COPY = """
    UPDATE credits_budgetalert
       SET mail_attempts = CASE WHEN mail_due_at IS NULL THEN least(attempts, 32767)
                                ELSE least(attempts, 7) END
"""
COPY_BACK = "UPDATE credits_budgetalert SET attempts = mail_attempts"


class Migration(migrations.Migration):
    dependencies = [("credits", "0013_look_ups")]

    operations = [
        migrations.RenameIndex(
            "budgetalert", new_name="credits_budgetalert_to_mail", old_name="credits_alerts_to_send"
        ),
        migrations.AddField(
            "budgetalert", "mail_attempts", models.PositiveSmallIntegerField(default=0)
        ),
        migrations.RunSQL(COPY, COPY_BACK),
        migrations.RemoveField("budgetalert", "attempts"),
    ]
