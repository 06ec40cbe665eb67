"""
Forged rows that are right in all but one thing, which alone the database refuses.

Every forgery carries the correct hash of its own content, and wallet and lot stand where
it leaves them. It is tried twice: as things are, and with the one condition (or key) that
refuses it taken away in a transaction that is rolled back. Then it is accepted, so
nothing else would have refused it.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.core import ids
from apps.credits.ledger.chain import entry_hash
from apps.credits.models import NO_HASH, CreditTransaction, Lot, Wallet
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_event
from apps.credits.services.grants import grant_credits
from apps.credits.services.prices import set_price
from tests.credits.test_guards import silence_triggers
from tests.people import make_organization

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
CHAIN = "does not continue the chain"
HEAD = "does not stand where its last transaction"
LOT = "does not fit its lot"
REST = "does not hold what its last transaction left"
HASHED = (
    *("wallet_id", "sequence", "lot_id", "transaction_type", "amount", "balance_after"),
    *("reverses_id", "created_at", "reference"),
)


@pytest.fixture
def wallet(settings):
    """A wallet with a charge, and three lots: one that ends, one that lasts, one to come."""
    settings.TRIAL_CREDITS = 0
    set_price(name="render", credit_cost=30, category="compute")
    wallet = main_wallet(make_organization())
    now = timezone.now()
    give(wallet, "ending", expires_at=now + timedelta(days=1))
    give(wallet, "lasting")
    give(wallet, "coming", effective_at=now + timedelta(days=1))
    charge_event(wallet=wallet, event="render", reference="job:1", source="test")
    ask_deferred_constraints()
    return wallet


def give(wallet, reference, **terms):
    grant_credits(
        wallet=wallet,
        amount=50,
        kind=Lot.Kind.PURCHASE,
        reference=reference,
        source="test",
        **terms,
    )


def ask_deferred_constraints():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@dataclass
class Forgery:
    """A transaction, and the rows of wallet and lot that stand where it leaves them."""

    entry: dict[str, Any]
    wallet: dict[str, Any]
    remaining: int
    previous: bytes

    def seal(self) -> None:
        """Give it the correct hash of its own content."""
        content = {name: self.entry[name] for name in HASHED}
        self.entry["entry_hash"] = entry_hash(self.previous, **content)

    def write(self) -> None:
        """Write all three rows, and ask at once what is otherwise asked at commit."""
        with transaction.atomic():
            Wallet.objects.filter(pk=self.entry["wallet_id"]).update(**self.wallet)
            Lot.objects.filter(pk=self.entry["lot_id"]).update(remaining=self.remaining)
            CreditTransaction.objects.create(**self.entry)
            ask_deferred_constraints()


def forge(wallet, changes=None, *, origin="lasting", wallet_changes=None, remaining=None):
    """Return the next transaction of a lot, with changes, and all else as it must be then."""
    lot = Lot.objects.get(wallet=wallet, origin=origin)
    last = CreditTransaction.objects.filter(wallet=wallet).latest("sequence")
    entry = {
        "id": ids.new_id(),
        "organization_id": wallet.organization_id,
        "wallet_id": wallet.id,
        "lot_id": lot.id,
        "sequence": last.sequence + 1,
        "transaction_type": "consumed",
        "amount": -1,
        "balance_after": last.balance_after - 1,
        "lot_balance_after": lot.remaining - 1,
        "source": "test",
        "reference": "forged",
        "reverses_id": None,
        "actor": "forger",
        "created_at": last.created_at,
        **(changes or {}),
    }
    return finish(entry, bytes(last.entry_hash), wallet_changes or {}, remaining)


def finish(entry, previous, wallet_changes, remaining):
    rest = entry["lot_balance_after"] if remaining is None else remaining
    forgery = Forgery(entry, {}, rest, previous)
    if "entry_hash" not in entry:
        forgery.seal()
    forgery.wallet = {
        "sequence": entry["sequence"],
        "balance": entry["balance_after"],
        "head_hash": entry["entry_hash"],
        "head_at": entry["created_at"],
        **wallet_changes,
    }
    return forgery


def first_row_with_number_two(wallet):
    """A wallet's first row has no row before it that could be wrong, only its number."""
    organization = make_organization()
    other = main_wallet(organization)
    lot = Lot.objects.create(
        wallet=other,
        organization=organization,
        kind="purchase",
        granted=5,
        remaining=5,
        priority=50,
        effective_at=timezone.now(),
        origin="forged",
    )
    entry = {
        "id": ids.new_id(),
        "organization_id": organization.id,
        "wallet_id": other.id,
        "lot_id": lot.id,
        "sequence": 2,
        "transaction_type": "purchased",
        "amount": 5,
        "balance_after": 5,
        "lot_balance_after": 5,
        "source": "test",
        "reference": "forged",
        "reverses_id": None,
        "actor": "forger",
        "created_at": timezone.now(),
    }
    return finish(entry, NO_HASH, {}, None)


def with_wrong_balance(wallet):
    balance = Wallet.objects.get(pk=wallet.pk).balance
    return forge(wallet, {"balance_after": balance + 7})


def from_the_past(wallet):
    """An adjustment, because it may be made at any time of a lot's life."""
    last = CreditTransaction.objects.filter(wallet=wallet).latest("sequence")
    changes = {"transaction_type": "adjusted", "created_at": last.created_at - SECOND}
    return forge(wallet, changes)


def with_wrong_hash(wallet):
    """The hash of another amount; all else is right."""
    honest = forge(wallet)
    honest.entry["amount"] = -2
    honest.seal()
    return forge(wallet, {"entry_hash": honest.entry["entry_hash"]})


def with_wrong_rest(wallet):
    lot = Lot.objects.get(wallet=wallet, origin="lasting")
    return forge(wallet, {"lot_balance_after": lot.remaining - 3})


def before_the_lot_begins(wallet):
    return forge(wallet, origin="coming")


def when_the_lot_is_dead(wallet):
    lot = Lot.objects.get(wallet=wallet, origin="ending")
    return forge(wallet, {"created_at": lot.expires_at}, origin="ending")


def when_the_lot_is_frozen(wallet):
    """Adjusted, because that may be at any time of a lot's life."""
    last = CreditTransaction.objects.filter(wallet=wallet).latest("sequence")
    Lot.objects.filter(wallet=wallet, origin="lasting").update(frozen_at=last.created_at - SECOND)
    return forge(wallet, {"transaction_type": "adjusted"})


def expired_too_early(wallet):
    return forge(wallet, {"transaction_type": "expired"}, origin="ending")


def first_of_a_lot_but_not_all_of_it(wallet):
    lot = Lot.objects.create(
        wallet=wallet,
        organization=wallet.organization,
        kind="purchase",
        granted=5,
        remaining=4,
        priority=50,
        effective_at=timezone.now(),
        origin="forged",
    )
    balance = Wallet.objects.get(pk=wallet.pk).balance
    changes = {"amount": 4, "transaction_type": "purchased", "balance_after": balance + 4}
    return forge(wallet, {**changes, "lot_id": lot.id, "lot_balance_after": 4}, origin="forged")


# What is forged, what is said, and the condition of the trigger's function that says it, in
# the spellings of its versions.
FORGERIES = [
    (
        first_row_with_number_two,
        CHAIN,
        (
            "(previous.id IS NULL AND entry.sequence <> 1)",
            "entry.sequence <> coalesce(previous.sequence, 0) + 1",
        ),
    ),
    (
        with_wrong_balance,
        CHAIN,
        ("entry.balance_after <> coalesce(previous.balance_after, 0) + entry.amount",),
    ),
    (from_the_past, CHAIN, ("entry.created_at < previous.created_at",)),
    (with_wrong_hash, CHAIN, ("entry.entry_hash <> credits_entry_hash(",)),
    (
        with_wrong_rest,
        LOT,
        ("entry.lot_balance_after <> coalesce(previous.lot_balance_after, 0) + entry.amount",),
    ),
    (
        first_of_a_lot_but_not_all_of_it,
        LOT,
        ("(previous.lot_balance_after IS NULL AND entry.amount <> lot.granted)",),
    ),
    (before_the_lot_begins, LOT, ("entry.created_at < lot.effective_at",)),
    (when_the_lot_is_dead, LOT, ("entry.created_at >= lot.expires_at",)),
    (when_the_lot_is_frozen, LOT, ("lot.frozen_at < entry.created_at",)),
    (
        expired_too_early,
        LOT,
        ("lot.expires_at IS NULL OR entry.created_at < lot.expires_at",),
    ),
]
# Columns of the wallet's row, each alone not where the transaction leaves it.
HEADS = {
    "sequence": 99,
    "balance": 99,
    "head_hash": b"x" * 32,
    "head_at": timezone.now() + timedelta(days=9),
}


@contextmanager
def rolled_back():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def take_away(*spellings, instead="false"):
    """Take one condition out of the trigger's function."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('credits_verify_entries'::regproc)")
        (source,) = cursor.fetchone()
        (found,) = (one for one in spellings if one in source)
        assert source.count(found) == 1
        cursor.execute(source.replace(found, instead))


class TestEachCondition:
    @pytest.mark.parametrize(
        ("make", "said", "spellings"), FORGERIES, ids=lambda value: getattr(value, "__name__", "")
    )
    def test_is_what_refuses(self, wallet, make, said, spellings):
        with rolled_back():
            forgery = make(wallet)
            with pytest.raises(IntegrityError, match=said):
                forgery.write()

        with rolled_back():
            is_call = spellings[0].endswith("(")
            take_away(*spellings, instead=f"false AND {spellings[0]}" if is_call else "false")
            make(wallet).write()

    @pytest.mark.parametrize("column", HEADS)
    def test_compares_the_wallet_by(self, wallet, column):
        forgery = forge(wallet, wallet_changes={column: HEADS[column]})

        with rolled_back(), pytest.raises(IntegrityError, match=HEAD):
            silence_all_but_the_chain()
            forgery.write()

        with rolled_back():
            silence_all_but_the_chain()
            ours = {"balance": "balance_after", "head_hash": "entry_hash", "head_at": "created_at"}
            take_away(f"wallet.{column}", instead=f"last.{ours.get(column, column)}")
            forgery.write()

    def test_compares_the_lot(self, wallet):
        forgery = forge(wallet, remaining=1)

        with rolled_back(), pytest.raises(IntegrityError, match=REST):
            silence_all_but_the_chain()
            forgery.write()

        with rolled_back():
            silence_all_but_the_chain()
            take_away("lot.remaining <> last.lot_balance_after")
            forgery.write()

    def test_accepts_what_is_right(self, wallet):
        """The control: an honest transaction of the same making is written."""
        forge(wallet).write()


def silence_all_but_the_chain():
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER credits_balance_is_explained ON credits_wallet")
        cursor.execute("DROP TRIGGER credits_remaining_is_explained ON credits_lot")


def second_lot_of_an_origin(wallet):
    lot = Lot.objects.get(wallet=wallet, origin="lasting")
    lot.pk, lot._state.adding = ids.new_id(), True
    lot.save()


def second_main_wallet(wallet):
    Wallet.objects.create(organization=wallet.organization)


def second_row_of_a_number(wallet):
    forgery = forge(wallet)
    forgery.entry["sequence"] -= 1
    forgery.seal()
    CreditTransaction.objects.create(**forgery.entry)


def second_move_of_a_cause(wallet):
    charge = CreditTransaction.objects.get(wallet=wallet, reference="job:1")
    lot = Lot.objects.get(pk=charge.lot_id)
    CreditTransaction.objects.create(
        **forge(wallet, {"reference": "job:1"}, origin=lot.origin).entry
    )


class TestEachKey:
    """What exists once, even if the ledger's own look-up were wrong."""

    @pytest.mark.parametrize(
        ("make", "table", "key"),
        [
            (second_lot_of_an_origin, "credits_lot", "credits_one_lot_per_origin"),
            (second_main_wallet, "credits_wallet", "credits_organization_has_one_main_wallet"),
            (
                second_row_of_a_number,
                "credits_credittransaction",
                "credits_sequence_has_no_twin",
            ),
            (
                second_move_of_a_cause,
                "credits_credittransaction",
                "credits_cause_moves_a_lot_once",
            ),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_is_what_refuses(self, wallet, make, table, key):
        silence_triggers()
        with rolled_back(), pytest.raises(IntegrityError, match=key), transaction.atomic():
            make(wallet)

        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_constraint WHERE conname = %s", [key])
            is_constraint = cursor.fetchone()[0]
            cursor.execute(
                f"ALTER TABLE {table} DROP CONSTRAINT {key}"
                if is_constraint
                else f"DROP INDEX {key}"
            )
        make(wallet)
        ask_deferred_constraints()
