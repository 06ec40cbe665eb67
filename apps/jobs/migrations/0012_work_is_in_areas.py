"""What areas and attempts hold by now is no more in the job; and the course of both is guarded."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0011_one_area_for_each_job")]

    operations = [
        migrations.RemoveConstraint(
            model_name="generationjob",
            name="jobs_what_costs_is_charged",
        ),
        migrations.RemoveConstraint(
            model_name="generationjob",
            name="jobs_charge_pays_one_job",
        ),
        migrations.RemoveConstraint(
            model_name="generationjob",
            name="jobs_progress_is_percent",
        ),
        migrations.RemoveConstraint(
            model_name="generationjob",
            name="jobs_claimed_while_processing",
        ),
        migrations.RemoveConstraint(
            model_name="generationjob",
            name="jobs_completed_has_a_result",
        ),
        migrations.RemoveIndex(
            model_name="generationjob",
            name="jobs_unfinished",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="attempts",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="charge_reference",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="claim",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="claimed_until",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="credit_event",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="error_code",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="error_message",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="parameters",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="progress",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="result",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="result_content_type",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="result_height",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="result_width",
        ),
        migrations.RemoveField(
            model_name="generationjob",
            name="upload",
        ),
        migrations.AlterField(
            model_name="generationjob",
            name="cost",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="generationjob",
            name="payment_type",
            field=models.CharField(
                choices=[("plan", "Plan"), ("trial", "Trial"), ("credits", "Credits")],
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="generationjob",
            index=models.Index(
                condition=models.Q(("status__in", ("pending", "processing"))),
                fields=["deadline"],
                name="jobs_unfinished_by_deadline",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("area_count__gte", 1), ("area_count__lte", 20)),
                name="jobs_have_one_to_twenty_areas",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "area_count__gt",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("completed_areas"), "+", models.F("failed_areas")
                                ),
                                "+",
                                models.F("cancelled_areas"),
                            ),
                        ),
                        ("status__in", ("pending", "processing")),
                    ),
                    models.Q(
                        models.Q(("status__in", ("pending", "processing")), _negated=True),
                        (
                            "area_count",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("completed_areas"), "+", models.F("failed_areas")
                                ),
                                "+",
                                models.F("cancelled_areas"),
                            ),
                        ),
                    ),
                    _connector="OR",
                ),
                name="jobs_end_with_their_last_area",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ("pending", "processing")),
                    models.Q(("completed_areas__gt", 0), ("status", "completed")),
                    models.Q(("completed_areas", 0), ("failed_areas__gt", 0), ("status", "failed")),
                    models.Q(("cancelled_areas", models.F("area_count")), ("status", "cancelled")),
                    _connector="OR",
                ),
                name="jobs_end_as_their_areas_did",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunded__gte", 0), ("refunded__lte", models.F("cost"))),
                name="jobs_give_back_what_was_taken",
            ),
        ),
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql=Path(__file__).with_name(f"{Path(__file__).stem}_reverse.sql").read_text(),
        ),
    ]
