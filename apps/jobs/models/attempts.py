"""What paid for each try of an area."""

from django.db import models
from django.db.models import F, Q

from apps.core.models import Row
from apps.credits.models import CreditEvent, Hold, Wallet
from apps.jobs.models.areas import GenerationArea
from apps.jobs.models.jobs import PaymentType
from apps.tenants.models import Organization


class Attempt(Row):
    """
    One paid try of one area: charged when it begins, or held where the price is metered.

    A claim that is lost goes on with the same attempt and pays nothing more. Once it has
    failed and was given back, a person may have the area tried again: by another attempt,
    which pays again. Its end is final.
    """

    PREFIX = "try"

    class Outcome(models.TextChoices):
        """How it ended."""

        OPEN = "open"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    area = models.ForeignKey(GenerationArea, models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()  # 1, 2, …
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+")
    credit_event = models.ForeignKey(CreditEvent, models.PROTECT, related_name="+")  # the price
    charge_reference = models.CharField(max_length=200, blank=True)  # of the ledger; free: empty
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="+", null=True, blank=True)
    cost = models.BigIntegerField(default=0)  # credits; held: as much as is held, then as used
    payment_type = models.CharField(max_length=20, choices=PaymentType)
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.OPEN)
    refunded = models.BigIntegerField(default=0)  # credits
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["area", "number"], name="jobs_attempts_are_numbered"),
            models.UniqueConstraint(
                fields=["area"], condition=Q(outcome="open"), name="jobs_one_open_attempt"
            ),
            models.UniqueConstraint(
                fields=["wallet", "charge_reference"],
                condition=~Q(charge_reference=""),
                name="jobs_charge_pays_one_attempt",
            ),
            models.CheckConstraint(
                name="jobs_what_costs_is_charged",
                condition=Q(cost=0, charge_reference="", hold=None)
                | Q(cost__gt=0) & ~Q(charge_reference=""),
            ),
            models.CheckConstraint(
                name="jobs_plans_pay_no_credits", condition=~Q(payment_type="plan") | Q(cost=0)
            ),
            models.CheckConstraint(
                name="jobs_attempt_outcome_is_known",
                condition=Q(outcome__in=["open", "completed", "failed", "cancelled"]),
            ),
            models.CheckConstraint(
                name="jobs_attempt_ended_has_a_time",
                condition=Q(outcome="open", ended_at=None)
                | ~Q(outcome="open") & Q(ended_at__isnull=False),
            ),
            # In full if it failed or was cancelled, else nothing.
            models.CheckConstraint(
                name="jobs_attempt_is_given_back",
                condition=Q(outcome__in=["open", "completed"], refunded=0)
                | Q(outcome__in=["failed", "cancelled"], refunded=F("cost")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.outcome}"

    @property
    def refund_reference(self) -> str:
        """The cause under which the ledger has what was given back; empty: it cost nothing."""
        if not self.charge_reference:
            return ""
        was_released = self.hold_id is not None and self.outcome == self.Outcome.CANCELLED
        return self.charge_reference if was_released else f"refund:{self.charge_reference}"
