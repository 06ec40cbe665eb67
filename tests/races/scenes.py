"""Wallets that are all alike, with something in them for every command."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.core.clock import moved_to
from apps.core.errors import DomainError
from apps.credits.ledger import commands as ask
from apps.credits.ledger.commands import Command
from apps.credits.ledger.posting import post, post_one
from apps.credits.models import BudgetMonth, Correction, CreditTransaction, Hold, Lot, Wallet
from apps.tenants.models import AuditLog, User
from tests.people import make_organization, make_person

BEGINS = datetime(2027, 5, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Scene:
    """
    A wallet with three lots, a charge and two holds, and an empty one beside it.

    The subscription's lot ends after a day, the holds after an hour, the trial's lot
    after ten days.
    """

    wallet: Wallet
    target: Wallet
    maker: User
    checker: User
    correction: Correction | None = None

    def post(
        self,
        kind: type[Command],
        reference: str = "cause",
        /,
        wallet: Wallet | None = None,
        **terms: object,
    ) -> object:
        """Carry one command out, in a transaction of its own."""
        wallet_id = (wallet or self.wallet).id
        cause = {"wallet_id": wallet_id, "reference": reference, "source": "test"}
        with transaction.atomic():
            return post_one(kind(**cause, **terms))

    def lot(self, origin: str) -> Lot:
        """Return the lot of this origin."""
        return Lot.objects.get(wallet=self.wallet, origin=origin)

    def lent(self) -> Lot:
        """Return a lot of the other wallet that returns to this one."""
        return Lot.objects.filter(wallet=self.target, returns_to__wallet=self.wallet).latest("id")

    def hold(self, reference: str) -> Hold:
        """Return the hold with this reference."""
        return Hold.objects.get(wallet=self.wallet, reference=reference)

    def seen(self) -> list[list[str]]:
        """Return all that customers and staff can see, without what differs by chance."""
        both = [self.wallet.id, self.target.id]
        where = Wallet.objects.filter(pk__in=both).order_by("id")
        moves = CreditTransaction.objects.filter(wallet__in=both).order_by("wallet", "sequence")
        lots = Lot.objects.filter(wallet__in=both).order_by("wallet", "granted", "remaining", "id")
        holds = Hold.objects.filter(wallet__in=both).order_by("reference")
        corrections = Correction.objects.filter(wallet__in=both)
        objects = [self.wallet.public_id, *(one.public_id for one in corrections)]
        rows = (
            where.values_list("balance", "held", "credit_line", "sequence", "frozen_at"),
            moves.values_list("transaction_type", "amount", "balance_after", "lot_balance_after"),
            lots.values_list("kind", "granted", "remaining", "expires_at"),
            holds.values_list("reference", "status", "captured", "expires_at"),
            corrections.values_list("action", "status", "amount"),
            BudgetMonth.objects.filter(budget__wallet__in=both).values_list("month", "used"),
            AuditLog.objects.filter(object_id__in=objects).values_list("action"),
        )
        return [[str(row) for row in found] for found in rows]


def make_scenes(count: int) -> list[Scene]:
    """Return so many scenes, as they stand at BEGINS."""
    organization, maker, checker = make_organization(), make_person(), make_person()

    def open_wallet() -> Wallet:
        return Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)

    scenes = [Scene(open_wallet(), open_wallet(), maker, checker) for _ in range(count)]
    with moved_to(BEGINS), transaction.atomic():
        outcomes = post([command for one in scenes for command in _opening(one.wallet.id)])
    refused = [one for one in outcomes if isinstance(one, DomainError)]
    assert not refused, refused
    return scenes


def _opening(wallet_id: UUID) -> list[Command]:
    def cause(reference: str) -> dict:
        return {"wallet_id": wallet_id, "reference": reference, "source": "test"}

    def lot(kind: str, amount: int, ends: datetime | None) -> ask.Grant:
        return ask.Grant(**cause(kind), kind=kind, amount=amount, expires_at=ends)

    return [
        ask.SetCreditLine(**cause("line"), limit=500),
        lot("trial", 20, BEGINS + 10 * DAY),
        lot("subscription", 30, BEGINS + DAY),
        lot("purchase", 50, None),
        ask.Charge(**cause("job"), amount=25),  # all of the trial, and 5 of the subscription
        ask.PlaceHold(**cause("held"), amount=8, ttl=HOUR),
        ask.PlaceHold(**cause("flexible"), amount=4, ttl=HOUR, policy="overflow"),
    ]


Attempt = Callable[[Scene], object]


@dataclass(frozen=True)
class Case:
    """Something that is done to a scene, once however often it is tried."""

    attempt: Attempt
    after: timedelta = HOUR / 2
    prepare: Attempt | None = None
    skips_locked: bool = False  # so that it must wait until the server has noticed a death
