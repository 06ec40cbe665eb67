"""Partners, terms, members, awards, campaigns, requests and uploads."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import apps.core.ids
import apps.core.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("credits", "0022_owed_back"),
        ("tenants", "0041_clocks_of_sandboxes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Partner",
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
                ("name", models.CharField(max_length=100)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("suspended", "Suspended")],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="MemberGroup",
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
                ("name", models.CharField(max_length=100)),
                ("cost_centre", models.CharField(blank=True, max_length=50)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="groups",
                        to="partners.partner",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="Campaign",
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
                ("name", models.CharField(max_length=100)),
                ("budget", models.BigIntegerField()),
                ("awarded", models.BigIntegerField(default=0)),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="campaigns",
                        to="partners.partner",
                    ),
                ),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="AwardRule",
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
                ("domain", models.CharField(max_length=253)),
                ("credits", models.BigIntegerField()),
                ("is_active", models.BooleanField(default=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.campaign",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rules",
                        to="partners.partner",
                    ),
                ),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="PartnerMember",
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
                ("mail_due_at", models.DateTimeField(blank=True, null=True)),
                ("mail_attempts", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("email", models.CharField(max_length=254)),
                ("first_name", models.CharField(blank=True, max_length=100)),
                ("last_name", models.CharField(blank=True, max_length=100)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("invited", "Invited"),
                            ("active", "Active"),
                            ("suspended", "Suspended"),
                            ("left", "Left"),
                        ],
                        default="invited",
                        max_length=10,
                    ),
                ),
                ("digest", models.BinaryField(max_length=32, null=True, unique=True)),
                ("link_expires_at", models.DateTimeField(blank=True, null=True)),
                ("reminders", models.PositiveSmallIntegerField(default=0)),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("left_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="members",
                        to="partners.membergroup",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="partners.partner",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "wallet",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="credits.wallet",
                    ),
                ),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="PartnerCredit",
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
                ("credits", models.BigIntegerField()),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("manual", "Manual"),
                            ("upload", "Upload"),
                            ("rule", "Rule"),
                            ("request", "Request"),
                        ],
                        default="manual",
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(max_length=200)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("validity_days", models.PositiveSmallIntegerField()),
                ("expires_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "awarded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="awards",
                        to="partners.campaign",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="awards",
                        to="partners.partner",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.awardrule",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="awards",
                        to="partners.partnermember",
                    ),
                ),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="CreditRequest",
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
                ("credits", models.BigIntegerField()),
                ("reason", models.CharField(blank=True, max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("approved", "Approved"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.CharField(blank=True, max_length=500)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="partners.partner",
                    ),
                ),
                (
                    "award",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.partnercredit",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="partners.partnermember",
                    ),
                ),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="PartnerTerms",
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
                ("validity_days", models.PositiveSmallIntegerField(default=90)),
                ("claim_days", models.PositiveSmallIntegerField(default=30)),
                (
                    "unused",
                    models.CharField(
                        choices=[("return", "Return"), ("lapse", "Lapse")],
                        default="return",
                        max_length=10,
                    ),
                ),
                (
                    "privacy",
                    models.CharField(
                        choices=[("sums", "Sums"), ("full", "Full")], default="sums", max_length=10
                    ),
                ),
                ("seat_limit", models.PositiveIntegerField(blank=True, null=True)),
                ("reason", models.TextField(blank=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="terms",
                        to="partners.partner",
                    ),
                ),
            ],
            options={
                "ordering": ["partner", "-number"],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.AddField(
            model_name="partnercredit",
            name="terms",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="partners.partnerterms",
            ),
        ),
        migrations.CreateModel(
            name="Upload",
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
                ("filename", models.CharField(max_length=200)),
                ("size", models.PositiveIntegerField()),
                ("sha256", models.BinaryField(max_length=32)),
                ("batch", models.CharField(max_length=100)),
                (
                    "mode",
                    models.CharField(
                        choices=[("all", "All"), ("valid", "Valid")], default="all", max_length=10
                    ),
                ),
                ("columns", models.JSONField(default=list)),
                ("mapping", models.JSONField(default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("mapping", "Mapping"),
                            ("preview", "Preview"),
                            ("confirmed", "Confirmed"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("discarded", "Discarded"),
                            ("undone", "Undone"),
                        ],
                        default="mapping",
                        max_length=10,
                    ),
                ),
                ("row_count", models.PositiveIntegerField(default=0)),
                ("credits", models.BigIntegerField(default=0)),
                ("done_rows", models.PositiveIntegerField(default=0)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("problem", models.CharField(blank=True, max_length=500)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.campaign",
                    ),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uploads",
                        to="partners.partner",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="UploadRow",
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
                ("number", models.PositiveIntegerField()),
                ("cells", models.JSONField(default=list)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("credits", models.BigIntegerField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("read", "Read"),
                            ("new", "New"),
                            ("changed", "Changed"),
                            ("unchanged", "Unchanged"),
                            ("repeated", "Repeated"),
                            ("wrong", "Wrong"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="read",
                        max_length=10,
                    ),
                ),
                ("errors", models.JSONField(default=list)),
                (
                    "award",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.partnercredit",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.partnermember",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="partners.upload",
                    ),
                ),
            ],
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.CreateModel(
            name="Application",
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
                ("mail_due_at", models.DateTimeField(blank=True, null=True)),
                ("mail_attempts", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("name", models.CharField(max_length=100)),
                ("expected_members", models.PositiveIntegerField()),
                ("reason", models.TextField(blank=True, max_length=2000)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("approved", "Approved"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.TextField(blank=True, max_length=2000)),
                (
                    "applied_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("mail_due_at__isnull", False)),
                        fields=["mail_due_at"],
                        name="partners_application_to_mail",
                    ),
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["created_at"],
                        name="partners_applications_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "pending")),
                        fields=("organization",),
                        name="partners_one_pending_application",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("status", "pending")),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("status__in", ["approved", "declined", "withdrawn"]),
                            ),
                            _connector="OR",
                        ),
                        name="partners_application_ends_once",
                    ),
                ],
            },
            bases=(apps.core.models.PublicId, models.Model),
        ),
        migrations.AddConstraint(
            model_name="partner",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "suspended"])),
                name="partners_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="membergroup",
            constraint=models.UniqueConstraint(
                models.F("partner"),
                django.db.models.functions.text.Lower("name"),
                name="partners_group_has_its_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.UniqueConstraint(
                fields=("partner", "name"), name="partners_campaign_has_its_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("awarded__gte", 0), ("awarded__lte", models.F("budget")), ("budget__gt", 0)
                ),
                name="partners_campaign_stays_in_its_budget",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at", None), ("ends_at__gt", models.F("begins_at")), _connector="OR"
                ),
                name="partners_campaign_ends_after_it_begins",
            ),
        ),
        migrations.AddIndex(
            model_name="awardrule",
            index=models.Index(
                condition=models.Q(("is_active", True)),
                fields=["domain"],
                name="partners_rules_by_domain",
            ),
        ),
        migrations.AddConstraint(
            model_name="awardrule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=("partner", "domain"),
                name="partners_one_active_rule_per_domain",
            ),
        ),
        migrations.AddConstraint(
            model_name="awardrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("credits__gt", 0)), name="partners_rule_awards_something"
            ),
        ),
        migrations.AddIndex(
            model_name="partnermember",
            index=models.Index(
                condition=models.Q(("mail_due_at__isnull", False)),
                fields=["mail_due_at"],
                name="partners_partnermember_to_mail",
            ),
        ),
        migrations.AddIndex(
            model_name="partnermember",
            index=models.Index(
                fields=["organization", "-created_at", "-id"], name="partners_members"
            ),
        ),
        migrations.AddIndex(
            model_name="partnermember",
            index=models.Index(fields=["user"], name="partners_members_of_person"),
        ),
        migrations.AddConstraint(
            model_name="partnermember",
            constraint=models.UniqueConstraint(
                fields=("partner", "email"), name="partners_member_has_one_row"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnermember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user__isnull", False)),
                fields=("partner", "user"),
                name="partners_person_is_one_member",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnermember",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                name="partners_address_is_in_lower_case",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnermember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "active"), _negated=True),
                    models.Q(("claimed_at__isnull", False), ("user__isnull", False)),
                    _connector="OR",
                ),
                name="partners_active_member_is_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnermember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "invited"), _negated=True), ("user", None), _connector="OR"
                ),
                name="partners_invited_member_is_nobody",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnermember",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["invited", "active", "suspended", "left"])),
                name="partners_member_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnermember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("left_at__isnull", False), ("status", "left")),
                    models.Q(models.Q(("status", "left"), _negated=True), ("left_at", None)),
                    _connector="OR",
                ),
                name="partners_who_left_has_a_time",
            ),
        ),
        migrations.AddIndex(
            model_name="creditrequest",
            index=models.Index(
                fields=["organization", "-created_at", "-id"], name="partners_requests"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "pending")),
                fields=("member",),
                name="partners_one_pending_request",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("credits__gt", 0)), name="partners_request_is_for_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("award", None), ("decided_at", None), ("status", "pending")),
                    models.Q(
                        ("award__isnull", False),
                        ("decided_at__isnull", False),
                        ("status", "approved"),
                    ),
                    models.Q(
                        ("award", None),
                        ("decided_at__isnull", False),
                        ("status__in", ["declined", "withdrawn"]),
                    ),
                    _connector="OR",
                ),
                name="partners_request_ends_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerterms",
            constraint=models.UniqueConstraint(
                fields=("partner", "number"), name="partners_terms_have_no_twin"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerterms",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("claim_days__range", (1, 365)), ("validity_days__range", (1, 3650))
                ),
                name="partners_terms_last_some_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerterms",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("privacy__in", ["sums", "full"]), ("unused__in", ["return", "lapse"])
                ),
                name="partners_terms_are_known",
            ),
        ),
        migrations.AddIndex(
            model_name="partnercredit",
            index=models.Index(
                fields=["organization", "-created_at", "-id"], name="partners_awards"
            ),
        ),
        migrations.AddIndex(
            model_name="partnercredit",
            index=models.Index(fields=["member", "-created_at"], name="partners_awards_of_member"),
        ),
        migrations.AddIndex(
            model_name="partnercredit",
            index=models.Index(
                condition=models.Q(("settled_at", None)),
                fields=["expires_at"],
                name="partners_awards_by_expiry",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnercredit",
            constraint=models.UniqueConstraint(
                fields=("partner", "key"), name="partners_one_award_per_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnercredit",
            constraint=models.CheckConstraint(
                condition=models.Q(("credits__gt", 0)), name="partners_award_is_of_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnercredit",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["manual", "upload", "rule", "request"])),
                name="partners_award_source_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnercredit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("revoked_at", None), ("settled_at__isnull", False), _connector="OR"
                ),
                name="partners_revoked_award_is_settled",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnercredit",
            constraint=models.CheckConstraint(
                condition=models.Q(("validity_days__range", (1, 3650))),
                name="partners_award_lasts_some_days",
            ),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(
                fields=["organization", "-created_at", "-id"], name="partners_uploads"
            ),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(
                condition=models.Q(("status", "confirmed")),
                fields=["confirmed_at"],
                name="partners_uploads_to_do",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ended_at", None), ("status__in", ["mapping", "preview", "confirmed"])
                    ),
                    models.Q(
                        ("ended_at__isnull", False),
                        ("status__in", ["done", "refused", "discarded", "undone"]),
                    ),
                    _connector="OR",
                ),
                name="partners_upload_ends_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["mapping", "preview", "discarded"]),
                    ("confirmed_at__isnull", False),
                    _connector="OR",
                ),
                name="partners_upload_was_confirmed",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(("done_rows__lte", models.F("row_count"))),
                name="partners_upload_does_its_rows",
            ),
        ),
        migrations.AddIndex(
            model_name="uploadrow",
            index=models.Index(fields=["upload", "status", "number"], name="partners_upload_rows"),
        ),
        migrations.AddConstraint(
            model_name="uploadrow",
            constraint=models.UniqueConstraint(
                fields=("upload", "number"), name="partners_upload_row_has_its_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="uploadrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "done"), _negated=True),
                    ("award__isnull", False),
                    _connector="OR",
                ),
                name="partners_done_row_has_its_award",
            ),
        ),
        migrations.AddConstraint(
            model_name="uploadrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["wrong", "failed"]), _negated=True),
                    models.Q(("errors", []), _negated=True),
                    _connector="OR",
                ),
                name="partners_wrong_row_says_why",
            ),
        ),
    ]
