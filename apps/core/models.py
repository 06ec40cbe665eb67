"""Tables of the core: what every app's rows share, and the keys of repeated requests."""

from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core import ids
from apps.core.rows import RowManager


class PublicId:
    """The id of a row as people see it: a prefix that says what it is, and the UUID."""

    PREFIX: ClassVar[str]
    id: Any

    @property
    def public_id(self) -> str:
        """The id as API, pages and logs show it."""
        return ids.encode(self.PREFIX, self.id)

    @classmethod
    def read_id(cls, text: str) -> UUID | None:
        """Return the UUID behind a public id, or None if it is not one of this table."""
        try:
            return ids.decode(cls.PREFIX, text)
        except ValueError:
            return None


class Row(PublicId, models.Model):
    """A row with a UUIDv7, shown to people as `prefix_…`, and the time of its making."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = RowManager()  # rows of one organization, where the table has organizations

    class Meta:
        abstract = True


class Mailed(Row):
    """
    A row about which a mail must go out: it is the queue of that mail (apps.core.mail).

    A `Meta` with indexes of its own repeats these: `indexes = [*Mailed.Meta.indexes, …]`.
    """

    mail_due_at = models.DateTimeField(null=True, blank=True)  # None: nothing to send
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)  # the newest mail

    class Meta:
        abstract = True
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["mail_due_at"],
                condition=Q(mail_due_at__isnull=False),
                name="%(app_label)s_%(class)s_to_mail",
            )
        ]


class IdempotencyKey(models.Model):
    """
    One repeated-safe request: who sent it, a digest of it, and the answer it got.

    The row is claimed before the work, and the answer is stored in the transaction
    of the work, so that there is never an effect without its answer.
    """

    scope = models.CharField(max_length=200)  # organization, principal and route
    key = models.CharField(max_length=255)
    digest = models.BinaryField(max_length=32)  # SHA-256: see apps.core.api.digest_of
    claim = models.UUIDField(default=ids.new_id)
    locked_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="core_one_answer_per_key"),
            models.CheckConstraint(
                name="core_answer_has_a_status",
                condition=Q(status__isnull=False) | Q(body=None),
            ),
        ]
        indexes = [
            # Keys stay for ever; what is left to prune is always little.
            models.Index(
                fields=["created_at"],
                condition=Q(status=None) | Q(body__isnull=False),
                name="core_idempotency_to_prune",
            )
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"


class RateLimitCount(models.Model):
    """
    Requests that moved money in one window of a policy, counted here while Redis is away.

    Kept until the window is over (apps.core.ratelimits.counters).
    """

    policy = models.CharField(max_length=50)  # its code
    subject = models.CharField(max_length=64)  # org_…, key_…, usr_… or an address
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)  # when it can be forgotten
    used = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "subject", "begins_at"], name="core_one_count_per_window"
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy} {self.subject} {self.used}"
