"""The monthly close: opening + in − out = closing, and closed months stay closed."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core import clock, context
from apps.core.invariants import verify
from apps.credits.errors import MonthIsNotOver, MonthOutOfOrder, NothingToClose
from apps.credits.models import (
    ClosedPeriod,
    ClosedTotals,
    ClosedWallet,
    CreditTransaction,
    Lot,
    Wallet,
)
from apps.credits.selectors.closing import next_period_to_close
from apps.credits.selectors.liability import liability
from apps.credits.services.closing import close_due_months, close_month, seal_month, sum_month
from apps.credits.tasks import close_months
from apps.tenants.models import AuditLog
from tests.credits.forging import change, forge, seal_anew, silenced
from tests.credits.months import NOVEMBER, OCTOBER, SEPTEMBER, at, charge, grant, three_months

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallets():
    return three_months()


@pytest.fixture
def closed(wallets):
    with clock.moved_to(at(11, 2)):
        close_due_months()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    return wallets


def line(wallet: Wallet, month: date) -> ClosedWallet:
    return ClosedWallet.objects.get(wallet=wallet, period__month=month)


def broken() -> set[str]:
    return {finding.invariant.code for finding in verify() if finding.failures}


class TestCloseMonth:
    def test_adds_up_for_every_wallet_and_type(self, wallets):
        first, second = wallets

        with clock.moved_to(at(11, 2)):
            september, october = close_due_months()

        assert (september.month, october.month) == (SEPTEMBER, OCTOBER)
        mine = line(first, SEPTEMBER)
        assert mine.totals == {
            "earned": 100,
            "purchased": 700,
            "consumed": -30,
            "expired": -70,
        }
        assert (mine.opening, mine.credits_in, mine.credits_out, mine.closing) == (0, 800, 100, 700)
        mine = line(first, OCTOBER)
        assert mine.totals == {"consumed": -90, "refunded": 25, "earned": 40}
        assert (mine.opening, mine.credits_in, mine.credits_out, mine.closing) == (700, 65, 90, 675)
        rests = line(second, OCTOBER)
        assert (rests.opening, rests.credits_in, rests.closing, rests.totals) == (0, 0, 0, {})

    def test_sums_the_wallets(self, closed):
        totals = ClosedTotals.objects.get(period__month=SEPTEMBER)

        assert totals.wallets == 2
        assert totals.totals == {
            "earned": 200,
            "purchased": 700,
            "consumed": -30,
            "expired": -170,
        }
        assert (totals.opening, totals.closing) == (0, 700)
        assert totals.breakage_credits == 170
        assert totals.breakage_value == {}

    def test_keeps_the_liability_of_the_last_instant(self, closed):
        october = ClosedPeriod.objects.get(month=OCTOBER)
        then = liability(as_of=october.ends_at)

        assert october.totals.closing == then.credits == 675
        # 25 of 90 came back, so 435 of 500 at 1.905 and 200 at 2.5 are left.
        assert october.totals.deferred_revenue == {"eur": "828.675000", "usd": "500.000000"}

    def test_writes_down_where_each_chain_stood(self, closed):
        first, _ = closed
        last = CreditTransaction.objects.filter(wallet=first, created_at__lt=at(11, 1, 0)).latest(
            "sequence"
        )

        mine = line(first, OCTOBER)

        assert mine.sequence == last.sequence
        assert bytes(mine.head_hash) == bytes(last.entry_hash)

    def test_leaves_what_came_after_to_the_next_month(self, closed):
        assert next_period_to_close().first_day == NOVEMBER
        assert not ClosedPeriod.objects.filter(month=NOVEMBER).exists()

    def test_answers_a_repeat_with_what_was_closed(self, closed):
        with clock.moved_to(at(11, 2)):
            again = close_month(month=OCTOBER)

        assert again == ClosedPeriod.objects.get(month=OCTOBER)
        assert ClosedWallet.objects.filter(period=again).count() == 2

    def test_refuses_a_month_that_is_not_over(self, wallets):
        with clock.moved_to(at(10, 1, 0) + timedelta(minutes=59, seconds=59)):
            with pytest.raises(MonthIsNotOver):
                close_month(month=SEPTEMBER)
            assert close_due_months() == []

        with clock.moved_to(at(10, 1, 1)):
            assert close_month(month=SEPTEMBER).month == SEPTEMBER

    @pytest.mark.parametrize("month", [OCTOBER, date(2026, 8, 1), date(2026, 9, 2)])
    def test_refuses_another_month_than_the_next(self, wallets, month):
        with clock.moved_to(at(11, 2)), pytest.raises(MonthOutOfOrder, match="2026-09"):
            close_month(month=month)

    def test_refuses_where_nothing_ever_moved(self):
        with pytest.raises(NothingToClose):
            close_month(month=SEPTEMBER)
        assert close_due_months() == []

    def test_finishes_what_was_sealed_and_not_summed(self, wallets):
        with clock.moved_to(at(11, 2)):
            seal_month(month=SEPTEMBER)
            assert close_due_months() == [ClosedPeriod.objects.get(month=OCTOBER)]

        assert line(wallets[0], SEPTEMBER).closing == 700
        assert broken() == set()

    def test_says_who_did_it(self, wallets):
        with clock.moved_to(at(10, 2)), context.acting(actor="user:usr_me"):
            period = close_month(month=SEPTEMBER)

        row = AuditLog.objects.get(action="credits.close_month")
        assert period.closed_by == row.actor == "user:usr_me"
        assert row.object_id == period.public_id

    def test_is_done_by_the_beat(self, wallets):
        with clock.moved_to(at(11, 2)):
            close_months()

        assert ClosedPeriod.objects.count() == 2
        assert ClosedPeriod.objects.first().closed_by == "system:close_months"

    def test_takes_as_many_queries_for_many_wallets_as_for_few(
        self, wallets, django_assert_max_num_queries
    ):
        with clock.moved_to(at(11, 2)):
            period = seal_month(month=SEPTEMBER)
        with django_assert_max_num_queries(10):
            sum_month(period=period)

    def test_opens_with_what_the_last_month_closed_with_for_all_twelve(self, closed):
        first, _ = closed
        for month in range(2, 8):
            with clock.moved_to(at(11, 1) + timedelta(days=31 * month)):
                grant(first, month, f"month:{month}")
                close_due_months()

        lines = list(ClosedWallet.objects.filter(wallet=first).order_by("period__month"))
        assert len(lines) > 6
        assert [one.opening for one in lines[1:]] == [one.closing for one in lines[:-1]]
        assert broken() == set()


class TestAClosedMonth:
    """What the database refuses, with each guard and without it."""

    def charge_in_october(self, wallet: Wallet) -> None:
        with clock.moved_to(at(10, 31)), transaction.atomic():
            grant(wallet, 1, "back in time")

    def test_takes_no_transaction(self, closed):
        second = closed[1]
        other = Wallet.objects.create(organization=second.organization, kind=Wallet.Kind.MEMBER)

        with pytest.raises(IntegrityError, match="2026-10 is closed"):
            self.charge_in_october(other)

        with connection.cursor() as cursor:
            cursor.execute(
                "DROP TRIGGER credits_closed_periods_take_nothing ON credits_credittransaction"
            )
        self.charge_in_october(other)
        assert "L22" in broken()

    def test_ends_before_the_first_instant_of_the_next(self, closed):
        second = closed[1]
        other = Wallet.objects.create(organization=second.organization, kind=Wallet.Kind.MEMBER)

        with (
            clock.moved_to(at(11, 1, 0) - timedelta(microseconds=1)),
            pytest.raises(IntegrityError, match="2026-10 is closed"),
            transaction.atomic(),
        ):
            grant(other, 1, "last instant")
        with clock.moved_to(at(11, 1, 0)):
            grant(other, 1, "first instant")

    @pytest.mark.parametrize("table", ["closedperiod", "closedwallet", "closedtotals"])
    @pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
    def test_cannot_be_changed(self, closed, table, verb):
        statement = {
            "UPDATE": {
                "closedperiod": "UPDATE credits_closedperiod SET closed_by = 'me'",
                "closedwallet": "UPDATE credits_closedwallet SET opening = 0",
                "closedtotals": "UPDATE credits_closedtotals SET wallets = 0",
            }[table],
            "DELETE": f"DELETE FROM credits_{table}",
            "TRUNCATE": f"TRUNCATE credits_{table} CASCADE",
        }[verb]

        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    @pytest.mark.parametrize(
        ("table", "name", "statement"),
        [
            (
                "credits_closedwallet",
                "credits_summed_periods_take_no_wallet",
                """
                INSERT INTO credits_closedwallet
                       (period_id, organization_id, wallet_id, opening, credits_in, credits_out,
                        closing, totals, sequence, head_hash)
                SELECT period_id, organization_id, {other}, 0, 0, 0, 0, '{{}}', 1, head_hash
                  FROM credits_closedwallet LIMIT 1
                """,
            ),
            (
                "credits_closedperiod",
                "credits_months_are_closed_in_order",
                """
                INSERT INTO credits_closedperiod (id, month, starts_at, ends_at, closed_by)
                VALUES (gen_random_uuid(), '2027-01-01', '2027-01-01Z', '2027-02-01Z', 'me')
                """,
            ),
            (
                "credits_closedperiod",
                "credits_months_are_closed_in_order",
                """
                INSERT INTO credits_closedperiod (id, month, starts_at, ends_at, closed_by)
                VALUES (gen_random_uuid(), '2026-11-01', '2026-11-01Z', '2026-11-30Z', 'me')
                """,
            ),
        ],
    )
    def test_is_guarded_by(self, closed, table, name, statement):
        other = Wallet.objects.create(organization=closed[0].organization, kind=Wallet.Kind.MEMBER)
        sql = statement.format(other=f"'{other.id}'")

        def write() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql)

        with pytest.raises(IntegrityError):
            write()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER {name} ON {table}")
        write()

    def test_has_no_totals_but_those_of_its_wallets(self, wallets):
        with clock.moved_to(at(11, 2)):
            period = seal_month(month=SEPTEMBER)

        def write() -> None:
            with transaction.atomic():
                ClosedTotals.objects.create(
                    period=period, wallets=1, opening=0, credits_in=1, credits_out=0, closing=1
                )

        with pytest.raises(IntegrityError, match="not those of its wallets"):
            write()
        with connection.cursor() as cursor:
            cursor.execute(
                "DROP TRIGGER credits_closed_totals_are_those_of_wallets ON credits_closedtotals"
            )
        write()

    @pytest.mark.parametrize(
        "columns",
        [
            {"opening": 0, "credits_in": 1, "credits_out": 0, "closing": 2},
            {"opening": 0, "credits_in": 0, "credits_out": -1, "closing": 1},
        ],
    )
    def test_has_no_wallet_that_does_not_add_up(self, wallets, columns):
        with clock.moved_to(at(11, 2)):
            period = seal_month(month=SEPTEMBER)
        wallet = wallets[0]

        with pytest.raises(IntegrityError, match="credits_closed_wallet_"):
            ClosedWallet.objects.create(
                period=period,
                wallet=wallet,
                organization=wallet.organization,
                sequence=1,
                head_hash=bytes(32),
                **columns,
            )


class TestVerify:
    """Each invariant finds what it is there for, and nothing in honest months."""

    def test_finds_nothing_in_honest_months(self, closed):
        found = {finding.invariant.code: finding for finding in verify()}

        assert [code for code, finding in found.items() if finding.failures] == []
        for code in ("L20", "L21", "L22", "L23", "L24", "L25"):
            assert found[code].examined > 0

    def test_finds_a_changed_balance_of_a_lot(self, closed):
        entry = CreditTransaction.objects.filter(wallet=closed[0], sequence=3).get()
        change(entry, lot_balance_after=1)

        assert broken() == {"L20"}

    def test_finds_a_wallet_that_holds_more_than_its_lots(self, closed):
        forge("UPDATE credits_wallet SET balance = balance + 1 WHERE id = %s", closed[0].id)

        assert "L21" in broken()

    def test_finds_another_sum_of_a_month(self, closed):
        with silenced("credits_closedwallet"), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE credits_closedwallet SET totals = totals || '{\"earned\": 1}'"
                " WHERE id = %s",
                [line(closed[0], OCTOBER).id],
            )

        assert broken() == {"L22"}

    def test_finds_a_month_that_opens_elsewhere(self, closed):
        with silenced("credits_closedwallet", "credits_closedtotals"):
            ClosedWallet.objects.filter(id=line(closed[0], OCTOBER).id).update(
                opening=600, closing=575
            )

        assert {"L23", "L24", "L25"} <= broken()

    def test_finds_a_wallet_that_a_month_forgot(self, closed):
        with silenced("credits_closedwallet"), connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM credits_closedwallet WHERE id = %s", [line(closed[1], OCTOBER).id]
            )

        assert {"L25"} <= broken()

    def test_finds_a_past_that_was_written_anew_with_all_its_hashes(self, closed):
        """Amounts, balances, hashes, lots and head all fit again; the closed month does not."""
        first, _ = closed
        entry = CreditTransaction.objects.get(wallet=first, reference="gift")
        change(entry, amount=41, lot_balance_after=41)
        later = CreditTransaction.objects.filter(lot=entry.lot, sequence__gt=entry.sequence)
        for one in later:
            change(one, lot_balance_after=one.lot_balance_after + 1)
        seal_anew(first, from_sequence=entry.sequence, with_head=True)
        forge(
            "UPDATE credits_lot SET granted = granted + 1, remaining = remaining + 1 WHERE id = %s",
            entry.lot_id,
        )

        assert broken() == {"L22", "L24"}

    def test_finds_totals_that_were_changed(self, closed):
        with silenced("credits_closedtotals"):
            ClosedTotals.objects.update(wallets=99)

        assert broken() == {"L25"}


class TestTheLot:
    def test_that_was_granted_is_not_touched_by_closing(self, wallets):
        before = list(Lot.objects.order_by("id").values())

        with clock.moved_to(at(11, 2)):
            close_due_months()

        assert list(Lot.objects.order_by("id").values()) == before


class TestCharges:
    def test_go_on_after_a_close(self, closed):
        with clock.moved_to(at(11, 3)):
            charge(closed[0], "after")

        assert broken() == set()
