"""Staff say what a wallet may do."""

import pytest

from apps.credits.models import Wallet
from apps.tenants.models import AuditLog
from tests.credits.admin.staff import hold, make_staff, page_of, wallet_of
from tests.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet():
    return wallet_of()


@pytest.fixture
def client():
    return signed_in(make_staff("credit clerk"))


def send(client, wallet, **values):
    values = {"reason": "Asked by the customer", **values}
    return client.post(page_of("wallet", f"{wallet.pk}/standing/"), values)


def now(wallet: Wallet) -> Wallet:
    return Wallet.objects.get(pk=wallet.pk)


class TestTheForm:
    def test_freezes_and_thaws_with_a_reason(self, client, wallet):
        assert send(client, wallet, change="freeze").status_code == 302
        assert now(wallet).frozen_at
        assert send(client, wallet, change="thaw").status_code == 302
        assert not now(wallet).frozen_at

        kept = AuditLog.objects.filter(action="wallet.status_changed").order_by("created_at", "id")
        assert [row.after["is_frozen"] for row in kept] == [True, False]
        assert {row.reason for row in kept} == {"Asked by the customer"}

    def test_closes_and_reopens(self, client, wallet):
        send(client, wallet, change="close")
        assert now(wallet).closed_at
        send(client, wallet, change="reopen")
        assert not now(wallet).closed_at

    def test_sets_the_credit_line(self, client, wallet):
        assert send(client, wallet, change="credit_line", limit=250).status_code == 302

        assert now(wallet).credit_line == 250
        assert AuditLog.objects.get(action="wallet.credit_line_set").after["credit_line"] == 250

    def test_sent_twice_has_one_effect(self, client, wallet):
        for _ in range(2):
            assert send(client, wallet, change="freeze").status_code == 302

        assert AuditLog.objects.filter(action="wallet.status_changed").count() == 1

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"change": "freeze", "reason": ""}, "reason"),
            ({"change": "explode"}, "change"),
            ({"change": "credit_line"}, "limit"),
            ({"change": "credit_line", "limit": -1}, "limit"),
            ({"change": "credit_line", "limit": 10**15 + 1}, "limit"),
        ],
    )
    def test_shows_each_refusal_on_its_field(self, client, wallet, values, field):
        answer = send(client, wallet, **values)

        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == [field]
        assert (now(wallet).frozen_at, now(wallet).credit_line) == (None, 0)

    def test_tells_that_held_credits_are_in_the_way(self, client, wallet):
        hold(wallet, 10)

        answer = send(client, wallet, change="close")

        assert answer.status_code == 422
        assert "10" in str(answer.context["form"].non_field_errors())
        assert not now(wallet).closed_at

    def test_offers_what_can_be_changed(self, client, wallet):
        send(client, wallet, change="freeze")

        page = client.get(page_of("wallet", f"{wallet.pk}/standing/"))

        offered = [name for name, _ in page.context["form"].fields["change"].widget.choices]
        assert offered == ["thaw", "close", "credit_line"]
