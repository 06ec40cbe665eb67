"""A programme that lives through some months by chance, and what a naive count makes of it."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.db import transaction

from apps.core.clock import moved_to
from apps.core.errors import DomainError
from apps.credits.ledger.commands import ChangeExpiry, Void
from apps.credits.ledger.posting import post_one
from apps.credits.models import CreditTransaction, Hold, Lot, Wallet
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.grants import grant_credits
from apps.credits.services.holds import capture_hold, hold_amount, release_hold
from apps.credits.services.transfers import recall_credits, transfer_credits
from apps.partners.models import Partner, PartnerMember
from tests.partners.programme import make_members, make_programme

ZONE = "America/New_York"
BEGAN = datetime(2026, 8, 20, 12, tzinfo=UTC)
STEPS = 80  # of 11 to 40 hours: until December
WORDS = {
    "earned": "granted",
    "purchased": "granted",
    "transferred_in": "received",
    "transferred_out": "sent",
    "consumed": "used",
    "held": "used",
    "released": "used",
    "refunded": "used",
    "expired": "lapsed",
    "voided": "lapsed",
}


class Life:
    """Does what a programme and its members do, in an order that a number decides."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.now = BEGAN
        with moved_to(self.now):
            self.partner: Partner = make_programme(credits=100_000)
            self.partner.organization.time_zone = ZONE
            self.partner.organization.save()
            addresses = [f"{name}@example.com" for name in ("ada", "ben", "cleo")]
            self.members: list[PartnerMember] = list(make_members(self.partner, *addresses))
        self.pool = main_wallet(self.partner.organization)
        self.number = 0
        self.zone = ZoneInfo(ZONE)

    def live(self, steps: int = STEPS) -> None:
        """Let time pass and things happen; what is refused did not happen."""
        deeds = [self.award, self.award, self.charge, self.charge, self.hold, self.settle]
        deeds += [self.refund, self.recall, self.void, self.redate, self.buy, self.sweep]
        for _ in range(steps):
            self.now += timedelta(hours=self.chance.randint(11, 40))
            self.number += 1
            with moved_to(self.now), transaction.atomic():
                try:
                    with transaction.atomic():
                        self.chance.choice(deeds)()
                except DomainError:
                    continue

    def some(self, most: int = 400) -> int:
        return self.chance.randint(1, most)

    def wallet(self) -> Wallet:
        """Return some member's wallet, and sometimes the pool."""
        wallets = [one.wallet for one in self.members] * 2 + [self.pool]
        return self.chance.choice(wallets)

    def lot_of_member(self, *, returns: bool) -> Lot | None:
        member = self.chance.choice(self.members)
        lots = Lot.objects.filter(wallet=member.wallet, has_credits=True, remaining__gt=0)
        lots = lots.filter(returns_to__isnull=not returns)
        # By what they are and never by an id: a life is the same each time.
        found = list(lots.order_by("effective_at", "granted", "remaining", "expires_at"))
        return self.chance.choice(found) if found else None

    def how(self, verb: str) -> dict[str, object]:
        return {"reference": f"{verb}:{self.number}", "source": "test"}

    def award(self) -> None:
        transfer_credits(
            wallet=self.pool,
            target=self.chance.choice(self.members).wallet,
            amount=self.some(),
            kind=Lot.Kind.PARTNER,
            expires_at=self.now + timedelta(days=self.some(90)),
            returns=self.chance.random() < 0.5,
            **self.how("award"),
        )

    def charge(self) -> None:
        charge_amount(wallet=self.wallet(), amount=self.some(200), **self.how("charge"))

    def hold(self) -> None:
        hold_amount(
            wallet=self.wallet(),
            amount=self.some(200),
            ttl=timedelta(hours=23),
            **self.how("hold"),
        )

    def settle(self) -> None:
        hold = Hold.objects.filter(status="held").order_by("expires_at").first()
        if hold and self.chance.random() < 0.7:
            capture_hold(hold=hold, amount=self.chance.randint(1, hold.amount), source="test")
        elif hold:
            release_hold(hold=hold, source="test")

    def refund(self) -> None:
        charges = CreditTransaction.objects.filter(transaction_type="consumed")
        if found := list(charges.order_by("created_at", "sequence")):
            charge = self.chance.choice(found)
            refund_charge(
                wallet=charge.wallet,
                charge_reference=charge.reference,
                amount=self.chance.randint(1, -charge.amount),
                is_our_fault=self.chance.random() < 0.5,
                **self.how("refund"),
            )

    def recall(self) -> None:
        if lot := self.lot_of_member(returns=True):
            recall_credits(
                wallet=lot.wallet, target=self.pool, lot_ids=[lot.id], **self.how("recall")
            )

    def void(self) -> None:
        if lot := self.lot_of_member(returns=False):
            post_one(Void(wallet_id=lot.wallet_id, lot_id=lot.id, **self.how("void")))

    def redate(self) -> None:
        if lot := self.lot_of_member(returns=self.chance.random() < 0.5):
            later = self.now + timedelta(days=self.some(60))
            post_one(
                ChangeExpiry(
                    wallet_id=lot.wallet_id, lot_id=lot.id, expires_at=later, **self.how("redate")
                )
            )

    def buy(self) -> None:
        grant_credits(
            wallet=self.wallet(), amount=self.some(), kind=Lot.Kind.PURCHASE, **self.how("paid")
        )

    def sweep(self) -> None:
        sweep_expired_lots()


def counted(wallet: Wallet, first: date | None = None, last: date | None = None) -> Counter[str]:
    """Count a wallet's movements one by one, of these days or of all, each by its own word."""
    sums: Counter[str] = Counter()
    for entry in CreditTransaction.objects.filter(wallet=wallet):
        day = entry.created_at.astimezone(ZoneInfo(ZONE)).date()
        if first and day < first:
            sums["opening"] += entry.amount
        if (first and day < first) or (last and day > last):
            continue
        word = WORDS.get(entry.transaction_type, "corrected")
        sums[word] += (
            entry.amount if word in ("granted", "received", "corrected") else -entry.amount
        )
        sums["net"] += entry.amount
    return sums


def nonzero(sums: Counter[str]) -> dict[str, int]:
    """Return what is not zero of a count; below zero stays."""
    return {word: amount for word, amount in sums.items() if amount}
