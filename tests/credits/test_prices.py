"""The price list: its versions, and what a thing would cost before it is charged."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import database_now, moved_to
from apps.credits import selectors
from apps.credits.errors import UnknownCreditEvent
from apps.credits.models import CreditEvent, CreditTransaction, Lot, Wallet
from apps.credits.services.charges import charge_event, refund_charge
from apps.credits.services.grants import grant_credits
from apps.credits.services.holds import hold_amount
from apps.credits.services.prices import set_price
from apps.credits.services.quotes import Item, check_charge, quote_charges
from apps.credits.services.wallets import set_credit_line
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
CHECK, QUOTE, EVENTS = (f"/api/v1/credits/{name}" for name in ("check", "quote", "events"))


@pytest.fixture
def organization(settings):
    settings.TRIAL_CREDITS = 0
    set_price(name="render", credit_cost=10, category="compute", unit="picture")
    set_price(name="storage", credit_cost=3, category="storage", unit="GB")
    return make_organization()


@pytest.fixture
def wallet(organization):
    return selectors.main_wallet(organization)


@pytest.fixture
def client(organization):
    developer = make_member(organization, "developer")
    return with_key(make_key(organization, developer, "credits:read")[1])


def grant(wallet, amount, kind=Lot.Kind.PURCHASE, **fields):
    reference = f"lot:{CreditTransaction.objects.count()}"
    grant_credits(
        wallet=wallet, amount=amount, kind=kind, reference=reference, source="test", **fields
    )


def charge(wallet, reference="job:1", event="render", quantity=1):
    return charge_event(
        wallet=wallet, event=event, quantity=quantity, reference=reference, source="test"
    )


def ask(client, address, body):
    return client.post(address, body, content_type="application/json")


def everything():
    """Return all that a quote could have changed."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Wallet, Lot, CreditTransaction, CreditEvent)
    ]


class TestAPastCharge:
    @pytest.mark.parametrize(
        "change",
        [
            {"credit_cost": 99},
            {"credit_cost": 0},
            {"credit_cost": 10, "unit": "hour", "category": "other"},
            {"credit_cost": 10, "is_active": False},
        ],
        ids=["dearer", "free", "renamed", "retired"],
    )
    def test_never_changes_when_a_price_does(self, wallet, change):
        grant(wallet, 100)
        charge(wallet, quantity=2)
        before = list(CreditTransaction.objects.select_related("credit_event").order_by("sequence"))
        seen = [(one.amount, one.entry_hash, one.credit_event.__dict__) for one in before[1:]]

        set_price(name="render", **{"category": "compute", **change})

        after = CreditTransaction.objects.select_related("credit_event").order_by("sequence")
        for (amount, seal, event), now in zip(seen, after[1:], strict=True):
            now_event = {k: v for k, v in now.credit_event.__dict__.items() if k != "_state"}
            assert (now.amount, now.entry_hash) == (amount, seal)
            assert now_event == {k: v for k, v in event.items() if k != "_state"}
        again = charge(wallet, quantity=2)
        assert (again.is_replayed, again.amount) == (True, -20)
        back = refund_charge(
            wallet=wallet, charge_reference="job:1", reference="refund:1", source="test"
        )
        assert back.amount == 20

    def test_never_changes_when_a_later_price_begins(self, wallet):
        grant(wallet, 100)
        set_price(
            name="render", credit_cost=50, category="compute", effective_at=database_now() + DAY
        )

        assert charge(wallet).amount == -10
        with moved_to(database_now() + 2 * DAY):
            assert charge(wallet).amount == -10
            assert charge(wallet, "job:2").amount == -50


class TestVersions:
    def test_are_in_force_from_their_moment_on(self, wallet):
        begins = database_now() + DAY
        set_price(name="render", credit_cost=50, category="compute", effective_at=begins)
        microsecond = timedelta(microseconds=1)

        costs = []
        for moment in (begins - microsecond, begins, begins + microsecond):
            with moved_to(moment):
                one, many = selectors.price_of("render"), selectors.prices_of(["render"])["render"]
                assert one == many
                costs.append(one.credit_cost)

        assert costs == [10, 50, 50]

    def test_retire_an_event(self, wallet):
        set_price(name="render", credit_cost=10, category="compute", is_active=False)

        with pytest.raises(UnknownCreditEvent):
            selectors.prices_of(["storage", "render"])
        assert [price.name for price in selectors.price_list()] == ["storage"]

    def test_are_listed_without_what_is_to_come(self, client, organization):
        set_price(name="render", credit_cost=12, category="compute")
        set_price(
            name="render", credit_cost=99, category="compute", effective_at=database_now() + DAY
        )

        first = client.get(f"{EVENTS}/render/versions?limit=1").json()
        second = client.get(
            f"{EVENTS}/render/versions?limit=1&cursor={first['next_cursor']}"
        ).json()

        found = [row["credit_cost"] for row in first["data"] + second["data"]]
        assert (found, second["has_more"]) == ([12, 10], False)

    def test_of_nothing_are_not_found(self, client):
        set_price(
            name="secret", credit_cost=1, category="compute", effective_at=database_now() + DAY
        )

        for name in ("nothing", "secret"):
            problem_of(client.get(f"{EVENTS}/{name}/versions"), 404, "not_found")

    def test_can_be_read_by_category(self, client):
        found = client.get(f"{EVENTS}?category=storage").json()["data"]

        assert [event["name"] for event in found] == ["storage"]
        assert client.get(f"{EVENTS}?category=none").json()["data"] == []
        assert len(client.get(EVENTS).json()["data"]) == 2
        problem_of(client.get(f"{EVENTS}?colour=red"), 400, "validation_error")


class TestCheck:
    def test_says_what_it_costs_and_leaves(self, client, wallet):
        grant(wallet, 100)

        found = ask(client, CHECK, {"event": "render", "quantity": 3}).json()

        facts = {"allowed": True, "reason": None, "cost": 30, "available": 100, "after": 70}
        assert found == {"object": "check", **facts}

    def test_takes_an_amount(self, client, wallet):
        grant(wallet, 100)

        found = ask(client, CHECK, {"amount": 100}).json()

        assert (found["allowed"], found["cost"], found["after"]) == (True, 100, 0)

    def test_says_what_is_missing(self, client, wallet):
        grant(wallet, 29)

        found = ask(client, CHECK, {"event": "render", "quantity": 3}).json()

        facts = {"allowed": False, "reason": "insufficient_credits", "after": None}
        assert {**found, **facts, "available": 29, "cost": 30} == found

    @pytest.mark.parametrize(
        ("field", "reason"), [("frozen_at", "wallet_frozen"), ("closed_at", "wallet_closed")]
    )
    def test_says_that_nothing_may_leave_the_wallet(self, client, wallet, field, reason):
        grant(wallet, 100)
        Wallet.objects.filter(pk=wallet.pk).update(**{field: database_now()})

        found = ask(client, CHECK, {"amount": 1}).json()

        assert (found["allowed"], found["reason"]) == (False, reason)

    def test_allows_what_is_free(self, client, wallet):
        set_price(name="render", credit_cost=0, category="compute")

        found = ask(client, CHECK, {"event": "render"}).json()

        assert (found["allowed"], found["cost"], found["after"]) == (True, 0, 0)

    def test_counts_only_lots_that_admit_the_event(self, client, wallet):
        grant(wallet, 50, features=("storage",))
        grant(wallet, 5)

        render = ask(client, CHECK, {"event": "render"}).json()
        storage = ask(client, CHECK, {"event": "storage"}).json()
        amount = ask(client, CHECK, {"amount": 6}).json()

        assert (render["available"], render["allowed"]) == (5, False)
        assert (storage["available"], storage["allowed"]) == (55, True)
        assert (amount["available"], amount["allowed"]) == (5, False)

    def test_counts_no_lot_that_is_past_its_date_or_not_begun(self, wallet):
        now = database_now()
        grant(wallet, 7, expires_at=now + DAY)
        grant(wallet, 5, effective_at=now + 2 * DAY)

        with moved_to(now + DAY):
            found = check_charge(wallet=wallet, item=Item(amount=1))

        assert (found.available, found.reason) == (0, "insufficient_credits")

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "validation_error"),
            ({"event": "render", "amount": 1}, "validation_error"),
            ({"amount": 1, "quantity": 2}, "validation_error"),
            ({"quantity": 2}, "validation_error"),
            ({"event": "render", "quantity": 0}, "validation_error"),
            ({"event": "render", "quantity": 1.5}, "validation_error"),
            ({"amount": -1}, "validation_error"),
            ({"amount": 10**15 + 1}, "validation_error"),
            ({"event": "render", "quantity": True}, "validation_error"),
            ({"event": "nothing"}, "unknown_credit_event"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, client, body, code):
        problem_of(ask(client, CHECK, body), 400, code)

    def test_refuses_an_amount_beyond_all_reason(self, client):
        set_price(name="render", credit_cost=10**9, category="compute")

        body = {"event": "render", "quantity": 10**9}

        problem_of(ask(client, CHECK, body), 400, "invalid_amount")

    def test_tells_nothing_of_another_organization(self, client, wallet):
        grant(selectors.main_wallet(make_organization()), 1000)

        assert ask(client, CHECK, {"amount": 1}).json()["available"] == 0

    def test_asks_for_permission(self, organization):
        member = make_member(organization, "member")
        developer = make_member(organization, "developer")
        without_scope = with_key(make_key(organization, developer, "jobs:read")[1])

        for one in (signed_in(member, enforce_csrf_checks=False), without_scope):
            for address in (CHECK, QUOTE):
                problem_of(ask(one, address, {"amount": 1}), 403)
        problem_of(ask(signed_in(make_person()), CHECK, {"amount": 1}), 404)


class TestQuote:
    def test_is_what_is_then_posted(self, wallet):
        now = database_now()
        grant(wallet, 4, Lot.Kind.TRIAL, expires_at=now + DAY)
        grant(wallet, 9, Lot.Kind.PROMOTIONAL, expires_at=now + 3 * DAY)
        grant(wallet, 8, features=("storage",))
        grant(wallet, 100)
        with moved_to(now + 2 * DAY):
            quote = quote_charges(
                wallet=wallet, items=[Item("render", 2), Item("storage", 3), Item("render")]
            )
            posted = [
                charge(wallet, "a", "render", 2),
                charge(wallet, "b", "storage", 3),
                charge(wallet, "c", "render"),
            ]

            drawn = [
                [(entry.lot_id, -entry.amount) for entry in one.entries if entry.amount]
                for one in posted
            ]
            said = [
                [(Lot.read_id(draw.lot), draw.amount) for draw in line.draws]
                for line in quote.lines
            ]
            assert said == drawn
            assert sum(map(len, said)) == 5  # a charge may draw on several lots
            assert quote.total == -sum(one.amount for one in posted) == 39
            assert (quote.is_allowed, quote.available) == (True, 117)
            assert quote.after == selectors.balance_of(wallet).available == 78

    def test_counts_on_the_credit_line_as_a_charge_does(self, wallet):
        grant(wallet, 5)
        set_credit_line(wallet=wallet, limit=20, reason="test")
        items = [Item("render"), Item("render"), Item(amount=6)]

        quote = quote_charges(wallet=wallet, items=items)
        enough = quote_charges(wallet=wallet, items=items[:2])
        posted = [charge(wallet, "a"), charge(wallet, "b")]

        assert [line.reason for line in quote.lines] == [None, None, "insufficient_credits"]
        assert (enough.total, enough.available, enough.after) == (20, 5, -15)
        assert [sum(draw.amount for draw in line.draws) for line in enough.lines] == [5, 0]
        assert enough.total == -sum(one.amount for one in posted)
        assert selectors.balance_of(wallet).debt == 15

    def test_counts_what_is_held_only_until_the_hold_ends(self, wallet):
        grant(wallet, 30)
        hold = hold_amount(
            wallet=wallet, amount=25, reference="hold:1", source="test", ttl=timedelta(minutes=5)
        ).hold

        now = quote_charges(wallet=wallet, items=[Item("render")])
        with moved_to(hold.expires_at):
            later = quote_charges(wallet=wallet, items=[Item("render")])
            assert charge(wallet).amount == -10

        assert (now.available, now.reason) == (5, "insufficient_credits")
        assert (later.available, later.after) == (30, 20)

    def test_writes_nothing(self, client, wallet):
        grant(wallet, 5, Lot.Kind.TRIAL, expires_at=database_now() + DAY)
        grant(wallet, 100)
        before = everything()

        with moved_to(database_now() + 2 * DAY):  # something is due, too
            quote = quote_charges(wallet=wallet, items=[Item("render"), Item(amount=3)])
        ask(client, QUOTE, {"lines": [{"event": "render"}, {"amount": 3}]})
        ask(client, CHECK, {"event": "render"})

        assert quote.available == 100
        assert everything() == before

    def test_is_all_or_nothing(self, client, wallet):
        grant(wallet, 25)

        found = ask(
            client, QUOTE, {"lines": [{"event": "render", "quantity": 2}, {"amount": 6}]}
        ).json()

        assert (found["allowed"], found["reason"]) == (False, "insufficient_credits")
        assert (found["total"], found["available"], found["after"]) == (26, 25, None)
        assert [line["allowed"] for line in found["lines"]] == [True, False]
        assert [line["available"] for line in found["lines"]] == [25, 5]

    def test_shows_each_line_with_its_price_and_lots(self, client, wallet):
        grant(wallet, 4, Lot.Kind.PROMOTIONAL, expires_at=database_now() + DAY)
        grant(wallet, 100)

        found = ask(client, QUOTE, {"lines": [{"event": "render"}, {"amount": 1}]}).json()

        first, second = found["lines"]
        assert (first["event"], first["quantity"], first["credit_cost"]) == ("render", 1, 10)
        assert (first["unit"], first["cost"], first["after"]) == ("picture", 10, 94)
        assert [(draw["kind"], draw["amount"]) for draw in first["draws"]] == [
            ("promotional", 4),
            ("purchase", 6),
        ]
        assert (second["event"], second["credit_cost"], second["cost"]) == (None, None, 1)
        assert found["after"] == 93

    @pytest.mark.parametrize(
        "lines", [[], None, [{"amount": 1}] * 101, [{"amount": 1}, {}], "render"]
    )
    def test_refuses_what_makes_no_sense(self, client, lines):
        problem_of(ask(client, QUOTE, {"lines": lines}), 400, "validation_error")

    def test_asks_as_often_for_many_lines_as_for_one(self, client, wallet):
        grant(wallet, 10_000)
        ask(client, CHECK, {"amount": 1})  # the first use of a key is written down
        counts = []
        for number in (1, 50):
            lines = [{"event": "render"}, {"event": "storage"}] * number
            with CaptureQueriesContext(connection) as queries:
                assert ask(client, QUOTE, {"lines": lines}).json()["allowed"]
            counts.append(len(queries))

        assert counts[0] == counts[1]


class TestThePage:
    def test_shows_prices_with_their_history(self, organization):
        set_price(name="render", credit_cost=1234, category="compute", description="Render it")
        set_price(
            name="render", credit_cost=9999, category="compute", effective_at=database_now() + DAY
        )
        set_price(name="old", credit_cost=7777, category="compute")
        set_price(name="old", credit_cost=7777, category="compute", is_active=False)
        member = signed_in(make_member(organization, "member"))

        page = member.get(f"/o/{organization.slug}/prices/").content.decode()

        assert "Render it" in page
        assert "1,234" in page
        assert "10 per picture" in page  # what it was before
        assert "9,999" not in page  # what it will be
        assert "7,777" not in page  # what is not offered any more

    def test_can_be_narrowed_to_a_category(self, organization):
        member = signed_in(make_member(organization, "member"))
        address = f"/o/{organization.slug}/prices/"

        narrowed = member.get(f"{address}?category=storage").content.decode()
        wrong = member.get(f"{address}?category=nothing").content.decode()

        assert ("storage</span>" in narrowed, "render</span>" in narrowed) == (True, False)
        assert "render</span>" in wrong

    def test_asks_as_often_for_many_prices_as_for_one(self, organization):
        member = signed_in(make_member(organization, "member"))
        address = f"/o/{organization.slug}/prices/"
        member.get(address)
        with CaptureQueriesContext(connection) as few:
            member.get(address)
        for number in range(10):
            set_price(name=f"more.{number}", credit_cost=1, category="more")
        with CaptureQueriesContext(connection) as many:
            member.get(address)

        assert len(few) == len(many)

    def test_is_not_there_for_others(self, organization):
        stranger = signed_in(make_person())

        assert stranger.get(f"/o/{organization.slug}/prices/").status_code == 404


class TestTheBackOffice:
    def test_lists_what_is_to_come_for_staff(self, organization):
        set_price(name="render", credit_cost=12, category="compute")
        set_price(
            name="render", credit_cost=99, category="compute", effective_at=database_now() + DAY
        )
        staff = signed_in(make_person(is_staff=True, is_superuser=True))

        found = {}
        for value in ("now", "future", "past"):
            page = staff.get(f"/admin/credits/creditevent/?in_force={value}")
            rows = page.context["cl"].result_list
            found[value] = sorted((row.name, row.credit_cost) for row in rows)

        assert found == {
            "now": [("render", 12), ("storage", 3)],
            "future": [("render", 99)],
            "past": [("render", 10)],
        }

    def test_keeps_in_a_new_version_what_a_price_is_metered_by(self, organization):
        with moved_to(database_now() - timedelta(hours=1)):
            set_price(
                name="scan", credit_cost=2, category="compute", metadata={"metered": "megapixel"}
            )
        staff = signed_in(make_person(is_staff=True, is_superuser=True))
        address = "/admin/credits/creditevent/add/?name=scan"
        form = staff.get(address).context["adminform"].form
        shown = {name: form[name].value() for name in form.fields}

        now = database_now()
        moment = {"effective_at_0": f"{now:%Y-%m-%d}", "effective_at_1": f"{now:%H:%M:%S}"}
        given = {name: value for name, value in shown.items() if value is not None}
        staff.post(address, {**given, "credit_cost": 3, **moment})

        assert selectors.price_of("scan").credit_cost == 3
        assert selectors.price_of("scan").metadata == {"metered": "megapixel"}
