"""Files by which a partner hands credits to many members at once, row by row."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.core.models import Row
from apps.core.sheets import Fault, problems_of
from apps.partners.models.awards import PartnerCredit
from apps.partners.models.campaigns import Campaign
from apps.partners.models.members import PartnerMember
from apps.partners.models.partners import Partner
from apps.tenants.models import Organization


class Upload(Row):
    """
    A file of members and credits: read, looked at, confirmed, and carried out by a worker.

    `batch` names what it is about. By itself it is the file's SHA-256, so that the same file
    has its effect once, however often it is uploaded; who means it again (the next month)
    gives a name of his own. The row is the queue: a worker claims it by `claimed_until`.
    """

    PREFIX = "pup"

    class Status(models.TextChoices):
        """How far it is."""

        MAPPING = "mapping"  # read; which column is what is still asked
        PREVIEW = "preview"  # every row was looked at, nothing was done
        CONFIRMED = "confirmed"  # a worker carries it out
        DONE = "done"
        REFUSED = "refused"  # all or nothing, and it could not be all: nothing was done
        DISCARDED = "discarded"  # by the partner, before it was confirmed
        UNDONE = "undone"  # by staff: what was unused went back

    class Mode(models.TextChoices):
        """What happens if a row is wrong."""

        ALL = "all"  # all rows or none
        VALID = "valid"  # those that are right

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="uploads")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    filename = models.CharField(max_length=200)  # as it was called; for display alone
    size = models.PositiveIntegerField()  # bytes
    sha256 = models.BinaryField(max_length=32)
    batch = models.CharField(max_length=100)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.ALL)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="+", null=True, blank=True)
    columns = models.JSONField(default=list)  # as the file heads them
    mapping = models.JSONField(default=dict)  # field: index of its column
    status = models.CharField(max_length=10, choices=Status, default=Status.MAPPING)
    row_count = models.PositiveIntegerField(default=0)
    credits = models.BigIntegerField(default=0)  # that the confirmed rows take from the pool
    done_rows = models.PositiveIntegerField(default=0)  # of the confirmed ones
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # claims so far
    problem = models.CharField(max_length=500, blank=True)  # why it was refused
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="partners_upload_ends_once",
                condition=Q(status__in=["mapping", "preview", "confirmed"], ended_at=None)
                | Q(status__in=["done", "refused", "discarded", "undone"], ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="partners_upload_was_confirmed",
                condition=Q(status__in=["mapping", "preview", "discarded"])
                | Q(confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="partners_upload_does_its_rows", condition=Q(done_rows__lte=F("row_count"))
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="partners_uploads"),
            models.Index(
                fields=["confirmed_at"],
                condition=Q(status="confirmed"),
                name="partners_uploads_to_do",
            ),
        ]

    def __str__(self) -> str:
        return self.filename


class UploadRow(Row):
    """One row of a file: what it says, what is wrong with it, and what became of it."""

    PREFIX = "pur"

    class Status(models.TextChoices):
        """How far it is."""

        READ = "read"  # not looked at yet
        NEW = "new"  # invites a member and awards
        CHANGED = "changed"  # awards to a member, and changes what is known of him
        UNCHANGED = "unchanged"  # awards to a member
        REPEATED = "repeated"  # had its effect already, by an earlier upload of this batch
        WRONG = "wrong"
        DONE = "done"
        FAILED = "failed"  # was right, and could not be done when its turn came

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    upload = models.ForeignKey(Upload, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()  # as a spreadsheet counts: the header is 1
    cells = models.JSONField(default=list)  # as they stand in the file
    email = models.CharField(max_length=254, blank=True)  # normalized
    credits = models.BigIntegerField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.READ)
    errors = models.JSONField(default=list)  # of {column, value, code, message}
    member = models.ForeignKey(
        PartnerMember, models.PROTECT, related_name="+", null=True, blank=True
    )
    award = models.ForeignKey(
        PartnerCredit, models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "number"], name="partners_upload_row_has_its_number"
            ),
            models.CheckConstraint(
                name="partners_done_row_has_its_award",
                condition=~Q(status="done") | Q(award__isnull=False),
            ),
            models.CheckConstraint(
                name="partners_wrong_row_says_why",
                condition=~Q(status__in=["wrong", "failed"]) | ~Q(errors=[]),
            ),
        ]
        indexes = [models.Index(fields=["upload", "status", "number"], name="partners_upload_rows")]

    def __str__(self) -> str:
        return f"{self.upload} {self.number}"

    @property
    def problems(self) -> str:
        """What is wrong with it, cell by cell."""
        return problems_of(Fault(**one) for one in self.errors)
