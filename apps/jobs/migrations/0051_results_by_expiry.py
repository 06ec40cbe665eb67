"""What the sweep of old results looks through: apart, because rows were written before."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("jobs", "0050_results_have_an_end")]

    operations = [
        migrations.AddIndex(
            model_name="generationarea",
            index=models.Index(
                fields=["result_expires_at"],
                condition=Q(result_expires_at__isnull=False, result_gone_at=None),
                name="jobs_results_by_expiry",
            ),
        ),
    ]
