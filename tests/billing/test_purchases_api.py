"""The API of buying: who may, what is refused, what is answered, and nothing twice."""

import csv
import io
from uuid import uuid4

import pytest

from apps.billing.errors import StripeUnavailable
from apps.billing.gateway import checkout as gateway
from apps.billing.models import Payment
from tests.billing.buying import buy, press
from tests.people import make_key, make_member, make_organization, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db(transaction=True)
BUY = "/api/v1/purchases"
READ = "/api/v1/payments"


@pytest.fixture
def client(organization):
    return by_key(organization, "owner", "billing:read", "billing:write")


def by_key(organization, role, *scopes):
    return with_key(make_key(organization, make_member(organization, role), *scopes)[1])


def post(client, body, key=None):
    headers = {"Idempotency-Key": key or str(uuid4())}
    return client.post(BUY, body, content_type="application/json", headers=headers)


class TestBuying:
    def test_a_pack_answers_the_payment_and_where_it_is_paid(
        self, stripe, client, organization, pack
    ):
        answer = post(client, {"pack": "starter", "amount": 1900})

        payment = Payment.objects.get()
        body = answer.json()
        assert answer.status_code == 201
        assert answer["Location"] == f"{READ}/{payment.public_id}"
        assert body == client.get(answer["Location"]).json()
        assert (body["id"], body["object"], body["status"]) == (
            payment.public_id,
            "payment",
            "open",
        )
        assert (body["pack"], body["credits"], body["amount"]) == ("starter", 1050, 1900)
        assert body["pay_url"] == payment.pay_url
        assert body["livemode"] is False

    def test_an_amount(self, stripe, client):
        body = post(client, {"credits": 1500}).json()
        assert (body["purpose"], body["pack"], body["amount"]) == ("custom", None, 3000)

    def test_again_with_the_same_key_is_the_same(self, stripe, client, pack):
        first, second = (post(client, {"pack": "starter"}, key="a") for _ in range(2))

        assert second["Idempotent-Replayed"] == "true"
        assert first.json() == second.json()
        assert Payment.objects.count() == 1

    def test_again_after_it_was_paid_tells_so(self, stripe, client, pack):
        post(client, {"pack": "starter"}, key="a")
        press(Payment.objects.get())
        stripe.tell()
        assert post(client, {"pack": "starter"}, key="a").json()["status"] == "succeeded"

    def test_the_same_key_for_another_thing_is_refused(self, stripe, client, pack):
        post(client, {"pack": "starter"}, key="a")
        answer = post(client, {"credits": 1500}, key="a")
        problem_of(answer, 422, "idempotency_key_reused")

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({}, 400, "validation_error"),
            ({"pack": "starter", "credits": 500}, 400, "validation_error"),
            ({"credits": 0}, 400, "validation_error"),
            ({"pack": "nowhere"}, 409, "not_for_sale"),
            ({"credits": 499}, 422, "amount_not_offered"),
            ({"credits": 500, "amount": 1}, 409, "price_changed"),
            ({"pack": "starter", "amount": 1}, 409, "price_changed"),
        ],
    )
    def test_is_refused(self, stripe, client, pack, body, status, code):
        answer = post(client, body, key="a")
        problem_of(answer, status, code)
        assert not Payment.objects.exists()
        assert post(client, {"pack": "starter"}, key="a").status_code == 201  # the key is free

    def test_needs_a_key(self, stripe, client, pack):
        answer = client.post(BUY, {"pack": "starter"}, content_type="application/json")
        problem_of(answer, 400, "idempotency_key_required")

    def test_is_off_where_billing_is_not_configured(self, client, pack):
        client.raise_request_exception = False
        problem_of(post(client, {"pack": "starter"}), 503, "billing_not_configured")
        assert not Payment.objects.exists()

    def test_a_lost_answer_is_had_by_asking_again(self, stripe, client, pack, monkeypatch):
        real = gateway.create_session

        def lost(**question):
            real(**question)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "create_session", lost)
        client.raise_request_exception = False
        answer = post(client, {"pack": "starter"}, key="a")
        problem = problem_of(answer, 503, "stripe_unavailable")
        assert problem["payment"] == Payment.objects.get().public_id
        monkeypatch.undo()

        answer = post(client, {"pack": "starter"}, key="a")
        assert (answer.status_code, answer.json()["status"]) == (201, "open")
        assert Payment.objects.count() == 1
        assert len(stripe.v1.checkout.sessions.list().data) == 1

    def test_takes_the_permission_and_the_scope(self, stripe, organization, pack):
        reader = by_key(organization, "owner", "billing:read")
        problem_of(post(reader, {"pack": "starter"}), 403, "permission_denied")
        assert not Payment.objects.exists()


class TestReading:
    @pytest.fixture
    def payments(self, stripe, organization, pack):
        made = [buy(organization, pack) for _ in range(3)]
        press(made[0])
        stripe.tell()
        buy(make_organization(), pack)
        return made

    def test_lists_ones_own_newest_first(self, client, payments):
        body = client.get(READ).json()
        assert [one["id"] for one in body["data"]] == [one.public_id for one in payments[::-1]]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status=succeeded", [0]),
            ("status=open", [2, 1]),
            ("status=open&status=succeeded", [2, 1, 0]),
            ("purpose=custom", []),
            ("created_before=2020-01-01T00:00:00Z", []),
            ("created_from=2020-01-01T00:00:00Z", [2, 1, 0]),
        ],
    )
    def test_filters(self, client, payments, query, found):
        expected = [payments[number].public_id for number in found]
        assert [one["id"] for one in client.get(f"{READ}?{query}").json()["data"]] == expected
        file = b"".join(client.get(f"{READ}.csv?{query}").streaming_content).decode()
        assert [row["id"] for row in csv.DictReader(io.StringIO(file))] == expected

    def test_pages(self, client, payments):
        first = client.get(f"{READ}?limit=2").json()
        second = client.get(f"{READ}?limit=2&cursor={first['next_cursor']}").json()
        assert len(first["data"]) == 2
        assert [one["id"] for one in second["data"]] == [payments[0].public_id]

    def test_refuses_what_it_does_not_know(self, client):
        assert client.get(f"{READ}?colour=red").status_code == 400
        assert client.get(f"{READ}.csv?colour=red").status_code == 400

    def test_of_elsewhere_is_not_there(self, payments):
        stranger = by_key(make_organization(), "owner", "billing:read")
        assert stranger.get(f"{READ}/{payments[0].public_id}").status_code == 404
        assert stranger.get(f"{READ}/pay_nonsense").status_code == 404
        assert stranger.get(READ).json()["data"] == []
