"""Erasures, looks in a member's place and offers of ownership: their mails have one mechanism."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

INDEXES = {
    "erasure": ("rbac_erasures_to_mail", "rbac_erasure_to_mail"),
    "impersonation": ("rbac_impersonations_to_mail", "rbac_impersonation_to_mail"),
    "ownershiptransfer": ("rbac_transfers_to_mail", "rbac_ownershiptransfer_to_mail"),
}


class Migration(migrations.Migration):
    dependencies = [("rbac", "0054_erasures_and_exports")]

    operations = [
        *(
            migrations.RenameIndex(model, new_name=new, old_name=old)
            for model, (old, new) in INDEXES.items()
        ),
        *(
            migrations.AddField(model, "mail_attempts", models.PositiveSmallIntegerField(default=0))
            for model in INDEXES
        ),
        *(
            migrations.AddField(model, "sent_at", models.DateTimeField(blank=True, null=True))
            for model in INDEXES
        ),
        migrations.AddField(
            "impersonation", "told", ArrayField(models.UUIDField(), blank=True, default=list)
        ),
    ]
