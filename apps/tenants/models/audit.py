"""The record of what was done, and what the names in it stand for."""

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.core.personal import has_tokens, reveal
from apps.core.rows import RowManager
from apps.core.walls import Wall
from apps.tenants.models.organizations import Organization


class AuditQuerySet(models.QuerySet["AuditLog"]):
    """Shows what the tokens in the rows stand for, with one query for all that were fetched."""

    def _fetch_all(self) -> None:
        """Put back what `audit.record` has put aside; what was erased shows as such."""
        is_new = self._result_cache is None
        super()._fetch_all()
        rows = [row for row in self._result_cache or [] if isinstance(row, AuditLog) and is_new]
        rows = [row for row in rows if has_tokens([row.before, row.after, row.reason])]
        values = PersonalValue.objects.across_organizations("of rows that could be fetched")
        kept = values.using(self.db).filter(entry__in=[row.pk for row in rows])
        known = dict(kept.values_list("token", "value")) if rows else {}
        for row in rows:
            row.before, row.after, row.reason = reveal([row.before, row.after, row.reason], known)


class AuditLog(Row):
    """
    One thing that somebody did, or was refused. Append-only.

    Written in the transaction of the deed, so that there is neither a deed without a
    row nor a row without a deed. The database seals it when that transaction commits.
    """

    PREFIX = "aud"
    WALL = Wall(
        also_add="organization_id IS NULL",  # what people do before they are anywhere
        # That of nobody: as it is written, and denials, of which only so many are written.
        also_read="organization_id IS NULL AND (created_at >= now() OR result = 'denied')",
        web="SELECT, INSERT",
        staff="SELECT, INSERT",
    )

    class Result(models.TextChoices):
        """How it ended."""

        DONE = "done"
        DENIED = "denied"

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", null=True, blank=True
    )
    actor = models.CharField(max_length=100)
    acting_as = models.CharField(max_length=100, blank=True)  # in whose place, if in another's
    action = models.CharField(max_length=100)  # resource.verb
    object_id = models.CharField(max_length=100, blank=True)  # as people see it: job_01K…
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    result = models.CharField(max_length=10, choices=Result, default=Result.DONE)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)

    objects: ClassVar = RowManager.from_queryset(AuditQuerySet)()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="tenants_audit_by_time"),
            models.Index(
                fields=["organization", "actor", "-created_at"], name="tenants_audit_by_actor"
            ),
            models.Index(
                fields=["organization", "object_id", "-created_at"], name="tenants_audit_by_object"
            ),
            models.Index(
                fields=["organization", "-created_at"],
                condition=Q(result="denied"),
                name="tenants_audit_denials",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.object_id}"


class PersonalValue(models.Model):
    """What a token in an audit row stands for: the one part of the log that can be deleted."""

    WALL = Wall(also_add="organization_id IS NULL", web="SELECT, INSERT")

    token = models.CharField(max_length=73, primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", null=True)
    entry = models.ForeignKey(AuditLog, models.PROTECT, related_name="+")
    salt = models.BinaryField(max_length=16)
    value = models.TextField()

    objects = RowManager()

    def __str__(self) -> str:
        return self.token


class AuditChain(models.Model):
    """
    Where the chain of an organization's audit rows ends; written by the database alone.

    Its id is that of the organization; `NO_ORGANIZATION` holds the rows that have none.
    """

    WALL = Wall(whose="id", web="SELECT", staff="SELECT")
    NO_ORGANIZATION = UUID(int=0)

    id = models.UUIDField(primary_key=True, editable=False)
    sequence = models.BigIntegerField(default=0)
    head_hash = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"{self.id} {self.sequence}"


class AuditSeal(models.Model):
    """
    The place of an audit row in its chain, and the hash that ties it to the row before.

    Written by the database when the row's transaction commits: see 0020_audit_chain.sql.
    """

    WALL = Wall(whose="chain_id", web="SELECT", staff="SELECT")

    entry = models.OneToOneField(
        AuditLog, models.PROTECT, primary_key=True, related_name="seal", editable=False
    )
    chain = models.ForeignKey(AuditChain, models.PROTECT, related_name="+", db_index=False)
    sequence = models.BigIntegerField()
    entry_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "sequence"], name="tenants_one_seal_a_place"),
        ]

    def __str__(self) -> str:
        return f"{self.chain_id} {self.sequence}"
