"""A month that is closed while its last charge is on its way, and twice at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction

from apps.core import clock
from apps.core.errors import Busy
from apps.core.invariants import verify
from apps.credits.models import ClosedPeriod, ClosedTotals, ClosedWallet
from apps.credits.services import closing
from tests.credits.months import SEPTEMBER, at, charge, grant, three_months
from tests.credits.wallets import make_wallet
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def broken() -> set[str]:
    return {finding.invariant.code for finding in verify() if finding.failures}


def close_while_a_grant_is_on_its_way(wallet, *, waits: bool = True) -> None:
    """Close September while a row of September is written and not yet committed."""
    is_written, may_commit = Event(), Event()

    def write_late() -> None:
        try:
            with clock.moved_to(at(9, 30)), transaction.atomic():
                grant(wallet, 1, "in the last minute")
                is_written.set()
                may_commit.wait(10)
        finally:
            connection.close()

    def close() -> None:
        try:
            is_written.wait(10)
            with clock.moved_to(at(10, 2)):
                closing.close_month(month=SEPTEMBER)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=2) as pool:
        writing, closed = pool.submit(write_late), pool.submit(close)
        is_written.wait(10)
        if waits:
            with pytest.raises(TimeoutError):
                closed.result(0.5)
        else:
            closed.result()
        may_commit.set()
        writing.result()
        closed.result()


@pytest.fixture
def wallet():
    """A wallet of September alone, so that its chain may go on there."""
    with clock.moved_to(at(9, 1)):
        return make_wallet(credits=10)


class TestCloseMonth:
    def test_waits_for_what_is_being_written(self, wallet):
        close_while_a_grant_is_on_its_way(wallet)

        assert ClosedWallet.objects.get(wallet=wallet).closing == 11
        assert broken() == set()

    def test_would_miss_it_without_the_lock(self, wallet, monkeypatch):
        """The control: nothing waits, and what was on its way is in no month."""
        monkeypatch.setattr(closing, "wait_for_writers", lambda: None)

        close_while_a_grant_is_on_its_way(wallet, waits=False)

        assert ClosedWallet.objects.get(wallet=wallet).closing == 10
        assert "L22" in broken()

    def test_gives_up_when_it_has_to_wait_too_long(self, wallet, monkeypatch):
        monkeypatch.setattr(closing, "LOCK_SECONDS", 0.2)
        is_written, may_commit = Event(), Event()

        def write_long() -> None:
            try:
                with clock.moved_to(at(9, 30)), transaction.atomic():
                    grant(wallet, 1, "long")
                    is_written.set()
                    may_commit.wait(10)
            finally:
                connection.close()

        with ThreadPoolExecutor(max_workers=1) as pool:
            writing = pool.submit(write_long)
            is_written.wait(10)
            with clock.moved_to(at(10, 2)), pytest.raises(Busy):
                closing.close_month(month=SEPTEMBER)
            may_commit.set()
            writing.result()

        assert not ClosedPeriod.objects.exists()

    def test_by_eight_at_once_closes_each_month_once(self):
        three_months()

        def close() -> int:
            with clock.moved_to(at(11, 2)):
                return len(closing.close_due_months())

        at_once([close] * 8)

        assert ClosedPeriod.objects.count() == ClosedTotals.objects.count() == 2
        assert ClosedWallet.objects.count() == 4
        assert broken() == set()

    def test_goes_on_beside_charges(self):
        first, _ = three_months()

        def close() -> None:
            with clock.moved_to(at(11, 2)):
                closing.close_due_months()

        def pay(number: int) -> None:
            with clock.moved_to(at(11, 2)):
                charge(first, f"meanwhile:{number}")

        at_once([close, *(lambda n=n: pay(n) for n in range(5)), close])

        assert ClosedTotals.objects.count() == 2
        assert broken() == set()
