"""Who was invited, and who was here."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from apps.core.models import Mailed, Row
from apps.rbac.models.roles import Role
from apps.tenants.models import Organization


class Invitation(Mailed):
    """
    An address that was asked into an organization. Only the SHA-256 of its link is kept.

    The row is the queue of its mail as well: while `mail_due_at` has passed, a worker makes
    a new link, keeps its digest and sends it, so that no link is ever stored or queued.
    """

    PREFIX = "inv"

    class Status(models.TextChoices):
        """How far it has come; a pending one past its time is over as well."""

        PENDING = "pending"
        ACCEPTED = "accepted"
        REVOKED = "revoked"
        EXPIRED = "expired"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    email = models.EmailField()  # in lower case, as the addresses of people are
    # Ended ones do not keep a role from being deleted.
    role = models.ForeignKey(Role, models.SET_NULL, related_name="+", null=True, blank=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)  # accepted, revoked or given up
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    digest = models.BinaryField(max_length=32, null=True, unique=True)  # of the newest link
    resends = models.PositiveSmallIntegerField(default=0)
    resent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(status="pending"),
                name="rbac_one_live_invitation_per_address",
            ),
            models.CheckConstraint(
                name="rbac_invited_address_is_in_lower_case", condition=Q(email=Lower("email"))
            ),
            models.CheckConstraint(
                name="rbac_invitation_ends_once",
                condition=Q(status="pending", ended_at=None)
                | Q(status__in=["accepted", "revoked", "expired"], ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="rbac_invitation_mails_while_pending",
                condition=Q(status="pending") | Q(mail_due_at=None),
            ),
            models.CheckConstraint(
                name="rbac_pending_invitation_has_a_role",
                condition=~Q(status="pending") | Q(role__isnull=False),
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(fields=["organization", "-created_at"], name="rbac_invitations_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.email} {self.status}"

    @property
    def offered_role(self) -> Role:
        """The role to which a pending one leads; nobody can delete it meanwhile."""
        assert self.role is not None, "only ended invitations lose their role"
        return self.role

    @property
    def role_name(self) -> str:
        """What the role is called; empty once it is deleted."""
        return self.role.name if self.role else ""

    @property
    def state(self) -> str:
        """The status as people see it. Services ask the database's clock."""
        is_late = self.status == self.Status.PENDING and self.expires_at <= timezone.now()
        return self.Status.EXPIRED.value if is_late else self.status


class LastSeen(Row):
    """When a person last opened a page of an organization, to within ten minutes."""

    PREFIX = "lsn"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user"], name="rbac_seen_once_per_organization"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at}"
