"""Read what was imported of a former system, and what its rows mean here."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from typing import Self

from django.db.models import Count, QuerySet, Sum

from apps.core.imports import FormerRow, Unfit
from apps.core.paging import after, page_of
from apps.credits.models import FormerAccount, FormerMovement
from apps.rbac.selectors.former import customer_of
from apps.tenants.models import Organization

CHUNK = 2000
COLUMNS = [
    *("account", "id", "occurred_at", "kind", "amount", "balance_after", "description"),
    "stripe_payment_intent_id",
]
WHOLE = 2**256  # digests of movements are added up within as many bits


@dataclass(frozen=True)
class FormerBalance:
    """What a former system said that somebody had."""

    former_id: str
    organization: Organization
    credits: int


def read_balance(row: FormerRow) -> FormerBalance:
    """
    Return what a row of users, organizations or token accounts means.

    :raises Unfit: naming the first column that cannot be matched.
    """
    former_id, credits = row.former_id("id"), row.whole("credits")
    if credits < 0:
        fix = "Settle what is owed in the former system, or leave the row out."
        raise Unfit("credits", row.values["credits"], "It is below zero.", fix)
    return FormerBalance(former_id, customer_of(row), credits)


@dataclass(frozen=True)
class FormerEntry:
    """What a former ledger said that moved."""

    account: str
    former_id: str
    occurred_at: datetime
    kind: str
    amount: int
    balance_after: int | None
    description: str
    stripe_payment_intent_id: str

    @property
    def digest(self) -> int:
        """Stands for all of it, in 256 bits."""
        parts = (
            self.former_id,
            self.occurred_at.astimezone(UTC).isoformat(),
            self.kind,
            self.amount,
        )
        more = (self.balance_after, self.description, self.stripe_payment_intent_id)
        return int.from_bytes(hashlib.sha256(repr((*parts, *more)).encode()).digest())


def read_entry(row: FormerRow) -> FormerEntry:
    """
    Return what a row of a former ledger means.

    :raises Unfit: naming the first column that cannot be read.
    """
    kind, payment = row.values["kind"], row.values["payment"]
    for column, value, most in (("kind", kind, 100), ("payment", payment, 255)):
        if len(value) > most:
            fix = f"Give up to {most} characters."
            raise Unfit(column, value, f"It has {len(value)} characters.", fix)
    return FormerEntry(
        account=row.former_id("account"),
        former_id=row.former_id("id"),
        occurred_at=row.moment("occurred_at"),
        kind=kind,
        amount=row.whole("amount"),
        balance_after=row.whole("balance_after") if row.values["balance_after"] else None,
        description=row.values["description"],
        stripe_payment_intent_id=payment,
    )


@dataclass
class History:
    """What the rows of one account add up to, in whatever order they come."""

    line: int = 0  # where it begins in the file
    count: int = 0
    total: int = 0  # credits
    digest: int = 0
    is_readable: bool = True
    last: tuple[datetime, int] | None = None  # the newest balance that was said

    def add(self, entry: FormerEntry) -> None:
        """Count one more row."""
        self.count += 1
        self.total += entry.amount
        self.digest = (self.digest + entry.digest) % WHOLE
        if entry.balance_after is not None:
            said = (entry.occurred_at, entry.balance_after)
            self.last = max(self.last or said, said, key=lambda one: one[0])

    @property
    def written_digest(self) -> bytes:
        """The digest as it is kept."""
        return self.digest.to_bytes(32)


def accounts_named(former_ids: Iterable[str]) -> dict[str, FormerAccount]:
    """Return the accounts with these former ids, by these; a statement for every 2,000 of them."""
    found: dict[str, FormerAccount] = {}
    for part in batched(former_ids, CHUNK):
        rows = FormerAccount.objects.filter(former_id__in=part).select_related("organization")
        found |= {account.former_id: account for account in rows}
    return found


def imported_credits() -> int:
    """Return what all balances add up to that were ever imported."""
    return FormerAccount.objects.aggregate(credits=Sum("balance"))["credits"] or 0


@dataclass(frozen=True)
class Written:
    """What is in the database of the history of an account."""

    count: int
    total: int

    @classmethod
    def of(cls, accounts: Iterable[FormerAccount]) -> dict[str, Self]:
        """Return it for each of these accounts that has any, by its former id; one statement."""
        rows = FormerMovement.objects.filter(account__in=accounts).order_by()
        sums = rows.values_list("account__former_id").annotate(
            count=Count("pk"), total=Sum("amount")
        )
        return {former_id: cls(count, total or 0) for former_id, count, total in sums}


def former_movements(organization: Organization) -> QuerySet[FormerMovement]:
    """Return the organization's movements of the former system, newest first."""
    rows = FormerMovement.objects.filter(organization=organization)
    return rows.select_related("account").order_by("-occurred_at", "-id")


def has_former_movements(organization: Organization) -> bool:
    """Tell whether there is any."""
    return FormerMovement.objects.filter(organization=organization).exists()


def movement_rows(rows: QuerySet[FormerMovement]) -> Iterator[tuple[object, ...]]:
    """Yield a line for each movement, in the order of COLUMNS, however many, newest first."""
    last: FormerMovement | None = None
    while True:
        chunk, last = page_of(after(rows, last, by="occurred_at"), size=CHUNK)
        for one in chunk:
            yield (
                *(one.account.former_id, one.former_id, one.occurred_at.isoformat(), one.kind),
                *(one.amount, one.balance_after, one.description, one.stripe_payment_intent_id),
            )
        if last is None:
            return
