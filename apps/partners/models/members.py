"""The people a partner hands credits to."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.core.models import Mailed, Row
from apps.credits.models import Wallet
from apps.partners.models.partners import Partner
from apps.tenants.models import Organization


class MemberGroup(Row):
    """Members that are looked at together: a team, or a cost centre."""

    PREFIX = "pgr"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="groups")
    name = models.CharField(max_length=100)
    cost_centre = models.CharField(max_length=50, blank=True)  # as the partner's books call it

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("partner", Lower("name"), name="partners_group_has_its_name"),
        ]

    def __str__(self) -> str:
        return self.name


class PartnerMember(Mailed):
    """
    An address that a partner hands credits to, and the person behind it once he has claimed it.

    Its credits are in a wallet of its own, from its making, so a change of the person's address
    leaves them where they are. The row is the queue of its mail as well: a worker makes a new
    link, keeps its SHA-256 and sends it.
    """

    PREFIX = "pmb"

    class Status(models.TextChoices):
        """How it stands."""

        INVITED = "invited"  # what is awarded is an offer
        ACTIVE = "active"  # claimed: a person spends it
        SUSPENDED = "suspended"  # nothing is spent or awarded, until the partner lifts it
        LEFT = "left"  # unused credits went by the terms; an award or invitation asks him back

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="members")
    wallet = models.OneToOneField(Wallet, models.PROTECT, related_name="+")
    email = models.CharField(max_length=254)  # normalized: see apps.partners.models.addresses
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    group = models.ForeignKey(
        MemberGroup, models.SET_NULL, related_name="members", null=True, blank=True
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.INVITED)
    user = models.ForeignKey(  # who claimed it
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    digest = models.BinaryField(max_length=32, null=True, unique=True)  # of the newest claim link
    link_expires_at = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    reminded_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "email"], name="partners_member_has_one_row"
            ),
            models.UniqueConstraint(
                fields=["partner", "user"],
                condition=Q(user__isnull=False),
                name="partners_person_is_one_member",
            ),
            models.CheckConstraint(
                name="partners_address_is_in_lower_case", condition=Q(email=Lower("email"))
            ),
            models.CheckConstraint(
                name="partners_active_member_is_somebody",
                condition=~Q(status="active") | Q(user__isnull=False, claimed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="partners_invited_member_is_nobody",
                condition=~Q(status="invited") | Q(user=None),
            ),
            models.CheckConstraint(
                name="partners_member_status_is_known",
                condition=Q(status__in=["invited", "active", "suspended", "left"]),
            ),
            models.CheckConstraint(
                name="partners_who_left_has_a_time",
                condition=Q(status="left", left_at__isnull=False)
                | (~Q(status="left") & Q(left_at=None)),
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(fields=["organization", "-created_at", "-id"], name="partners_members"),
            models.Index(fields=["user"], name="partners_members_of_person"),
        ]

    def __str__(self) -> str:
        return self.email
