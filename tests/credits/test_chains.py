"""`manage.py verify --chain`: every way to forge a row is named, with the row."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.core import chains
from apps.core.tasks import verify_chains
from apps.credits.ledger.chain import entry_hash
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors import chains as walking
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_event, refund_charge
from apps.credits.services.grants import grant_credits
from apps.credits.services.prices import set_price
from tests.credits.forging import change, forge, seal_anew
from tests.credits.wallets import make_wallet
from tests.people import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet():
    """A wallet whose chain has eight rows: two lots, charges and a refund."""
    set_price(name="render", credit_cost=30, category="compute")
    wallet = main_wallet(make_organization(slug="acme"))
    grant_credits(
        wallet=wallet, amount=500, kind=Lot.Kind.PURCHASE, reference="payment:1", source="payment"
    )
    for number in range(4):
        charge_event(wallet=wallet, event="render", reference=f"job:{number}", source="job")
    refund_charge(wallet=wallet, charge_reference="job:1", reference="refund:job:1", source="job")
    return wallet


@pytest.fixture
def honest():
    """Another wallet, which nobody touches."""
    return make_wallet(credits=10)


def rows_of(wallet):
    return list(CreditTransaction.objects.filter(wallet=wallet).order_by("sequence"))


def verify(*arguments: str) -> str:
    """Return what the command printed, which must have found a broken chain."""
    output = StringIO()
    with pytest.raises(CommandError, match="chains are broken"):
        call_command("verify", "--chain", *arguments, stdout=output)
    return output.getvalue()


def first_fault(wallet):
    """Return the fault of the only broken chain, which must be this wallet's."""
    broken = [chain for chain in chains.walk() if chain.fault]
    assert [chain.name for chain in broken] == [wallet.public_id]
    return broken[0].fault


class TestVerifyChain:
    def test_finds_nothing_in_honest_chains(self, wallet, honest):
        output = StringIO()

        call_command("verify", "--chain", stdout=output)

        rows = CreditTransaction.objects.count()
        assert rows > 9
        assert f"chains examined=3 rows={rows} failures=0" in output.getvalue()

    def test_names_wallet_number_transaction_and_what_is_wrong(self, wallet, honest):
        bad = rows_of(wallet)[3]
        change(bad, amount=-29)

        line = verify().splitlines()[0]

        assert wallet.public_id in line
        assert f"sequence={bad.sequence} transaction={bad.public_id} hash:" in line
        assert honest.public_id not in line

    def test_walks_only_what_is_named(self, wallet, honest):
        change(rows_of(wallet)[3], amount=-29)
        output = StringIO()

        call_command("verify", "--chain", f"--wallet={honest.public_id}", stdout=output)
        verify("--organization=acme")
        verify(f"--wallet={wallet.public_id}")

        assert "chains examined=1 rows=1 failures=0" in output.getvalue()

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--chain", "--wallet=wal_nobody"],
            ["--chain", "--wallet=wal_01K00000000000000000000000"],
            ["--chain", "--organization=nobody"],
            ["--wallet=wal_01K00000000000000000000000"],
        ],
    )
    def test_refuses_what_does_not_exist(self, wallet, arguments):
        with pytest.raises(CommandError):
            call_command("verify", *arguments, stdout=StringIO())

    def test_walks_on_past_batches(self, wallet, honest, monkeypatch):
        monkeypatch.setattr(walking, "WALLETS_AT_ONCE", 1)
        monkeypatch.setattr(walking, "ROWS_AT_ONCE", 2)
        change(rows_of(wallet)[-1], reference="another")

        walked = list(walking.walk_chains())

        assert len(walked) == 3
        assert sum(chain.rows for chain in walked) == CreditTransaction.objects.count()
        assert [chain.name for chain in walked if chain.fault] == [wallet.public_id]

    def test_leaves_the_rows_with_the_server_until_it_comes_to_them(self, wallet, honest):
        walking_on = walking.walk_chains()
        next(walking_on)

        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_cursors WHERE NOT is_holdable")
            (statement,) = [text for (text,) in cursor.fetchall() if "credits_wallet" in text]
        walking_on.close()

        assert "credits_credittransaction" in statement

    def test_logs_each_broken_chain_at_night(self, wallet, monkeypatch):
        logged = []
        monkeypatch.setattr(
            "apps.core.tasks.logger.error", lambda event, **facts: logged.append((event, facts))
        )
        change(rows_of(wallet)[3], amount=-29)

        verify_chains()

        (only,) = logged
        assert only[0] == "chain_broken"
        assert only[1]["chain"] == wallet.public_id


class TestAForgedRow:
    """Each forgery alone; the first bad row is named with what is wrong with it."""

    def test_with_another_amount_is_found(self, wallet, honest):
        bad = rows_of(wallet)[4]
        change(bad, amount=-1)

        fault = first_fault(wallet)

        assert (fault.sequence, fault.row) == (bad.sequence, bad.public_id)
        assert fault.problem.startswith("hash:")

    def test_with_another_amount_and_all_sealed_anew_does_not_fit_the_head(self, wallet, honest):
        bad = rows_of(wallet)[4]
        change(bad, amount=-1, lot_balance_after=bad.lot_balance_after + 29)
        same_lot = [row for row in rows_of(wallet)[5:] if row.lot_id == bad.lot_id]
        for later in same_lot:
            change(later, lot_balance_after=later.lot_balance_after + 29)
        seal_anew(wallet, from_sequence=bad.sequence, with_head=False)

        fault = first_fault(wallet)

        assert fault.row == rows_of(wallet)[-1].public_id
        assert fault.problem.startswith("head:")

    def test_with_another_amount_and_head_and_all_sealed_anew_does_not_fit_its_lot(
        self, wallet, honest
    ):
        bad = rows_of(wallet)[4]
        change(bad, amount=-1)
        seal_anew(wallet, from_sequence=bad.sequence, with_head=True)

        fault = first_fault(wallet)

        assert (fault.sequence, fault.row) == (bad.sequence, bad.public_id)
        assert fault.problem.startswith("lot:")

    def test_that_was_removed_is_missed(self, wallet, honest):
        gone, after = rows_of(wallet)[2:4]
        forge("DELETE FROM credits_credittransaction WHERE id = %s", gone.id)

        fault = first_fault(wallet)

        assert (fault.sequence, fault.row) == (after.sequence, after.public_id)
        assert fault.problem.startswith(f"number: {gone.sequence} was due")

    def test_that_was_the_last_one_is_missed(self, wallet, honest):
        last = rows_of(wallet)[-1]
        forge("DELETE FROM credits_credittransaction WHERE id = %s", last.id)

        fault = first_fault(wallet)

        assert fault.sequence == last.sequence - 1
        assert fault.problem.startswith("head:")

    def test_that_changed_places_is_found(self, wallet, honest):
        first, second = rows_of(wallet)[3:5]
        change(first, sequence=1_000_000)
        change(second, sequence=first.sequence)
        change(first, sequence=second.sequence)

        fault = first_fault(wallet)

        assert (fault.sequence, fault.row) == (first.sequence, second.public_id)
        assert fault.problem.startswith("hash:")

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("reference", "job:other"),
            ("transaction_type", "voided"),
            ("entry_hash", bytes(32)),
            ("balance_after", 7),
            ("reverses_id", None),
        ],
    )
    def test_with_another_cell_is_found(self, wallet, honest, column, value):
        bad = next(row for row in rows_of(wallet) if row.transaction_type == "refunded")
        if column == "transaction_type":
            bad = rows_of(wallet)[4]
        change(bad, **{column: value})

        fault = first_fault(wallet)

        assert (fault.sequence, fault.row) == (bad.sequence, bad.public_id)
        assert fault.problem.startswith("hash:")

    def test_with_another_time_is_found_even_when_sealed_anew(self, wallet, honest):
        bad = rows_of(wallet)[4]
        change(bad, created_at=bad.created_at - timedelta(days=1))
        seal_anew(wallet, from_sequence=bad.sequence, with_head=True)

        fault = first_fault(wallet)

        assert (fault.sequence, fault.row) == (bad.sequence, bad.public_id)
        assert fault.problem.startswith("time:")

    def test_that_does_not_add_up_is_found_even_when_sealed_anew(self, wallet, honest):
        before, bad = rows_of(wallet)[-2:]
        wrong = bad.balance_after + 5
        seal = entry_hash(
            bytes(before.entry_hash),
            wallet_id=wallet.id,
            sequence=bad.sequence,
            lot_id=bad.lot_id,
            transaction_type=bad.transaction_type,
            amount=bad.amount,
            balance_after=wrong,
            reverses_id=bad.reverses_id,
            created_at=bad.created_at,
            reference=bad.reference,
        )
        change(bad, balance_after=wrong, entry_hash=seal)
        forge("UPDATE credits_wallet SET balance = %s, head_hash = %s", wrong, seal)

        fault = next(chain.fault for chain in chains.walk(wallet=wallet.public_id))

        assert fault.row == bad.public_id
        assert fault.problem.startswith("balance:")

    def test_of_another_organization_is_found(self, wallet, honest):
        bad = rows_of(wallet)[2]
        change(bad, organization_id=honest.organization_id)

        fault = first_fault(wallet)

        assert fault.row == bad.public_id
        assert fault.problem.startswith("organization:")

    @pytest.mark.parametrize(
        ("column", "value"),
        [("head_hash", bytes(32)), ("balance", 7), ("sequence", 99), ("head_at", "2020-01-01Z")],
    )
    def test_in_the_wallets_head_is_found(self, wallet, honest, column, value):
        forge(f"UPDATE credits_wallet SET {column} = %s WHERE id = %s", value, wallet.id)

        fault = first_fault(wallet)

        assert fault.row == rows_of(wallet)[-1].public_id
        assert fault.problem.startswith("head:")

    def test_is_not_hidden_by_a_database_that_says_yes_to_everything(self, wallet, honest):
        bad = rows_of(wallet)[4]
        change(bad, amount=-1)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                CREATE OR REPLACE FUNCTION credits_entry_hash(
                    previous bytea, wallet_id uuid, sequence bigint, lot_id uuid,
                    transaction_type text, amount bigint, balance_after bigint,
                    reverses_id uuid, created_at timestamptz, reference text
                ) RETURNS bytea LANGUAGE sql STABLE AS $$
                    SELECT entry_hash FROM credits_credittransaction entry
                     WHERE entry.wallet_id = credits_entry_hash.wallet_id
                       AND entry.sequence = credits_entry_hash.sequence $$
                """
            )

        assert first_fault(wallet).row == bad.public_id
