"""Credits that a partner handed to a member, and those that a member asked for."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.models import Mailed
from apps.partners.models.campaigns import AwardRule, Campaign
from apps.partners.models.members import PartnerMember
from apps.partners.models.partners import Partner, PartnerTerms
from apps.tenants.models import Organization


class PartnerCredit(Mailed):
    """
    An award: credits that went from the pool to a member's wallet, as lots that end.

    How much of it is left is what its lots hold, and is kept nowhere else; its status follows
    from that and from the times here (apps.partners.selectors). Its transfer in the ledger has
    its `reference`, and the origins of its lots begin with that. The row is the queue of the
    mail that tells an active member of it.
    """

    PREFIX = "pcr"

    class Source(models.TextChoices):
        """How it came about."""

        MANUAL = "manual"
        UPLOAD = "upload"
        RULE = "rule"
        REQUEST = "request"

    class Status(models.TextChoices):
        """How it stands; told by its times and its lots, and kept nowhere."""

        OFFERED = "offered"  # until `expires_at`, which is the claim-by date meanwhile
        AVAILABLE = "available"
        USED = "used"
        EXPIRED = "expired"
        REVOKED = "revoked"  # by hand, or called in because its money went back

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="awards")
    member = models.ForeignKey(PartnerMember, models.PROTECT, related_name="awards")
    terms = models.ForeignKey(PartnerTerms, models.PROTECT, related_name="+")
    credits = models.BigIntegerField()
    # The cause of its transfer, award:<public id>: kept, so that a query can look for it
    reference = models.CharField(max_length=60, unique=True, editable=False)
    source = models.CharField(max_length=10, choices=Source, default=Source.MANUAL)
    # The cause, once per partner: upload:<digest of batch and address>, rule:<id>:<member>,
    # request:<id>, or its id
    key = models.CharField(max_length=200)
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="awards", null=True, blank=True
    )
    rule = models.ForeignKey(AwardRule, models.PROTECT, related_name="+", null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    awarded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    validity_days = models.PositiveSmallIntegerField()  # from the claim
    expires_at = models.DateTimeField()  # exclusive; of an offer: until when it can be claimed
    claimed_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)  # what was unused went by the terms

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "key"], name="partners_one_award_per_key"),
            models.CheckConstraint(
                name="partners_award_is_of_something", condition=Q(credits__gt=0)
            ),
            models.CheckConstraint(
                name="partners_award_source_is_known",
                condition=Q(source__in=["manual", "upload", "rule", "request"]),
            ),
            models.CheckConstraint(
                name="partners_revoked_award_is_settled",
                condition=Q(revoked_at=None) | Q(settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="partners_award_lasts_some_days",
                condition=Q(validity_days__range=(1, 3650)),
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(fields=["organization", "-created_at", "-id"], name="partners_awards"),
            models.Index(fields=["member", "-created_at"], name="partners_awards_of_member"),
            models.Index(
                fields=["expires_at"],
                condition=Q(settled_at=None),
                name="partners_awards_by_expiry",
            ),
            models.Index(
                fields=["settled_at"],
                condition=Q(settled_at__isnull=False),
                name="partners_awards_settled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.credits} for {self.member}"


class CreditRequest(Mailed):
    """
    A member's wish for more credits; the partner approves or declines it.

    The row is the queue of its mail as well: to the partner while it is pending, then to him.
    """

    PREFIX = "prq"

    class Status(models.TextChoices):
        """How far it is."""

        PENDING = "pending"
        APPROVED = "approved"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="requests")
    member = models.ForeignKey(PartnerMember, models.PROTECT, related_name="requests")
    credits = models.BigIntegerField()
    reason = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)  # for the member
    award = models.OneToOneField(
        PartnerCredit, models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member"],
                condition=Q(status="pending"),
                name="partners_one_pending_request",
            ),
            models.CheckConstraint(
                name="partners_request_is_for_something", condition=Q(credits__gt=0)
            ),
            models.CheckConstraint(
                name="partners_request_ends_once",
                condition=Q(status="pending", decided_at=None, award=None)
                | Q(status="approved", decided_at__isnull=False, award__isnull=False)
                | Q(status__in=["declined", "withdrawn"], decided_at__isnull=False, award=None),
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(fields=["organization", "-created_at", "-id"], name="partners_requests"),
        ]

    def __str__(self) -> str:
        return f"{self.credits} for {self.member}"
