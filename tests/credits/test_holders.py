"""Wallets of members: whose they are, whose is charged, and what is shown of which."""

import pytest
from django.db import IntegrityError, transaction

from apps.core.errors import NotFound
from apps.credits import selectors
from apps.credits.errors import NoWalletOfOwn, WalletIsHeld
from apps.credits.models import Lot, Wallet
from apps.credits.services.charges import charge_amount
from apps.credits.services.holders import open_member_wallet, open_member_wallets, set_holder
from apps.credits.services.transfers import transfer_credits
from apps.credits.services.wallets import change_status
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import AuditLog
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key

pytestmark = pytest.mark.django_db
GUEST = "programme member"


@pytest.fixture
def organization():
    return make_organization(name="Programme", slug="programme")


@pytest.fixture
def pool(organization):
    return selectors.main_wallet(organization)


@pytest.fixture
def guest(organization):
    return make_member(organization, GUEST)


@pytest.fixture
def own(organization, pool, guest):
    """The guest's own wallet, with 40 credits of the pool's 100."""
    wallet = set_holder(wallet=open_member_wallet(organization=organization), user=guest)
    transfer_credits(
        wallet=pool,
        target=wallet,
        amount=40,
        kind=Lot.Kind.PARTNER,
        reference="award:1",
        source="partner",
        returns=True,
    )
    return wallet


class TestHolding:
    def test_many_are_opened_empty(self, organization):
        wallets = open_member_wallets(organization=organization, count=3)

        kept = Wallet.objects.filter(pk__in=[one.pk for one in wallets])
        assert {(one.kind, one.balance, one.holder) for one in kept} == {("member", 0, None)}
        assert kept.count() == 3

    def test_is_written_down_once(self, organization, guest):
        wallet = open_member_wallet(organization=organization)

        for _ in range(2):
            set_holder(wallet=Wallet.objects.get(pk=wallet.pk), user=guest)
        set_holder(wallet=wallet, user=guest)  # by who has not read it since

        assert Wallet.objects.get(pk=wallet.pk).holder == guest
        row = AuditLog.objects.get(action="wallet.holder_set")
        assert (row.object_id, row.after) == (wallet.public_id, {"holder": guest.public_id})

    def test_ends_and_leaves_the_credits(self, organization, own, guest):
        set_holder(wallet=own, user=None)

        with pytest.raises(NoWalletOfOwn):
            selectors.spending_wallet(organization, guest)
        own.refresh_from_db()
        assert (own.holder, own.balance) == (None, 40)

    def test_is_one_persons_and_one_wallets(self, organization, own, guest):
        other = open_member_wallet(organization=organization)

        with pytest.raises(WalletIsHeld):
            set_holder(wallet=own, user=make_person())
        with pytest.raises(WalletIsHeld):
            set_holder(wallet=other, user=guest)
        late = Wallet(pk=own.pk, organization=organization, kind="member")
        with pytest.raises(WalletIsHeld):
            set_holder(wallet=late, user=make_person())

    def test_may_be_in_another_organization_too(self, own, guest):
        elsewhere = make_organization(name="Elsewhere")
        wallet = open_member_wallet(organization=elsewhere)

        assert set_holder(wallet=wallet, user=guest).holder == guest

    def test_is_none_of_the_main_wallet(self, pool, guest):
        with pytest.raises(NotFound):
            set_holder(wallet=pool, user=guest)
        with pytest.raises(IntegrityError), transaction.atomic():
            Wallet.objects.filter(pk=pool.pk).update(holder=guest)


class TestWhoseWalletIsCharged:
    def test_is_ones_own_or_else_the_main_one(self, organization, pool, own, guest):
        assert selectors.spending_wallet(organization, guest) == own
        assert selectors.spending_wallet(organization, make_member(organization, "member")) == pool

    def test_is_ones_own_for_who_has_a_seat_as_well(self, organization, own, guest):
        assign_role(user=guest, role=system_role("developer"), organization=organization)

        assert selectors.spending_wallet(organization, guest) == own

    def test_is_none_without_a_seat_and_without_credits_of_ones_own(self, organization, guest):
        for person in (guest, make_person()):
            with pytest.raises(NoWalletOfOwn):
                selectors.spending_wallet(organization, person)


PAGES = ("", "lots/", "usage/", "transactions/", "holds/", "budgets/", "prices/")


class TestThePages:
    def test_show_ones_own_wallet_and_nothing_of_the_pool(self, organization, pool, own, guest):
        charge_amount(wallet=pool, amount=13, reference="secret", source="api")
        client = signed_in(guest)

        for page in PAGES:
            answer = client.get(f"/o/{organization.slug}/{page}")
            assert answer.status_code == 200, page
        lots = client.get(f"/o/{organization.slug}/lots/").context
        assert lots["balance"].available == 40
        (line,) = client.get(f"/o/{organization.slug}/transactions/").context["operations"]
        assert "+40" in str(line.amount) or line.amount == 40

    def test_lead_to_no_movement_of_the_pool(self, organization, pool, own, guest):
        client = signed_in(guest)
        theirs = selectors.recent_operations(pool, limit=1)[0].last
        his = selectors.recent_operations(own, limit=1)[0].last
        address = f"/o/{organization.slug}/transactions/"

        assert client.get(f"{address}{theirs.public_id}/").status_code == 404
        assert client.get(f"{address}{his.public_id}/").status_code == 200

    def test_say_what_to_do_where_there_is_no_wallet(self, organization, guest):
        answer = signed_in(guest).get(f"/o/{organization.slug}/")

        assert answer.status_code == 409
        assert "ask who runs it" in answer.content.decode()

    def test_show_the_pool_to_who_may_see_it(self, organization, own):
        manager = make_member(organization, "partner manager")

        lots = signed_in(manager).get(f"/o/{organization.slug}/lots/").context
        assert lots["balance"].available == 60

    def test_tell_no_banner_of_the_pool(self, organization, pool, own, guest):
        change_status(wallet=pool, reason="Test", is_frozen=True)
        client, colleague = signed_in(guest), signed_in(make_member(organization, "member"))
        address = f"/o/{organization.slug}/prices/"

        assert "Credits are frozen" in colleague.get(address).content.decode()
        assert "Credits are frozen" not in client.get(address).content.decode()
        change_status(wallet=own, reason="Test", is_frozen=True)
        assert "Credits are frozen" in client.get(address).content.decode()


class TestTheApi:
    @pytest.fixture
    def ask(self, organization):
        def ask(client, what):
            named = {"Coffer-Organization": organization.public_id}
            return client.get(f"/api/v1/credits/own/{what}", headers=named)

        return ask

    def test_tells_of_ones_own_wallet(self, ask, own, guest):
        client = signed_in(guest)

        assert ask(client, "balance").json()["available"] == 40
        assert [one["remaining"] for one in ask(client, "lots").json()["data"]] == [40]
        (moved,) = ask(client, "transactions").json()["data"]
        assert (moved["type"], moved["amount"]) == ("transferred_in", 40)

    def test_tells_of_the_organizations_what_one_caused_oneself(self, ask, organization, pool):
        member = make_member(organization, "member")
        client = signed_in(member)
        charge_amount(wallet=pool, amount=1, reference="another's", source="api")

        assert ask(client, "balance").json()["available"] == 99
        assert ask(client, "transactions").json()["data"] == []

    def test_refuses_where_there_is_no_wallet(self, ask, guest):
        answer = ask(signed_in(guest), "balance")

        assert (answer.status_code, answer.json()["code"]) == (409, "no_wallet_of_own")

    def test_takes_the_scope_of_usage(self, ask, organization, own, guest):
        for scope, status in (("usage:read", 200), ("jobs:read", 403)):
            _, token = make_key(organization, guest, scope)
            assert ask(with_key(token), "balance").status_code == status
