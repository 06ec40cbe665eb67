"""The pages on which credits are bought, and those that say what became of it."""

import csv
import io
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.billing.errors import StripeUnavailable
from apps.billing.gateway import checkout as gateway
from apps.billing.models import Payment
from apps.billing.pages import payments as pages
from apps.core import readonly
from tests.billing.buying import (
    DECLINED,
    again,
    balance,
    buy,
    make_pack,
    press,
    set_value,
    text_of,
)
from tests.people import make_member, make_organization, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(organization):
    return signed_in(make_member(organization, "owner", full_name="Olivia Owner"))


def place(organization, *rest):
    return f"/o/{organization.slug}/billing/{''.join(f'{one}/' for one in rest)}"


def form_of(pack, **changes):
    return {
        "version": pack.public_id,
        "amount": pack.price,
        "idempotency_key": str(uuid4()),
    } | changes


class TestWhatIsOffered:
    def test_says_everything_beside_the_button(self, stripe, client, organization, pack):
        text = text_of(client.get(place(organization, "buy")))

        expiry = timezone.localtime(timezone.now() + timedelta(days=365))
        assert "Buy Starter for €19.00" in text
        assert "1,050 credits, €0.0181 each" in text
        assert "50 of them for free" in text
        assert f"they can be used until {expiry:%-d %b %Y}" in text
        assert "No tax is added." in text
        assert "Credits that were not used are refunded on request" in text
        assert "no card is charged" in text  # a stand-in takes Stripe's place

    def test_says_what_staff_have_set(self, stripe, client, organization):
        make_pack(valid_days=None)
        set_value("billing.automatic_tax", True)
        set_value("billing.refund_terms", "Nothing is refunded.")
        text = text_of(client.get(place(organization, "buy")))

        assert "They do not expire." in text
        assert "Tax is added on the next page" in text
        assert "Nothing is refunded." in text

    def test_marks_the_pack_whose_credits_cost_least(self, stripe, client, organization, pack):
        make_pack("studio", credits=10_000, bonus_credits=0, price=15_000)
        text = text_of(client.get(place(organization, "buy")))
        assert "Studio Lowest price each" in text
        assert text.count("Lowest price each") == 1

    def test_tells_the_price_of_any_number(self, stripe, client, organization):
        here = place(organization, "buy", "quote")
        assert "€30.00 for 1,500 credits, €0.02 each" in text_of(client.get(f"{here}?credits=1500"))
        for wrong in ("499", "100001", "x", "", "-5", "9" * 40):
            assert "not sold at once" in text_of(client.get(f"{here}?credits={wrong}"))

    def test_is_nothing_where_nothing_is_sold(self, stripe, client, organization):
        set_value("billing.custom_price", 0)
        assert "Nothing is sold here now" in text_of(client.get(place(organization, "buy")))

    def test_can_be_seen_and_not_bought_without_the_permission(self, stripe, organization, pack):
        reader = signed_in(make_member(organization, "read-only"))
        answer = reader.get(place(organization, "buy"))

        assert "You may look, and not buy" in text_of(answer)
        assert b'type="submit" disabled' in answer.content
        assert reader.post(place(organization, "buy"), form_of(pack)).status_code == 403
        assert not Payment.objects.exists()

    def test_is_off_without_a_key(self, client, organization, pack, settings):
        settings.STRIPE_SECRET_KEY = ""
        answer = client.get(place(organization, "buy"))

        assert "Billing is not configured" in text_of(answer)
        assert b'type="submit" disabled' in answer.content
        answer = client.post(place(organization, "buy"), form_of(pack))
        assert answer.status_code == 503
        assert "Billing is not configured here" in text_of(answer)
        assert not Payment.objects.exists()

    def test_asks_the_database_as_often_for_many_packs(self, stripe, client, organization, pack):
        def queries():
            with CaptureQueriesContext(
                connection,
            ) as asked:
                client.get(place(organization, "buy"))
            return len(asked)

        queries()
        few = queries()
        for number in range(5):
            make_pack(f"pack-{number}")
        assert queries() == few


class TestBuying:
    def test_a_pack_leads_to_stripes_page(self, stripe, client, organization, pack):
        answer = client.post(place(organization, "buy"), form_of(pack))

        payment = Payment.objects.get()
        assert (answer.status_code, answer.url) == (302, payment.pay_url)
        assert payment.user.full_name == "Olivia Owner"

    def test_an_amount_leads_there_too(self, stripe, client, organization):
        form = {"what": "custom", "credits": "1500", "amount": "3000", "idempotency_key": "a"}
        answer = client.post(place(organization, "buy"), form)

        payment = Payment.objects.get()
        assert answer.url == payment.pay_url
        assert (payment.credits, payment.amount) == (1500, 3000)

    def test_twice_with_one_key_is_once(self, stripe, client, organization, pack):
        form = form_of(pack)
        first = client.post(place(organization, "buy"), form)
        second = client.post(place(organization, "buy"), form)

        assert first.url == second.url
        assert Payment.objects.count() == 1

    def test_a_form_gone_back_to_and_filled_otherwise_buys_another_thing(
        self, stripe, client, organization
    ):
        form = {"what": "custom", "credits": "1500", "idempotency_key": "a"}
        client.post(place(organization, "buy"), form)
        client.post(place(organization, "buy"), form | {"credits": "2000"})
        assert sorted(Payment.objects.values_list("credits", flat=True)) == [1500, 2000]

    def test_a_form_gone_back_to_after_paying_says_that_it_is_paid(
        self, stripe, client, organization, pack
    ):
        form = form_of(pack)
        client.post(place(organization, "buy"), form)
        press(Payment.objects.get())
        stripe.tell()
        answer = client.post(place(organization, "buy"), form, follow=True)

        assert "Paid: 1,050 credits came in" in text_of(answer)
        assert Payment.objects.count() == 1

    @pytest.mark.parametrize(
        ("changes", "status", "words"),
        [
            ({"amount": "1800"}, 409, "The price or the terms have changed"),
            ({"version": "prv_nothing"}, 422, "Choose a pack."),
            ({"amount": ""}, 422, "Choose a pack."),
            ({"idempotency_key": ""}, 422, "Choose a pack."),
        ],
    )
    def test_of_a_pack_is_refused(self, stripe, client, organization, pack, changes, status, words):
        answer = client.post(place(organization, "buy"), form_of(pack, **changes))
        assert answer.status_code == status
        assert words in text_of(answer)
        assert not Payment.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "status", "words"),
        [
            ({"credits": "499"}, 422, "greater than or equal to 500"),
            ({"credits": "100001"}, 422, "less than or equal to 100000"),
            ({"credits": "many"}, 422, "Enter a whole number"),
            ({"amount": "2999"}, 409, "The price or the terms have changed"),
        ],
    )
    def test_of_an_amount_is_refused(self, stripe, client, organization, changes, status, words):
        form = {"what": "custom", "credits": "1500", "amount": "3000", "idempotency_key": "a"}
        answer = client.post(place(organization, "buy"), form | changes)
        assert answer.status_code == status
        assert words in text_of(answer)
        assert not Payment.objects.exists()

    def test_of_an_amount_where_only_packs_are_sold_is_refused(self, stripe, client, organization):
        set_value("billing.custom_price", 0)
        form = {"what": "custom", "credits": "1500", "idempotency_key": "a"}
        answer = client.post(place(organization, "buy"), form)
        assert answer.status_code == 409
        assert "Only packs are sold here now" in text_of(answer)

    def test_while_stripe_is_away_is_written_down_and_goes_on(
        self, stripe, client, organization, pack, monkeypatch
    ):
        def away(**question):
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "create_session", away)
        answer = client.post(place(organization, "buy"), form_of(pack), follow=True)
        assert "Stripe's page is being prepared" in text_of(answer).replace("&#x27;", "'")
        assert b'hx-trigger="load delay:1s"' in answer.content
        monkeypatch.undo()

        answer = client.get(answer.request["PATH_INFO"])
        assert "Not paid yet" in text_of(answer)
        assert Payment.objects.get().pay_url in answer.content.decode()


class TestAPayment:
    @pytest.fixture
    def payment(self, stripe, organization, pack):
        return buy(organization, pack)

    def page(self, client, payment, *rest):
        return client.get(place(payment.organization, "payments", payment.public_id, *rest))

    def test_is_told_as_paid_before_any_news(self, client, organization, payment):
        """Whoever comes back from Stripe's page is told the truth at once."""
        before = balance(organization)
        press(payment)
        answer = self.page(client, payment)

        text = text_of(answer)
        assert "Paid: 1,050 credits came in" in text
        assert f"You have {before + 1050:,} credits now." in text
        assert "hx-trigger" not in answer.content.decode()
        link = answer.content.decode().split('href="/o/acme/transactions/')[1].split('"')[0]
        assert client.get(f"/o/acme/transactions/{link}").status_code == 200

    def test_that_was_declined_says_the_banks_reason(self, stripe, client, payment):
        press(payment, DECLINED)
        stripe.tell()
        text = text_of(self.page(client, payment))

        assert "The last try was declined" in text
        listed = client.get(place(payment.organization, "payments"))
        assert "Not paid yet the last try was declined" in text_of(listed)
        assert again(payment).failure_message in text
        assert "Try another card" in text
        assert "Go on to pay €19.00" in text

    def test_that_is_open_offers_to_go_on(self, client, payment):
        answer = self.page(client, payment)
        assert "Not paid yet" in text_of(answer)
        assert payment.pay_url in answer.content.decode()

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            ("processing", "The bank has not confirmed it yet"),
            ("failed", "Nothing was paid No such card. Try another card, or ask the bank."),
            ("cancelled", "This purchase was not paid in time Nothing was charged."),
        ],
    )
    def test_says_how_it_stands(self, client, payment, settings, status, words):
        settings.STRIPE_SECRET_KEY = ""  # so that nobody is asked
        Payment.objects.update(status=status, pay_url="", failure_message="No such card.")
        assert words in text_of(self.page(client, payment))

    def test_is_asked_for_again_and_less_and_less_often(self, client, payment, monkeypatch):
        assert [pages.pause_before_look(n, payment) for n in range(8)] == [1, 1, 2, 3, 5, 8, 8, 8]
        assert pages.pause_before_look(60, payment) is None
        asked = []
        monkeypatch.setattr(pages.checkout, "look", asked.append)
        for look in range(1, 9):
            here = place(payment.organization, "payments", payment.public_id, "status")
            answer = client.get(f"{here}?look={look}")
            assert f"look={look + 1}".encode() in answer.content
        assert len(asked) == 2

    def test_is_never_asked_for_by_who_only_looks(self, payment, monkeypatch):
        monkeypatch.setattr(pages.checkout, "look", pytest.fail)
        with readonly.reading_only():
            assert pages.ask_how_it_stands(payment) == payment

    def test_of_another_amount_shows_no_credits(self, stripe, client, payment):
        Payment.objects.update(amount=1800)
        press(payment)
        answer = self.page(client, payment)
        assert answer.status_code == 200
        assert "came in" not in text_of(answer)

    def test_of_elsewhere_is_not_there(self, stripe, client, organization, payment):
        other = make_organization()
        stranger = signed_in(make_member(other, "owner"))
        here = place(other, "payments", payment.public_id)
        assert stranger.get(here).status_code == 404
        assert stranger.get(f"{here}status/").status_code == 404

    def test_offers_nothing_to_who_may_not_buy(self, organization, payment):
        reader = signed_in(make_member(organization, "read-only"))
        answer = self.page(reader, payment)
        assert answer.status_code == 200
        assert payment.pay_url not in answer.content.decode()


class TestTheList:
    @pytest.fixture
    def payments(self, stripe, organization, pack):
        made = [buy(organization, pack) for _ in range(3)]
        press(made[0])
        stripe.tell()
        Payment.objects.filter(pk=made[2].pk).update(status="cancelled", pay_url="")
        buy(make_organization(), pack)
        return made

    def test_shows_the_newest_first_and_only_ones_own(self, client, organization, payments):
        page = client.get(place(organization, "payments")).content.decode()
        places = [page.index(one.public_id) for one in reversed(payments)]
        assert places == sorted(places)
        assert page.count("/billing/payments/pay_") == 3

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status=succeeded", [0]),
            ("status=waiting", [1]),
            ("status=cancelled", [2]),
            ("purpose=pack", [2, 1, 0]),
            ("purpose=custom", []),
            ("from_date=2020-01-01&to_date=2020-01-02", []),
            ("from_date=2020-01-01", [2, 1, 0]),
            ("from_date=0001-01-01&to_date=9999-12-31", [2, 1, 0]),
            ("status=nonsense", [2, 1, 0]),
        ],
    )
    def test_filters(self, client, organization, payments, query, found):
        here = place(organization, "payments")
        page = client.get(f"{here}?{query}").content.decode()
        file = client.get(f"{here}?{query}&format=csv")
        rows = list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode())))

        expected = [payments[number].public_id for number in found]
        assert [row["id"] for row in rows] == expected
        assert page.count("/billing/payments/pay_") == len(found)

    def test_goes_on_page_after_page(self, client, organization, payments, monkeypatch):
        monkeypatch.setattr(pages, "PAGE_SIZE", 2)
        first = client.get(place(organization, "payments"))
        second = client.get(first.context["next_url"])

        ids = [one["id"] for answer in (first, second) for one in answer.context["payments"]]
        assert ids == [one.public_id for one in reversed(payments)]
        assert second.context["next_url"] is None

    def test_asks_the_database_as_often_for_many(self, client, organization, payments, pack):
        def queries():
            with CaptureQueriesContext(connection) as asked:
                client.get(place(organization, "payments"))
            return len(asked)

        queries()
        few = queries()
        for _ in range(4):
            buy(organization, pack, make_member(organization, "owner"))
        assert queries() == few

    def test_says_that_there_is_none(self, stripe, client, organization):
        assert "No payments yet" in text_of(client.get(place(organization, "payments")))

    def test_is_closed_without_the_permission(self, organization):
        member = signed_in(make_member(organization, "member"))
        assert member.get(place(organization, "payments")).status_code == 403
