"""
What the database refuses, whoever asks: each guard alone, with it and without it.

Every row of the table is a write that one guard refuses. It is tried twice: as things
are, and with that guard dropped in a transaction that is rolled back. If it were refused
then as well, the guard would not be what refuses.
"""

from dataclasses import dataclass
from datetime import UTC

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.core import ids
from apps.credits.ledger.chain import entry_hash
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_event, refund_charge
from apps.credits.services.grants import grant_credits
from apps.credits.services.prices import set_price
from tests.people import make_organization

pytestmark = pytest.mark.django_db

ENTRY = "credits_credittransaction"
# A copy of the wallet's last transaction, changed: everything that a forger must get right.
FORGE = """
    INSERT INTO credits_credittransaction
    SELECT (jsonb_populate_record(
               NULL::credits_credittransaction,
               to_jsonb(last) || {changes} || jsonb_build_object('id', gen_random_uuid()))).*
      FROM (SELECT * FROM credits_credittransaction ORDER BY sequence DESC LIMIT 1) AS last
"""
NEXT = """jsonb_build_object('sequence', sequence + 1, 'reference', 'forged',
          'balance_after', balance_after - 1, 'amount', -1,
          'lot_balance_after', lot_balance_after - 1, 'transaction_type', 'consumed',
          'reverses_id', NULL)"""


@dataclass(frozen=True)
class Guard:
    """A guard, the table it stands on, and the write that it refuses."""

    name: str
    table: str
    write: str
    is_trigger: bool = False


def check(name: str, table: str, write: str) -> Guard:
    return Guard(name, table, write)


def trigger(name: str, table: str, write: str) -> Guard:
    return Guard(name, table, write, is_trigger=True)


NEW_LOT = """
    INSERT INTO credits_lot (id, organization_id, wallet_id, kind, granted, remaining, priority,
                             effective_at, expires_at, unit_cost, currency, features, origin)
    SELECT forged.id, lot.organization_id, lot.wallet_id, forged.kind, forged.granted,
           forged.remaining, lot.priority, lot.effective_at, forged.expires_at, forged.unit_cost,
           lot.currency, lot.features, 'forged'
      FROM credits_lot AS lot, LATERAL jsonb_populate_record(
               lot, jsonb_build_object('id', gen_random_uuid(), {changes})) AS forged
     WHERE lot.kind = 'purchase'
"""


def new_entry(changes: str) -> str:
    return FORGE.format(changes=f"({NEXT} || jsonb_build_object({changes}))")


GUARDS = [
    check(
        "credits_lot_grants_something",
        "credits_lot",
        NEW_LOT.format(changes="'granted', 0, 'remaining', 0"),
    ),
    check("credits_lot_kind_is_known", "credits_lot", NEW_LOT.format(changes="'kind', 'luck'")),
    check(
        "credits_lot_ends_after_it_begins",
        "credits_lot",
        NEW_LOT.format(changes="'expires_at', lot.effective_at"),
    ),
    check(
        "credits_unit_cost_has_a_currency", "credits_lot", NEW_LOT.format(changes="'unit_cost', 2")
    ),
    check("credits_sign_follows_from_type", ENTRY, new_entry("'transaction_type', 'earned'")),
    check("credits_sign_follows_from_type", ENTRY, new_entry("'amount', 0")),
    check("credits_transaction_has_a_cause", ENTRY, new_entry("'reference', ''")),
    check("credits_transaction_has_a_cause", ENTRY, new_entry("'actor', ''")),
    check("credits_sequence_begins_at_one", ENTRY, new_entry("'sequence', 0")),
    check("credits_balance_is_covered", "credits_wallet", "UPDATE credits_wallet SET balance = -1"),
    check("credits_held_is_not_negative", "credits_wallet", "UPDATE credits_wallet SET held = -1"),
    check(
        "credits_owed_back_is_not_negative",
        "credits_wallet",
        "UPDATE credits_wallet SET owed_back = -1",
    ),
    check(
        "credits_credit_line_is_not_negative",
        "credits_wallet",
        "UPDATE credits_wallet SET credit_line = -1",
    ),
    check(
        "credits_wallet_kind_is_known", "credits_wallet", "UPDATE credits_wallet SET kind = 'purse'"
    ),
    check(
        "credits_unused_wallet_is_empty",
        "credits_wallet",
        "UPDATE credits_wallet SET sequence = 0",
    ),
    check(
        "credits_remaining_is_part_of_granted",
        "credits_lot",
        "UPDATE credits_lot SET remaining = granted + 1 WHERE kind = 'purchase'",
    ),
    check(
        "credits_cost_is_not_negative",
        "credits_creditevent",
        "INSERT INTO credits_creditevent (id, name, description, category, credit_cost, unit,"
        " is_active, metadata, effective_at) SELECT gen_random_uuid(), name, '', category, -1,"
        " unit, is_active, metadata, now() + interval '1 day' FROM credits_creditevent",
    ),
    trigger(
        "credits_prices_are_kept",
        "credits_creditevent",
        "UPDATE credits_creditevent SET credit_cost = 1",
    ),
    trigger(
        "credits_prices_are_kept",
        "credits_creditevent",
        "DELETE FROM credits_creditevent WHERE false",
    ),
    trigger("credits_transactions_are_append_only", ENTRY, f"UPDATE {ENTRY} SET description = 'x'"),
    trigger(
        "credits_transactions_are_append_only",
        ENTRY,
        f"DELETE FROM {ENTRY} WHERE transaction_type = 'refunded'",
    ),
    trigger("credits_lots_are_kept", "credits_lot", "DELETE FROM credits_lot WHERE false"),
    trigger(
        "credits_terms_of_a_lot_are_fixed",
        "credits_lot",
        "UPDATE credits_lot SET expires_at = expires_at + interval '1 year' WHERE kind = 'trial'",
    ),
    trigger(
        "credits_balance_is_explained",
        "credits_wallet",
        "UPDATE credits_wallet SET balance = balance + 1",
    ),
    trigger(
        "credits_remaining_is_explained",
        "credits_lot",
        "UPDATE credits_lot SET remaining = remaining - 1",
    ),
    trigger("credits_entries_continue_their_chains", ENTRY, FORGE.format(changes=NEXT)),
]


@pytest.fixture
def wallet():
    """A wallet with a trial, a purchase, a charge and its refund."""
    set_price(name="render", credit_cost=30, category="compute")
    wallet = main_wallet(make_organization())
    grant_credits(
        wallet=wallet, amount=50, kind=Lot.Kind.PURCHASE, reference="payment:1", source="payment"
    )
    charge_event(wallet=wallet, event="render", reference="job:1", source="job", quantity=4)
    refund_charge(wallet=wallet, charge_reference="job:1", reference="refund:job:1", source="job")
    charge_event(wallet=wallet, event="render", reference="job:2", source="job")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    return wallet


def write(sql: str) -> None:
    """Write, and ask at once what is otherwise asked at commit."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def drop(guard: Guard) -> None:
    statement = (
        f"DROP TRIGGER {guard.name} ON {guard.table}"
        if guard.is_trigger
        else f"ALTER TABLE {guard.table} DROP CONSTRAINT {guard.name}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)


def silence_triggers() -> None:
    """Silence the triggers that compare rows, so that a CHECK is tried alone."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS credits_balance_is_explained ON credits_wallet")
        cursor.execute("DROP TRIGGER IF EXISTS credits_remaining_is_explained ON credits_lot")
        cursor.execute("DROP TRIGGER IF EXISTS credits_held_is_explained ON credits_wallet")
        cursor.execute("DROP TRIGGER IF EXISTS credits_hold_is_explained ON credits_hold")
        cursor.execute(f"DROP TRIGGER IF EXISTS credits_entries_continue_their_chains ON {ENTRY}")


class TestEachGuard:
    @pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
    def test_is_what_refuses(self, wallet, guard):
        if not guard.is_trigger:
            silence_triggers()
        with pytest.raises(IntegrityError) as refusal:
            write(guard.write)
        if not guard.is_trigger:
            assert guard.name in str(refusal.value)

        drop(guard)

        write(guard.write)


class TestTheChain:
    """Forged rows that are wrong in one thing alone: test_forgeries.py."""

    def test_ends_where_the_wallet_stands(self, wallet):
        """A row that is right in itself, but of which the wallet knows nothing."""
        last = CreditTransaction.objects.filter(wallet=wallet).latest("sequence")
        seal = entry_hash(
            bytes(last.entry_hash),
            wallet_id=wallet.id,
            sequence=last.sequence + 1,
            lot_id=last.lot_id,
            transaction_type="consumed",
            amount=-1,
            balance_after=last.balance_after - 1,
            reverses_id=None,
            created_at=last.created_at,
            reference="forged",
        )
        changes = f"({NEXT} || jsonb_build_object('entry_hash', '\\x{seal.hex()}'))"

        with pytest.raises(IntegrityError, match="does not stand where its last transaction"):
            write(FORGE.format(changes=changes))


class TestHistory:
    """Append-only, by every way in."""

    @pytest.mark.parametrize(
        "way",
        [
            f"UPDATE {ENTRY} SET amount = amount",
            f"DELETE FROM {ENTRY}",
            f"DELETE FROM {ENTRY} WHERE false",
            f"TRUNCATE {ENTRY}",
            "TRUNCATE credits_wallet CASCADE",
            "TRUNCATE tenants_organization CASCADE",
            f"INSERT INTO {ENTRY} SELECT * FROM {ENTRY} ON CONFLICT (id) DO UPDATE SET amount = 1",
            f"SET LOCAL session_replication_role = replica; DELETE FROM {ENTRY}",
            "TRUNCATE credits_lot CASCADE",
            "DELETE FROM credits_lot",
        ],
    )
    def test_cannot_be_changed_by(self, wallet, way):
        before = list(CreditTransaction.objects.values_list("id", "amount").order_by("id"))

        with pytest.raises(IntegrityError, match="append-only"):
            write(way)

        assert list(CreditTransaction.objects.values_list("id", "amount").order_by("id")) == before

    def test_keeps_an_organization_from_vanishing(self, wallet):
        with pytest.raises(IntegrityError):
            write(f"DELETE FROM tenants_organization WHERE id = '{wallet.organization_id}'")

    def test_lets_no_refund_exceed_its_charge(self, wallet):
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER credits_balance_is_explained ON credits_wallet")
            cursor.execute("DROP TRIGGER credits_remaining_is_explained ON credits_lot")
        charge = CreditTransaction.objects.filter(reference="job:2").first()
        back = NEXT.replace("'amount', -1", "'amount', 31").replace(
            "'reverses_id', NULL", f"'reverses_id', '{charge.id}'"
        )
        back = back.replace("- 1,", "+ 31,").replace("'consumed'", "'refunded'")

        with connection.cursor() as cursor:
            cursor.execute("ALTER FUNCTION credits_entry_hash RENAME TO credits_true_hash")
            cursor.execute(
                "CREATE FUNCTION credits_entry_hash(bytea, uuid, bigint, uuid, text, bigint,"
                " bigint, uuid, timestamptz, text) RETURNS bytea LANGUAGE sql AS"
                " $$ SELECT entry_hash FROM credits_credittransaction"
                " ORDER BY sequence DESC LIMIT 1 $$"
            )
            cursor.execute(
                "UPDATE credits_wallet SET sequence = sequence + 1, balance = balance + 31"
            )
            cursor.execute(
                "ALTER TABLE credits_lot DROP CONSTRAINT credits_remaining_is_part_of_granted"
            )
            cursor.execute(
                "UPDATE credits_lot SET remaining = remaining + 31 WHERE id = %s", [charge.lot_id]
            )

        with pytest.raises(IntegrityError, match="More is given back than"):
            write(FORGE.format(changes=back))


class TestTheSeal:
    @given(
        previous=st.binary(min_size=32, max_size=32),
        sequence=st.integers(1, 2**62),
        amount=st.integers(-(2**62), 2**62),
        balance=st.integers(0, 2**62),
        moment=st.datetimes(timezones=st.just(UTC)).filter(
            lambda moment: 1900 < moment.year < 9000
        ),
        reference=st.text(
            st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1
        ),
        has_reversal=st.booleans(),
    )
    def test_is_the_same_in_python_and_in_the_database(
        self, previous, sequence, amount, balance, moment, reference, has_reversal
    ):
        wallet_id, lot_id = ids.new_id(), ids.new_id()
        reverses_id = ids.new_id() if has_reversal else None
        mine = entry_hash(
            previous,
            wallet_id=wallet_id,
            sequence=sequence,
            lot_id=lot_id,
            transaction_type="consumed",
            amount=amount,
            balance_after=balance,
            reverses_id=reverses_id,
            created_at=moment,
            reference=reference,
        )

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT credits_entry_hash(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    *(previous, wallet_id, sequence, lot_id, "consumed", amount, balance),
                    *(reverses_id, moment, reference),
                ],
            )
            assert bytes(cursor.fetchone()[0]) == mine
