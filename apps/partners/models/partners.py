"""Organizations that hand credits on, how they became partners, and by which terms they do."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.models import Mailed, Row
from apps.core.walls import MINE, Wall
from apps.tenants.models import Organization

# The rules by which the person who is signed in may join a programme (0051_open_rules.sql).
OPEN_TO_ME = f"(SELECT partners_rules_open_to({MINE}))::uuid[]"


class Partner(Row):
    """
    An organization's partner programme. Its pool is the organization's main wallet.

    **The row that is locked** before members or awards of the programme change.
    """

    PREFIX = "ptn"
    WALL = Wall(
        also_read=f"id IN (SELECT partner_id FROM partners_awardrule WHERE id = ANY({OPEN_TO_ME}))"  # noqa: S608
    )

    class Status(models.TextChoices):
        """Whether it may hand credits on; what it handed on stays with the members."""

        ACTIVE = "active"
        SUSPENDED = "suspended"  # by staff

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)  # of the programme, as members see it
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="partners_status_is_known", condition=Q(status__in=["active", "suspended"])
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PartnerTerms(Row):
    """
    By which terms a partner hands credits on, from its making until the next. Written once.

    An award keeps the terms that it was made by.
    """

    PREFIX = "ptt"

    class Unused(models.TextChoices):
        """What becomes of credits that a member did not use in time, or that are taken back."""

        RETURN = "return"  # to the pool
        LAPSE = "lapse"

    class Privacy(models.TextChoices):
        """What the partner sees of what a member spent."""

        SUMS = "sums"
        FULL = "full"  # each job and charge, with its time

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="terms")
    number = models.PositiveSmallIntegerField()  # 1, 2, …; the highest is in force
    validity_days = models.PositiveSmallIntegerField(default=90)  # of credits, once claimed
    claim_days = models.PositiveSmallIntegerField(default=30)  # in which an offer can be claimed
    unused = models.CharField(max_length=10, choices=Unused, default=Unused.RETURN)
    privacy = models.CharField(max_length=10, choices=Privacy, default=Privacy.SUMS)
    seat_limit = models.PositiveIntegerField(null=True, blank=True)  # members; null: no limit
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["partner", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "number"], name="partners_terms_have_no_twin"
            ),
            models.CheckConstraint(
                name="partners_terms_last_some_days",
                condition=Q(validity_days__range=(1, 3650), claim_days__range=(1, 365)),
            ),
            models.CheckConstraint(
                name="partners_terms_are_known",
                condition=Q(unused__in=["return", "lapse"], privacy__in=["sums", "full"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} v{self.number}"


class Application(Mailed):
    """An organization's wish to become a partner; staff approve or decline it. Mails the answer."""

    PREFIX = "pap"

    class Status(models.TextChoices):
        """How far it is."""

        PENDING = "pending"
        APPROVED = "approved"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    name = models.CharField(max_length=100)  # of the programme
    expected_members = models.PositiveIntegerField()
    reason = models.TextField(blank=True, max_length=2000)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, max_length=2000)  # for the applicant

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status="pending"),
                name="partners_one_pending_application",
            ),
            models.CheckConstraint(
                name="partners_application_ends_once",
                condition=Q(status="pending", decided_at=None)
                | Q(status__in=["approved", "declined", "withdrawn"], decided_at__isnull=False),
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(
                fields=["created_at"],
                condition=Q(status="pending"),
                name="partners_applications_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.status}"
