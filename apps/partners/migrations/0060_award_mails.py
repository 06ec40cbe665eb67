"""An award to an active member is the queue of the mail that tells him of it."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("partners", "0051_open_rules")]

    operations = [
        migrations.AddField(
            "partnercredit", "mail_due_at", models.DateTimeField(null=True, blank=True)
        ),
        migrations.AddField(
            "partnercredit", "mail_attempts", models.PositiveSmallIntegerField(default=0)
        ),
        migrations.AddField(
            "partnercredit", "sent_at", models.DateTimeField(null=True, blank=True)
        ),
        migrations.AddIndex(
            "partnercredit",
            models.Index(
                fields=["mail_due_at"],
                condition=Q(mail_due_at__isnull=False),
                name="partners_partnercredit_to_mail",
            ),
        ),
    ]
