"""Areas of jobs, and what paid for each try of them; the work that jobs hold moves there next."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import apps.core.ids
import apps.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0020_clawbacks"),
        ("jobs", "0002_course_of_a_job"),
        ("tenants", "0040_outbox"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("charge_reference", models.CharField(blank=True, max_length=200)),
                ("cost", models.BigIntegerField(default=0)),
                (
                    "payment_type",
                    models.CharField(
                        choices=[("plan", "Plan"), ("trial", "Trial"), ("credits", "Credits")],
                        max_length=20,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="open",
                        max_length=20,
                    ),
                ),
                ("refunded", models.BigIntegerField(default=0)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="GenerationArea",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("operation_type", models.CharField(max_length=100)),
                ("parameters", models.JSONField(default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("processing", "Processing"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("attempt_number", models.PositiveSmallIntegerField(default=1)),
                ("price", models.BigIntegerField(default=0)),
                (
                    "payment_type",
                    models.CharField(
                        choices=[("plan", "Plan"), ("trial", "Trial"), ("credits", "Credits")],
                        max_length=20,
                    ),
                ),
                ("progress", models.PositiveSmallIntegerField(default=0)),
                ("claims", models.PositiveSmallIntegerField(default=0)),
                ("claim", models.UUIDField(blank=True, null=True)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=100)),
                ("result", models.FileField(blank=True, max_length=200, upload_to="")),
                ("result_content_type", models.CharField(blank=True, max_length=50)),
                ("result_width", models.PositiveIntegerField(blank=True, null=True)),
                ("result_height", models.PositiveIntegerField(blank=True, null=True)),
                ("error_code", models.CharField(blank=True, max_length=50)),
                ("error_message", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="OrganizationQueue",
            fields=[
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="tenants.organization",
                    ),
                ),
                ("concurrency", models.PositiveSmallIntegerField(default=4)),
                ("last_claimed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="generationjob",
            name="area_count",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="generationjob",
            name="cancelled_areas",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="generationjob",
            name="completed_areas",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="generationjob",
            name="deadline",
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="generationjob",
            name="failed_areas",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="generationjob",
            name="refunded",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="attempt",
            name="credit_event",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="credits.creditevent",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="hold",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="credits.hold",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.organization",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="wallet",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="credits.wallet"
            ),
        ),
        migrations.AddField(
            model_name="generationarea",
            name="job",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="areas",
                to="jobs.generationjob",
            ),
        ),
        migrations.AddField(
            model_name="generationarea",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.organization",
            ),
        ),
        migrations.AddField(
            model_name="generationarea",
            name="upload",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="jobs.blobupload",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="area",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="jobs.generationarea",
            ),
        ),
        migrations.AddConstraint(
            model_name="organizationqueue",
            constraint=models.CheckConstraint(
                condition=models.Q(("concurrency__gte", 1)), name="jobs_queue_lets_one_run"
            ),
        ),
        migrations.AddIndex(
            model_name="generationarea",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["operation_type", "organization", "id"],
                name="jobs_waiting_areas",
            ),
        ),
        migrations.AddIndex(
            model_name="generationarea",
            index=models.Index(
                condition=models.Q(("status", "processing")),
                fields=["organization"],
                name="jobs_running_areas",
            ),
        ),
        migrations.AddIndex(
            model_name="generationarea",
            index=models.Index(
                condition=models.Q(("status", "processing")),
                fields=["claimed_until"],
                name="jobs_areas_by_lease",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationarea",
            constraint=models.UniqueConstraint(
                fields=("job", "position"), name="jobs_one_area_a_place"
            ),
        ),
        migrations.AddConstraint(
            model_name="generationarea",
            constraint=models.CheckConstraint(
                condition=models.Q(("position__gte", 1), ("position__lte", 20)),
                name="jobs_area_has_a_place",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationarea",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["pending", "processing", "completed", "failed", "cancelled"])
                ),
                name="jobs_area_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationarea",
            constraint=models.CheckConstraint(
                condition=models.Q(("progress__lte", 100)), name="jobs_area_progress_is_percent"
            ),
        ),
        migrations.AddConstraint(
            model_name="generationarea",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("claim__isnull", False),
                        ("claimed_until__isnull", False),
                        ("status", "processing"),
                    ),
                    models.Q(
                        models.Q(("status", "processing"), _negated=True),
                        ("claim", None),
                        ("claimed_until", None),
                    ),
                    _connector="OR",
                ),
                name="jobs_area_claimed_while_processing",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationarea",
            constraint=models.CheckConstraint(
                condition=models.Q(("claims__lte", 5)), name="jobs_area_is_taken_so_often"
            ),
        ),
        migrations.AddConstraint(
            model_name="generationarea",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("completed_at__isnull", False),
                        ("status__in", ["completed", "failed", "cancelled"]),
                    ),
                    models.Q(("completed_at", None), ("status__in", ["pending", "processing"])),
                    _connector="OR",
                ),
                name="jobs_area_ended_has_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationarea",
            constraint=models.CheckConstraint(
                condition=models.Q(("result", ""), ("status", "completed"), _negated=True),
                name="jobs_area_completed_has_a_result",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                fields=("area", "number"), name="jobs_attempts_are_numbered"
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "open")),
                fields=("area",),
                name="jobs_one_open_attempt",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("charge_reference", ""), _negated=True),
                fields=("wallet", "charge_reference"),
                name="jobs_charge_pays_one_attempt",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("charge_reference", ""), ("cost", 0), ("hold", None)),
                    models.Q(("cost__gt", 0), models.Q(("charge_reference", ""), _negated=True)),
                    _connector="OR",
                ),
                name="jobs_what_costs_is_charged",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("payment_type", "plan"), _negated=True), ("cost", 0), _connector="OR"
                ),
                name="jobs_plans_pay_no_credits",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["open", "completed", "failed", "cancelled"])),
                name="jobs_attempt_outcome_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("outcome", "open")),
                    models.Q(
                        models.Q(("outcome", "open"), _negated=True), ("ended_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="jobs_attempt_ended_has_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome__in", ["open", "completed"]), ("refunded", 0)),
                    models.Q(
                        ("outcome__in", ["failed", "cancelled"]), ("refunded", models.F("cost"))
                    ),
                    _connector="OR",
                ),
                name="jobs_attempt_is_given_back",
            ),
        ),
    ]
