"""Customers who submit jobs, and whether each paid for what was done and for nothing else."""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from django.conf import settings

from apps.core import ids, queue
from apps.core.invariants import verify
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.grants import grant_credits
from apps.credits.services.prices import set_price
from apps.jobs.models import BlobUpload, GenerationArea, GenerationJob
from apps.jobs.models.areas import MOST_CLAIMS
from apps.jobs.models.jobs import UNFINISHED
from apps.jobs.services.submission import AreaRequest, submit_job
from apps.tenants.models import Organization, User
from figures.jobs_runner import FIXED, METERED, Runs, register
from figures.lines import SEED
from tests.database import migrated_database
from tests.jobs.work import make_upload
from tests.people import make_member, make_organization

PRICE = 7  # credits for each area that is done, at either price
FUNDS = 1_000_000  # credits


@dataclass(frozen=True)
class Customer:
    """An organization with a picture, and what it had when it came."""

    organization: Organization
    user: User
    upload: BlobUpload
    balance: int  # credits

    def submit(
        self, deeds: Sequence[str], *, operation: str = FIXED, seconds: float = 0
    ) -> GenerationJob:
        """Submit a job with an area for each deed, which takes so long."""
        asked = [{"work": ids.new_id().hex, "deed": deed, "seconds": seconds} for deed in deeds]
        return submit_job(
            organization=self.organization,
            user=self.user,
            operation=operation,
            areas=[AreaRequest(self.upload, parameters) for parameters in asked],
        )


@dataclass
class Shop:
    """Some customers, on a database of their own."""

    database: str
    runs: Runs
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    customers: list[Customer] = field(default_factory=list)
    operations: Sequence[str] = (FIXED, METERED)  # that they ask for

    def open(self, customers: int) -> None:
        """Let so many come, with more credits than they need."""
        for operation, metadata in ((FIXED, {}), (METERED, {"metered": "megapixel"})):
            set_price(name=operation, credit_cost=PRICE, category="figure", metadata=metadata)
        self.customers = [make_customer() for _ in range(customers)]

    def submit_any(self, *, seconds: float = 0, most_areas: int = 5) -> GenerationJob:
        """Let somebody submit something; one in ten areas fails."""
        deeds = [
            "bad" if self.chance.random() < 0.1 else "good"
            for _ in range(self.chance.randint(1, most_areas))
        ]
        operation = self.chance.choice(self.operations)
        return self.chance.choice(self.customers).submit(
            deeds, operation=operation, seconds=seconds
        )

    @property
    def environment(self) -> dict[str, str]:
        """What another process needs to work for it (figures.jobs_worker)."""
        return {
            "FIGURE_RUNS": str(self.runs.file),
            "FIGURE_MEDIA": str(settings.MEDIA_ROOT),
            "FIGURE_BROKER_PREFIX": settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"],
        }

    def failures(self) -> int:
        """Count what is not as it must be in the end, and show it."""
        found = {
            "unfinished": unfinished(),
            "wrongly paid": sum(map(bool, self.overpaid())),
            "ended otherwise than run": self.not_as_run(),
            "broken invariants": sum(finding.failures for finding in verify()),
        }
        lost = len(self.runs.done().keys() & given_up())
        shown = found | {"done in vain, in the last try of a worker or before": lost}
        print("    " + ", ".join(f"{name}: {number}" for name, number in shown.items()))
        return sum(found.values())

    def delivered(self) -> set[str]:
        """Return the works that were done and handed over; not what then died in its last try."""
        return set(self.runs.done()) - given_up()

    def overpaid(self) -> list[int]:
        """Return the credits each customer paid beyond what the runner did for him, once."""
        owners = dict(GenerationArea.objects.values_list("parameters__work", "organization"))
        done = Counter(owners[work] for work in self.delivered())
        return [
            customer.balance
            - main_wallet(customer.organization).balance
            - PRICE * done[customer.organization.pk]
            for customer in self.customers
        ]

    def charged_again(self) -> int:
        """Count the attempts that were charged more than once, under whatever reference."""
        consumed = CreditTransaction.Type.CONSUMED
        charges = CreditTransaction.objects.filter(transaction_type=consumed, source="job")
        references = set(charges.values_list("reference", flat=True))
        # job:job_…:2:1 is area and attempt; what stands behind it was added by who pays anew.
        attempts = Counter(":".join(one.split(":")[:4]) for one in references)
        return sum(count > 1 for count in attempts.values())

    def not_as_run(self) -> int:
        """Count areas that are completed and were not done, or the other way round."""
        done = self.delivered()
        areas = GenerationArea.objects.values_list("parameters__work", "status")
        return sum((work in done) != (status == "completed") for work, status in areas)


def make_customer() -> Customer:
    """Return a customer who can pay."""
    organization = make_organization()
    wallet = main_wallet(organization)
    grant_credits(
        wallet=wallet,
        amount=FUNDS,
        kind=Lot.Kind.PURCHASE,
        reference=f"payment:{ids.new_id()}",
        source="payment",
    )
    wallet.refresh_from_db()
    user = make_member(organization, "developer")
    return Customer(organization, user, make_upload(organization, user), wallet.balance)


def given_up() -> set[str]:
    """Return the works whose workers died in every try, be it a moment after one of them."""
    areas = GenerationArea.objects.filter(error_code="gave_up", claims=MOST_CLAIMS)
    return set(areas.values_list("parameters__work", flat=True))


def unfinished() -> int:
    """Count areas that have not ended."""
    return GenerationArea.objects.filter(status__in=UNFINISHED).count()


@contextmanager
def opened(customers: int) -> Iterator[Shop]:
    """Give a shop with so many customers; whoever works for it looks by himself, nobody rings."""
    with (
        migrated_database() as database,
        tempfile.TemporaryDirectory() as home,
        mock.patch.object(queue, "_ring"),
    ):
        shop = Shop(database, register(Path(home) / "runs"))
        shop.open(customers)
        yield shop
