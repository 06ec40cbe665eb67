"""The endpoints that move credits: once for a key, dry, within the walls."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.idempotency import prune_answers
from apps.core.ids import encode, new_id
from apps.core.models import IdempotencyKey
from apps.credits import selectors
from apps.credits.models import Hold, Lot, Wallet
from apps.credits.services.charges import charge_amount
from apps.credits.services.grants import grant_credits
from apps.credits.services.holders import open_member_wallet
from apps.credits.services.prices import set_price
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key
from tests.problem_documents import problem_of

API = "/api/v1/credits"


@pytest.fixture(autouse=True)
def _no_trial(settings):
    settings.TRIAL_CREDITS = 0


@pytest.fixture
def organization(transactional_db):
    """Committed, because a keyed request opens transactions of its own."""
    set_price(name="render", credit_cost=10, category="compute", description="Render")
    return make_organization()


@pytest.fixture
def wallet(organization):
    return fund(organization)


def fund(organization, amount=100) -> Wallet:
    wallet = selectors.main_wallet(organization)
    grant_credits(
        wallet=wallet, amount=amount, kind=Lot.Kind.PURCHASE, reference="paid", source="test"
    )
    return wallet


@pytest.fixture
def client(wallet, organization):
    scopes = ("credits:read", "credits:write")
    _, token = make_key(organization, make_member(organization, "owner"), *scopes)
    return with_key(token)


def post(client, path, body, key=None):
    headers = {"Idempotency-Key": key or str(uuid4())}
    return client.post(f"{API}/{path}", body, content_type="application/json", headers=headers)


def balance(wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).balance


class TestSpend:
    def test_charges_an_event(self, client, wallet):
        answer = post(client, "spend", {"event": "render", "quantity": 3, "reference": "r-1"})

        assert answer.status_code == 201
        assert (answer.json()["amount"], answer.json()["balance_after"]) == (-30, 70)
        assert balance(wallet) == 70

    def test_charges_once_for_a_key(self, client, wallet):
        answers = [post(client, "spend", {"amount": 30}, key="one") for _ in range(2)]

        assert [answer.json() for answer in answers] == [answers[0].json()] * 2
        assert answers[1].headers["Idempotent-Replayed"] == "true"
        assert balance(wallet) == 70

    def test_charges_once_for_a_reference_whatever_the_key(self, client, wallet):
        for _ in range(2):
            post(client, "spend", {"amount": 30, "reference": "r-1"})

        assert balance(wallet) == 70

    def test_charges_once_even_when_the_answer_to_the_key_is_lost(self, client, wallet):
        """The ledger's own reference is made of the key, and of nothing that changes."""
        post(client, "spend", {"amount": 30}, key="one")
        IdempotencyKey.objects.all().delete()

        assert post(client, "spend", {"amount": 30}, key="one").status_code == 201
        assert balance(wallet) == 70

    def test_answers_a_key_from_the_ledger_when_its_answer_is_kept_no_more(self, client, wallet):
        first = post(client, "spend", {"amount": 30}, key="one")
        IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=73))
        prune_answers()

        again = post(client, "spend", {"amount": 30}, key="one")

        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["Idempotent-Replayed"] == "true"
        assert balance(wallet) == 70

    def test_needs_a_key(self, client):
        answer = client.post(f"{API}/spend", {"amount": 1}, content_type="application/json")

        assert problem_of(answer, 400)["code"] == "idempotency_key_required"

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"event": "render", "amount": 1},
            {"amount": 0},
            {"amount": 1.5},
            {"amount": 10**15 + 1},
            {"amount": 1, "quantity": 2},
            {"amount": 1, "reference": "x" * 101},
            {"amount": 1, "metadata": {"a": "b" * 501}},
            {"amount": 1, "metadata": {str(number): "b" for number in range(51)}},
            {"amount": 1, "metadata": {"a[b]": "c"}},
        ],
    )
    def test_refuses_what_it_does_not_understand(self, client, wallet, body):
        answer = post(client, "spend", body)

        problem_of(answer, 400)
        assert balance(wallet) == 100

    def test_refuses_what_cannot_be_paid_and_says_what_is_missing(self, client):
        problem = problem_of(post(client, "spend", {"amount": 130}), 402)

        assert (problem["status"], problem["code"]) == (402, "insufficient_credits")
        assert (problem["available"], problem["shortfall"]) == (100, 30)

    def test_tried_dry_writes_nothing_and_needs_no_key(self, client, wallet):
        body = {"amount": 30, "dry_run": True}

        answer = client.post(f"{API}/spend", body, content_type="application/json")

        shown = answer.json()
        assert (answer.status_code, shown["dry_run"], shown["balance_after"]) == (200, True, 70)
        assert shown["parts"][0]["id"] is None
        assert balance(wallet) == 100

    def test_refuses_what_is_not_what_was_shown(self, client, wallet):
        body = {"amount": 30, "reference": "r-1"}
        shown = post(client, "spend", {**body, "dry_run": True}).json()
        charge_amount(wallet=wallet, amount=1, reference="job:1", source="test")

        answer = post(client, "spend", {**body, "preview_token": shown["preview_token"]})

        assert problem_of(answer, 409)["code"] == "preview_outdated"
        assert balance(wallet) == 99

    def test_needs_the_permission_and_the_scope(self, organization, wallet):
        member = signed_in(make_member(organization, "member"))
        _, token = make_key(organization, make_member(organization, "owner"), "credits:read")

        assert post(member, "spend", {"amount": 1}).status_code == 403
        assert (
            problem_of(post(with_key(token), "spend", {"amount": 1}), 403)["code"]
            == "permission_denied"
        )
        assert balance(wallet) == 100

    def test_costs_as_many_queries_whatever_the_wallet_holds(self, client, wallet):
        def queries() -> int:
            with CaptureQueriesContext(connection) as asked:
                post(client, "spend", {"amount": 1})
            return len(asked)

        queries()  # the first use of a key is written down
        before = queries()
        for number in range(5):
            grant_credits(
                wallet=wallet,
                amount=1,
                kind=Lot.Kind.TRIAL,
                reference=f"lot:{number}",
                source="test",
            )

        assert queries() == before


class TestRefunds:
    def test_give_a_charge_back(self, client, wallet):
        post(client, "spend", {"amount": 30, "reference": "r-1"})

        part = post(client, "refunds", {"charge": "r-1", "amount": 10})
        rest = post(client, "refunds", {"charge": "r-1"})

        assert (part.json()["amount"], rest.json()["amount"]) == (10, 20)
        assert balance(wallet) == 100

    def test_are_refused_above_the_charge(self, client):
        post(client, "spend", {"amount": 30, "reference": "r-1"})

        answer = post(client, "refunds", {"charge": "r-1", "amount": 31})

        assert problem_of(answer, 409)["code"] == "already_refunded"

    def test_do_not_reach_what_was_not_charged_here(self, client, wallet):
        charge_amount(wallet=wallet, amount=30, reference="job:1", source="test")

        answer = post(client, "refunds", {"charge": "job:1"})

        assert problem_of(answer, 404)["code"] == "charge_not_found"
        assert balance(wallet) == 70


class TestHolds:
    def place(self, client, **fields):
        return post(client, "holds", {"event": "render", "quantity": 3, **fields})

    def test_are_placed_captured_and_read(self, client, wallet):
        placed = self.place(client, reference="h-1")
        hold = placed.json()

        captured = post(client, f"holds/{hold['id']}/capture", {"quantity": 2})

        assert placed.status_code == 201
        assert placed.headers["Location"].endswith(f"/credits/holds/{hold['id']}")
        assert (hold["amount"], hold["reference"], hold["event"]) == (30, "h-1", "render")
        assert (captured.json()["status"], captured.json()["captured"]) == ("captured", 20)
        assert client.get(f"{API}/holds/{hold['id']}").json() == captured.json()
        assert balance(wallet) == 80

    def test_are_listed_by_status(self, client):
        one, two = self.place(client).json(), self.place(client).json()
        post(client, f"holds/{one['id']}/release", {})

        listed = client.get(f"{API}/holds?status=held").json()["data"]

        assert [hold["id"] for hold in listed] == [two["id"]]
        problem_of(client.get(f"{API}/holds?status=lost"), 400)

    def test_answer_the_same_capture_again_and_refuse_another(self, client, wallet):
        path = f"holds/{self.place(client).json()['id']}/capture"

        assert post(client, path, {"amount": 5}).status_code == 200
        assert post(client, path, {"amount": 5}).status_code == 200
        assert problem_of(post(client, path, {"amount": 6}), 409)["code"] == "hold_settled"
        assert balance(wallet) == 95

    def test_live_longer(self, client):
        hold = self.place(client, ttl_seconds=60).json()

        renewed = post(client, f"holds/{hold['id']}/renew", {"ttl_seconds": 3600}).json()

        assert renewed["expires_at"] > hold["expires_at"]

    def test_tried_dry_are_not_placed_nor_captured(self, client, wallet):
        assert self.place(client, dry_run=True).status_code == 200
        hold = self.place(client).json()
        shown = post(client, f"holds/{hold['id']}/capture", {"amount": 20, "dry_run": True}).json()

        assert (shown["dry_run"], shown["amount"]) == (True, 10)
        assert Hold.objects.get().status == "held"

    @pytest.mark.parametrize(
        "body", [{}, {"amount": 1, "quantity": 1}, {"amount": 0}, {"quantity": -1}]
    )
    def test_refuse_a_capture_that_they_do_not_understand(self, client, body):
        hold = self.place(client).json()

        assert post(client, f"holds/{hold['id']}/capture", body).status_code == 400

    @pytest.mark.parametrize("ttl", [0, 86_401])
    def test_refuse_to_live_for_no_time_or_more_than_a_day(self, client, ttl):
        assert self.place(client, ttl_seconds=ttl).status_code == 400

    @pytest.mark.parametrize("action", ["capture", "release", "renew", ""])
    def test_of_others_do_not_exist(self, client, action):
        stranger = make_organization(name="Other", owner=make_person())
        fund(stranger)
        _, token = make_key(
            stranger, make_member(stranger, "owner"), "credits:read", "credits:write"
        )
        hold = self.place(with_key(token)).json()
        path = f"holds/{hold['id']}"

        answer = (
            post(client, f"{path}/{action}", {"amount": 1, "ttl_seconds": 60})
            if action
            else client.get(f"{API}/{path}")
        )

        assert answer.status_code == 404
        assert Hold.objects.get().status == "held"


def test_wallets_are_listed_but_those_of_members(client, organization, wallet):
    """Credits come to them by awards alone, as the terms of the programme have it."""
    open_member_wallet(organization=organization)

    listed = client.get(f"{API}/wallets").json()["data"]

    assert [one["id"] for one in listed] == [wallet.public_id]


class TestStaff:
    @pytest.fixture
    def staff(self):
        return make_person(is_staff=True, is_superuser=True)

    def correct(self, person, wallet, **fields):
        body = {
            "wallet": wallet.public_id,
            "action": "grant",
            "amount": 50,
            "reason": "goodwill",
            **fields,
        }
        return self.send(person, "/api/v1/staff/corrections", body)

    def send(self, person, path, body, method="post"):
        headers = {"Idempotency-Key": str(uuid4())}
        send = getattr(signed_in(person), method)
        return send(path, json.dumps(body), content_type="application/json", headers=headers)

    def test_correct_a_wallet(self, staff, wallet):
        shown = self.correct(staff, wallet, dry_run=True).json()

        answer = self.correct(staff, wallet, preview_token=shown["preview_token"])

        assert (answer.status_code, answer.json()["status"]) == (201, "posted")
        assert balance(wallet) == 150
        location = answer.headers["Location"]
        assert signed_in(staff).get(location).json() == answer.json()

    def test_decide_what_others_ask_for(self, staff, wallet):
        lot = Lot.objects.get(wallet=wallet)
        fields = {"action": "void", "lot": lot.public_id, "amount": 10}
        first = self.correct(staff, wallet, **fields).json()
        second = self.correct(staff, wallet, **fields).json()
        other = make_person(is_staff=True, is_superuser=True)
        path = f"/api/v1/staff/corrections/{first['id']}/approve"

        mine = self.send(staff, path, {})
        approved = self.send(other, path, {})
        rejected = self.send(
            other, f"/api/v1/staff/corrections/{second['id']}/reject", {"comment": "No"}
        )

        assert problem_of(mine, 403)["code"] == "second_person_needed"
        assert (approved.json()["status"], rejected.json()["status"]) == ("posted", "rejected")
        assert balance(wallet) == 90

    def test_freeze_a_wallet_and_let_it_owe(self, staff, wallet):
        path = f"/api/v1/staff/wallets/{wallet.public_id}"

        body = {"is_frozen": True, "credit_line": 20, "reason": "Contract"}
        answer = self.send(staff, path, body, method="patch")

        assert (answer.json()["is_frozen"], answer.json()["credit_line"]) == (True, 20)
        assert signed_in(staff).get(path).json() == answer.json()

    @pytest.mark.parametrize("person", ["owner", "staff", "key"])
    def test_are_the_only_ones_for_whom_it_exists(self, organization, wallet, client, person):
        people = {
            "owner": signed_in(make_member(organization, "owner")),
            "staff": signed_in(make_person(is_staff=True)),
            "key": client,
        }

        answer = people[person].get("/api/v1/staff/corrections")

        assert answer.status_code == (403 if person == "key" else 404)

    def test_hear_of_what_does_not_exist(self, staff, wallet):
        nobody = encode("wal", new_id())

        assert self.correct(staff, Wallet(id=new_id())).status_code == 404
        assert self.correct(staff, wallet, action="void", lot="lot_x").status_code == 404
        assert signed_in(staff).get(f"/api/v1/staff/wallets/{nobody}").status_code == 404
