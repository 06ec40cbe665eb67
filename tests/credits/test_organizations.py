"""An organization that closes, and opens again, with the wallets of its members."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.credits.errors import WalletHasHolds
from apps.credits.models import Wallet
from apps.credits.services.holds import hold_amount
from apps.credits.services.organizations import close_wallets, reopen_wallets
from apps.credits.services.wallets import change_status
from apps.tenants.models import AuditLog
from tests.people import make_organization

pytestmark = pytest.mark.django_db
FEW, MANY = 2, 200


def with_members(members: int):
    """Return an organization with its main wallet and so many of members."""
    organization = make_organization()
    Wallet.objects.bulk_create(
        Wallet(organization=organization, kind=Wallet.Kind.MEMBER) for _ in range(members)
    )
    return organization


def closed(organization) -> int:
    return Wallet.objects.filter(organization=organization, closed_at__isnull=False).count()


def queries(action, **about) -> int:
    with CaptureQueriesContext(connection) as asked:
        action(**about)
    return len(asked)


def test_many_members_take_no_more_queries_than_few():
    few, many = with_members(FEW), with_members(MANY)

    assert queries(close_wallets, organization=few) == queries(close_wallets, organization=many)
    assert (closed(few), closed(many)) == (FEW + 1, MANY + 1)
    times = [
        {"organization": one, "closed_at": Wallet.objects.filter(organization=one)[0].closed_at}
        for one in (few, many)
    ]
    asked = {queries(reopen_wallets, **one) for one in times}
    assert len(asked) == 1
    assert (closed(few), closed(many)) == (0, 0)
    told = AuditLog.objects.filter(organization=many, action__startswith="wallets.")
    assert set(told.values_list("action", "object_id", "after__wallets")) == {
        ("wallets.closed", many.public_id, MANY + 1),
        ("wallets.reopened", many.public_id, MANY + 1),
    }


def test_what_staff_closed_before_stays_closed():
    organization = with_members(FEW)
    one = Wallet.objects.filter(organization=organization, kind=Wallet.Kind.MEMBER)[0]
    change_status(wallet=one, reason="Fraud", is_closed=True)
    Wallet.objects.filter(pk=one.pk).update(closed_at="2026-01-01T00:00Z")

    close_wallets(organization=organization)
    others = Wallet.objects.filter(organization=organization).exclude(pk=one.pk)
    reopen_wallets(organization=organization, closed_at=others[0].closed_at)

    assert list(Wallet.objects.filter(organization=organization, closed_at__isnull=False)) == [one]


def test_one_that_cannot_keeps_all_open():
    organization = with_members(FEW)
    main = Wallet.objects.get(organization=organization, kind=Wallet.Kind.ORGANIZATION)
    hold_amount(wallet=main, amount=1, reference="job", source="test")

    with pytest.raises(WalletHasHolds):
        close_wallets(organization=organization)
    assert closed(organization) == 0
