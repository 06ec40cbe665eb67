"""Who may do what, where."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from apps.core.models import Row
from apps.tenants.models import Organization

EXPIRING = timedelta(days=7)  # so long before its end a key says so


class Permission(Row):
    """Something that can be done: `resource.action`. All stand in permissions.py."""

    PREFIX = "prm"

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    resource = models.CharField(max_length=50)
    action = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Role(Row):
    """
    A named set of permissions.

    System roles belong to no organization and can be used in each; an organization's
    own roles have names that are unique within it.
    """

    PREFIX = "rol"

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", null=True, blank=True
    )
    name = models.CharField(max_length=50)
    description = models.TextField(blank=True)
    is_system_role = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)
    permissions = models.ManyToManyField(Permission, through="RolePermission", related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                name="rbac_role_name_is_unique_in_its_organization",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="rbac_system_role_has_no_organization",
                condition=Q(is_system_role=False) | Q(organization=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RolePermission(Row):
    """One permission of one role."""

    PREFIX = "rpm"

    role = models.ForeignKey(Role, models.CASCADE, related_name="+")
    permission = models.ForeignKey(Permission, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["role", "permission"], name="rbac_permission_once_per_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.permission}"


class UserRole(Row):
    """A person's role: in one organization, or (staff) everywhere."""

    PREFIX = "mbr"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    role = models.ForeignKey(Role, models.PROTECT, related_name="+")
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", null=True, blank=True
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user", "role"],
                name="rbac_role_once_per_person_and_organization",
                nulls_distinct=False,
            ),
        ]
        indexes = [models.Index(fields=["user", "organization"], name="rbac_roles_of_person")]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"


class OwnershipTransfer(Row):
    """
    An owner's offer to hand the organization to another member, who accepts or declines.

    The row is the queue of its mail as well: a worker sends it once `mail_due_at` has passed.
    """

    PREFIX = "otr"

    class Status(models.TextChoices):
        """How it ended; a pending one past its time has expired, whoever writes it down."""

        PENDING = "pending"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    from_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    to_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    mail_due_at = models.DateTimeField(null=True, blank=True)  # None: nothing to send

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status="pending"),
                name="rbac_one_open_transfer_per_organization",
            ),
            models.CheckConstraint(
                name="rbac_transfer_ends_once",
                condition=Q(status="pending", ended_at=None)
                | Q(
                    status__in=["accepted", "declined", "withdrawn", "expired"],
                    ended_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="rbac_transfer_goes_to_another", condition=~Q(from_user=F("to_user"))
            ),
        ]
        indexes = [
            models.Index(
                fields=["mail_due_at"],
                condition=Q(mail_due_at__isnull=False),
                name="rbac_transfers_to_mail",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization}: {self.from_user} to {self.to_user}"


class ApiKey(Row):
    """
    A program's way in, bound to one organization. Only its SHA-256 is kept.

    It can do what its scopes say, and never more than the person who made it.
    """

    PREFIX = "key"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    is_live = models.BooleanField(default=False)
    hint = models.CharField(max_length=32)  # how it begins and ends: cof_test_8fK2…x9Qa
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=50))
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)
    last_used_agent = models.CharField(max_length=40, blank=True)  # coarse: curl, Firefox

    # The secret before the last rotation, for as long as it still works
    rotated_at = models.DateTimeField(null=True, blank=True)
    previous_digest = models.BinaryField(max_length=32, null=True, unique=True)
    previous_hint = models.CharField(max_length=32, blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    previous_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="rbac_keys_of_organization")
        ]
        constraints = [
            models.CheckConstraint(
                name="rbac_old_secret_has_an_end",
                condition=Q(previous_digest=None) | Q(previous_until__isnull=False),
            ),
            models.CheckConstraint(
                name="rbac_old_secret_ends_with_its_key",
                condition=Q(previous_until=None)
                | Q(expires_at=None)
                | Q(previous_until__lte=F("expires_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})"

    @property
    def is_active(self) -> bool:
        """Whether it is neither revoked nor expired. Sign-in asks the database's clock."""
        is_expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not is_expired

    @property
    def status(self) -> str:
        """How it stands: active, expiring, expired, revoked, or stopped with its maker."""
        now = timezone.now()
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        if not (self.created_by.is_active and getattr(self, "is_maker_here", True)):
            return "stopped"
        if self.expires_at is not None and self.expires_at <= now + EXPIRING:
            return "expiring"
        return "active"

    @property
    def has_old_secret(self) -> bool:
        """Whether the secret before the last rotation still works."""
        until = self.previous_until
        return self.previous_digest is not None and until is not None and until > timezone.now()

    @property
    def last_use(self) -> datetime | None:
        """When either of its secrets was used last."""
        return max(filter(None, (self.last_used_at, self.previous_used_at)), default=None)


class Invitation(Row):
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
    role = models.ForeignKey(Role, models.PROTECT, related_name="+")
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
    sent_at = models.DateTimeField(null=True, blank=True)  # the newest mail
    mail_due_at = models.DateTimeField(null=True, blank=True)  # None: nothing to send
    mail_attempts = models.PositiveSmallIntegerField(default=0)
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
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="rbac_invitations_of_tenant"),
            models.Index(
                fields=["mail_due_at"],
                condition=Q(mail_due_at__isnull=False),
                name="rbac_invitations_to_mail",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} {self.status}"

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
