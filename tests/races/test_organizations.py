"""An organization that closes while its credits are being spent: real connections and commits."""

import pytest

from apps.core.invariants import verify
from apps.credits.errors import WalletClosed, WalletHasHolds
from apps.credits.models import CreditTransaction, Hold, Wallet
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.credits.services.holds import hold_amount
from apps.jobs.errors import JobsUnderWay
from apps.jobs.models import GenerationJob
from apps.tenants.models import Organization
from apps.tenants.services.standing import close_organization, reopen_organization
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


def broken() -> list[str]:
    return [finding.invariant.code for finding in verify() if finding.failures]


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
        for _ in range(ROUNDS):
            organization = make_organization()
            member = make_member(organization, "developer")

            def submit(organization=organization, member=member) -> str:
                try:
                    make_job(organization, member)
                except WalletClosed:
                    return "too late"
                return "submitted"

            said = at_once([closing(organization), submit])

            organization.refresh_from_db()
            jobs = GenerationJob.objects.filter(organization=organization).count()
            assert said in (["closed", "too late"], ["refused", "submitted"])
            assert (organization.status, jobs) in [("closed", 0), ("active", 1)]

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
