"""An organization that closes while its credits are being spent: real connections and commits."""

from collections import Counter
from threading import Event
from time import sleep

import pytest
from django.db import transaction

from apps.credits.errors import WalletClosed, WalletHasHolds
from apps.credits.models import CreditTransaction, Hold, Wallet
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.credits.services.holds import hold_amount
from apps.jobs.errors import JobsUnderWay
from apps.jobs.models import GenerationJob
from apps.tenants.models import Organization
from apps.tenants.selectors import audit_log_of
from apps.tenants.services.standing import close_organization, reopen_organization
from tests.invariants import broken
from tests.jobs.work import make_job, set_price
from tests.people import make_member, make_organization
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5
SPENDERS = 4


def closing(organization):
    def close() -> str:
        try:
            close_organization(organization=organization, confirmation=organization.slug)
        except (WalletHasHolds, JobsUnderWay):
            return "refused"
        return "closed"

    return close


def holds(wallet, number):
    def hold() -> str:
        try:
            hold_amount(wallet=wallet, amount=1, reference=f"h:{number}", source="test")
        except WalletClosed:
            return "too late"
        return "held"

    return hold


class TestAClosing:
    def test_meets_holds_and_one_of_them_gives_way(self):
        for _ in range(ROUNDS):
            organization = make_organization()
            wallet = main_wallet(organization)

            said = at_once(
                [closing(organization), *(holds(wallet, number) for number in range(SPENDERS))]
            )

            organization.refresh_from_db()
            wallet.refresh_from_db()
            is_closed = organization.status == "closed"
            assert (said[0] == "closed") is is_closed is (wallet.closed_at is not None)
            # A closed organization has no hold, and one that was refused had one.
            assert is_closed is not Hold.objects.filter(wallet=wallet).exists()
        assert broken() == []

    def test_meets_jobs_and_leaves_none_that_could_not_be_refunded(self):
        set_price()
        organization = make_organization()
        member = make_member(organization, "developer")
        is_charged = Event()

        def submit() -> str:
            with transaction.atomic():
                make_job(organization, member)
                is_charged.set()
                # The closing waits for the wallet by now: it must look for jobs after that.
                sleep(0.5)
            return "submitted"

        def close() -> str:
            is_charged.wait(10)
            return closing(organization)()

        assert at_once([submit, close]) == ["submitted", "refused"]
        organization.refresh_from_db()
        assert organization.status == "active"
        assert main_wallet(organization).closed_at is None

    def test_comes_before_a_job_that_is_submitted_too_late(self):
        set_price()
        organization = make_organization()
        member = make_member(organization, "developer")
        assert closing(organization)() == "closed"

        with pytest.raises(WalletClosed):
            make_job(organization, member)

        assert not GenerationJob.objects.exists()

    def test_lets_charges_before_it_and_none_after(self):
        organization = make_organization()
        wallet = main_wallet(organization)

        def charge(number: int) -> bool:
            try:
                charge_amount(wallet=wallet, amount=1, reference=f"c:{number}", source="test")
            except WalletClosed:
                return False
            return True

        said = at_once([closing(organization), *(lambda n=n: charge(n) for n in range(SPENDERS))])

        charged = CreditTransaction.objects.filter(wallet=wallet, transaction_type="consumed")
        assert said[0] == "closed"
        assert charged.count() == said[1:].count(True)
        assert not charge(99)
        assert broken() == []

    def test_is_done_and_undone_as_a_whole(self):
        organization = make_organization()
        Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)

        def undo() -> str:
            reopen_organization(organization=organization)
            return "asked"

        for _ in range(ROUNDS):
            at_once([closing(organization), undo, closing(organization), undo])

            found = Organization.objects.get(pk=organization.pk)
            wallets = Wallet.objects.filter(organization=organization)
            closed = {wallet.closed_at is not None for wallet in wallets}
            assert closed == {found.status == "closed"}
            done = Counter(audit_log_of(organization).values_list("action", flat=True))
            # Each undid one, so nothing was done twice.
            times = done["organization.close"] - done["organization.reopen"]
            assert times == (found.status == "closed")
