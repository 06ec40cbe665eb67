"""What the API tells of a ledger, and whom."""

import csv
import io

import pytest
from django.utils.dateparse import parse_datetime

from apps.core.clock import database_now
from apps.credits import selectors
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors import exports
from tests.credits.reading.history import DAY, NOON, at, charge, grant, refund
from tests.people import make_key, make_member, make_organization, with_key
from tests.problem_documents import problem_of

CREDITS = "/api/v1/credits"


def client_of(organization, *scopes):
    developer = make_member(organization, "developer")
    return with_key(make_key(organization, developer, *scopes)[1])


@pytest.fixture
def client(wallet):
    return client_of(wallet.organization, "credits:read")


@pytest.fixture
def used(wallet):
    """Seven movements in the middle of June 2026."""
    with at(NOON):
        grant(wallet, "gift", 20, Lot.Kind.PROMOTIONAL)
        grant(wallet, "pack", 500)
    with at(NOON + DAY):
        charge(wallet, "job:1", 3, description="=SUM(A1) sunrise", source_id="one")
        charge(wallet, "job:2", 4, event="store", actor="user:two", source="batch")
    with at(NOON + 2 * DAY):
        refund(wallet, "job:1", amount=10)
        charge(wallet, "job:3", 1, actor="user:two")
    return wallet


def references(answer):
    assert answer.status_code == 200, answer.content
    return [(row["reference"], row["amount"]) for row in answer.json()["data"]]


class TestTransactions:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("type=refunded", [("refund:job:1", 10)]),
            ("type__in=refunded,earned", [("refund:job:1", 10), ("gift", 20)]),
            ("event=store", [("job:2", -4)]),
            ("event=none", [("pack", 500), ("gift", 20)]),
            ("source=batch", [("job:2", -4)]),
            ("actor=user:two", [("job:3", -10), ("job:2", -4)]),
            (
                "actor=user:one",
                [("refund:job:1", 10), ("job:1", -10), ("job:1", -20)],
            ),
            ("created_at__gte=2026-06-17T12:00:00Z", [("job:3", -10), ("refund:job:1", 10)]),
            ("created_at__lt=2026-06-16T12:00:00Z", [("pack", 500), ("gift", 20)]),
            ("amount__gte=20", [("pack", 500), ("gift", 20)]),
            ("amount__lte=-20", [("job:1", -20)]),
            ("q=sunRISE", [("job:1", -10), ("job:1", -20)]),
            ("q=one", [("job:1", -10), ("job:1", -20)]),
            ("q=job:2", [("job:2", -4)]),
            ("q=%25", []),
            ("type=consumed&actor=user:two&event=render", [("job:3", -10)]),
        ],
    )
    def test_are_found_by_each_filter(self, client, used, query, expected):
        assert references(client.get(f"{CREDITS}/transactions?{query}")) == expected

    def test_are_found_by_their_lot(self, client, used):
        lot = Lot.objects.get(origin="gift")

        found = references(client.get(f"{CREDITS}/transactions?lot={lot.public_id}"))

        assert found == [("job:1", -20), ("gift", 20)]

    @pytest.mark.parametrize(
        "query",
        [
            "type=spent",
            "type__in=consumed,spent",
            "lot=txn_1",
            "created_at__gte=yesterday",
            "amount__gte=1.5",
            "colour=red",
            "q=a%00b",
        ],
    )
    def test_are_refused_where_a_filter_is_wrong(self, client, used, query):
        problem_of(client.get(f"{CREDITS}/transactions?{query}"), 400, "validation_error")
        problem_of(client.get(f"{CREDITS}/transactions.csv?{query}"), 400, "validation_error")

    def test_keep_their_filters_on_the_next_page(self, client, used):
        address = f"{CREDITS}/transactions?actor=user:two&limit=1"
        first = client.get(address)

        second = client.get(f"{address}&cursor={first.json()['next_cursor']}")

        assert "actor=user%3Atwo" in first["Link"]
        assert references(first) + references(second) == [("job:3", -10), ("job:2", -4)]


class TestTheFile:
    def rows(self, client, query="", **headers):
        answer = client.get(f"{CREDITS}/transactions.csv?{query}", headers=headers)
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/csv")
        return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))

    def test_has_the_whole_filtered_set(self, client, used, monkeypatch):
        monkeypatch.setattr(exports, "CHUNK", 2)

        assert [row["sequence"] for row in self.rows(client)] == list("7654321")
        assert [row["sequence"] for row in self.rows(client, "actor=user:two")] == ["7", "5"]

    def test_holds_no_formula(self, client, used):
        (row,) = self.rows(client, "q=sunrise&amount__lte=-20")

        assert row["description"] == "'=SUM(A1) sunrise"
        assert (row["amount"], row["event"]) == ("-20", "render")

    def test_may_be_asked_for_by_its_media_type(self, client, used):
        assert len(self.rows(client, accept="text/csv")) == 7
        refused = client.get(f"{CREDITS}/transactions.csv?no=1", headers={"accept": "text/csv"})
        problem_of(refused, 400, "validation_error")

    def test_is_read_a_chunk_at_a_time(self, used, monkeypatch, django_assert_num_queries):
        monkeypatch.setattr(exports, "CHUNK", 3)
        rows = selectors.transaction_rows(CreditTransaction.objects.filter(wallet=used))

        with django_assert_num_queries(1):
            for _ in range(3):
                next(rows)
        with django_assert_num_queries(2):
            assert len(list(rows)) == 4


class TestBalance:
    def test_is_told_for_any_moment(self, client, used):
        then = client.get(f"{CREDITS}/balance?as_of=2026-06-16T00:00:00Z").json()
        now = client.get(f"{CREDITS}/balance").json()

        assert (then["available"], then["as_of"]) == (520, "2026-06-16T00:00:00Z")
        assert (now["available"], now["debt"], now["as_of"]) == (486, 0, None)

    def test_is_the_same_by_moment_and_live(self, client, used):
        moment = database_now().isoformat().replace("+00:00", "Z")
        by_moment = client.get(f"{CREDITS}/balance?as_of={moment}").json()
        live = client.get(f"{CREDITS}/balance").json()

        assert by_moment | {"as_of": None} == live

    def test_is_refused_for_what_is_no_moment(self, client):
        problem_of(client.get(f"{CREDITS}/balance?as_of=soon"), 400, "validation_error")
        problem_of(client.get(f"{CREDITS}/balance?at=2026-06-16"), 400, "validation_error")


class TestLots:
    def test_come_in_burn_order_with_the_reason(self, client, used):
        with at(NOON):
            grant(used, "later", effective_at=database_now() + 400 * DAY, features=("storage",))

        first, later = client.get(f"{CREDITS}/lots?status=all").json()["data"]

        assert (first["status"], first["place"], first["reason"]) == ("open", 1, "last")
        assert (later["status"], later["place"], later["reason"]) == ("scheduled", None, None)
        assert later["features"] == ["storage"]
        assert len(client.get(f"{CREDITS}/lots").json()["data"]) == 1

    def test_are_told_for_any_moment(self, client, used):
        lots = client.get(f"{CREDITS}/lots?as_of=2026-06-15T12:00:00Z").json()["data"]

        assert [(lot["kind"], lot["remaining"], lot["reason"]) for lot in lots] == [
            ("promotional", 20, "priority"),
            ("purchase", 500, "last"),
        ]


class TestUsage:
    def test_adds_up_by_day_and_group(self, client, used):
        query = "date__gte=2026-06-16&date__lte=2026-06-17&group_by=actor"
        usage = client.get(f"{CREDITS}/usage?{query}").json()

        assert usage["total"] == {"credits": 34, "charged": 44, "given_back": 10, "count": 3}
        assert [(one["key"], one["use"]["credits"]) for one in usage["groups"]] == [
            ("user:one", 20),
            ("user:two", 14),
        ]
        assert [(one["date"], one["use"]["credits"]) for one in usage["days"]] == [
            ("2026-06-16", 34),
            ("2026-06-17", 0),
        ]
        assert usage["days"][1]["groups"] == [
            {"key": "user:one", "credits": -10},
            {"key": "user:two", "credits": 10},
        ]

    def test_compares_with_the_days_before(self, client, used):
        usage = client.get(f"{CREDITS}/usage?date__gte=2026-06-17&date__lte=2026-06-17").json()

        assert usage["credits_before"] == 34

    @pytest.mark.parametrize(
        "query",
        [
            "date__gte=2026-06-17",
            "date__gte=2026-06-17&date__lte=2026-06-16",
            "date__gte=2020-06-17&date__lte=2026-06-16",
            "date__gte=0001-01-01&date__lte=0001-01-01",
            "group_by=colour",
            "period=1y",
            "days=3",
        ],
    )
    def test_is_refused_for_what_is_no_period(self, client, query):
        problem_of(client.get(f"{CREDITS}/usage?{query}"), 400, "validation_error")


class TestExplain:
    def test_takes_the_balance_apart(self, client, used):
        explained = client.get(f"{CREDITS}/explain").json()

        assert (explained["amount"], explained["sum"], explained["adds_up"]) == (486, 486, True)
        (lot,) = explained["parts"]
        assert lot["lot"] == Lot.objects.get(origin="pack").public_id
        assert sum(part["amount"] for part in lot["parts"]) == 486

    def test_does_so_for_any_moment(self, client, used):
        explained = client.get(f"{CREDITS}/explain?as_of=2026-06-15T12:00:00Z").json()

        assert [part["amount"] for part in explained["parts"]] == [20, 500]
        assert parse_datetime(explained["as_of"]) == NOON

    def test_takes_the_use_of_a_day_apart(self, client, used):
        explained = client.get(f"{CREDITS}/explain?of=usage&date=2026-06-16").json()

        assert (explained["amount"], explained["date"]) == (34, "2026-06-16")
        assert [(part["label"], part["amount"]) for part in explained["parts"]] == [
            ("render", 30),
            ("store", 4),
        ]

    def test_takes_a_transaction_apart(self, client, used):
        entry = CreditTransaction.objects.filter(reference="job:1").last()
        explained = client.get(
            f"{CREDITS}/explain?of=transaction&transaction={entry.public_id}"
        ).json()

        assert (explained["amount"], explained["adds_up"]) == (-30, True)
        assert [part["amount"] for part in explained["beside"]] == [10]

    def test_is_refused_for_what_names_no_number(self, client, used):
        problem_of(client.get(f"{CREDITS}/explain?of=transaction"), 400, "validation_error")
        problem_of(client.get(f"{CREDITS}/explain?of=colour"), 400, "validation_error")
        problem_of(
            client.get(f"{CREDITS}/explain?of=transaction&transaction=txn_1"), 404, "not_found"
        )


class TestForecast:
    def test_is_told(self, client, used):
        forecast = client.get(f"{CREDITS}/forecast").json()

        assert forecast["basis"] == "no_usage"  # June is long ago
        assert (forecast["days"], forecast["runs_out_on"], forecast["unused"]) == (30, None, [])
        problem_of(client.get(f"{CREDITS}/forecast?days=3"), 400, "validation_error")


class TestWhoIsTold:
    ADDRESSES = (
        "balance",
        "lots",
        "transactions",
        "transactions.csv",
        "usage",
        "explain",
        "forecast",
    )

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_needs_the_scope(self, used, address):
        client = client_of(used.organization, "jobs:read")

        problem_of(client.get(f"{CREDITS}/{address}"), 403)

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_hears_nothing_of_others(self, used, address):
        stranger = client_of(make_organization(), "credits:read")

        answer = stranger.get(f"{CREDITS}/{address}")
        text = b"".join(answer) if answer.streaming else answer.content

        assert answer.status_code == 200
        for secret in ("job:1", "sunrise", Lot.objects.get(origin="pack").public_id):
            assert secret not in text.decode()

    def test_finds_no_transaction_of_others(self, used):
        stranger = client_of(make_organization(), "credits:read")
        entry = CreditTransaction.objects.filter(reference="job:1").last()

        address = f"{CREDITS}/explain?of=transaction&transaction={entry.public_id}"

        problem_of(stranger.get(address), 404, "not_found")

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_is_asked_as_often_for_many_rows(
        self, used, client, address, django_assert_max_num_queries
    ):
        for number in range(6):
            grant(used, f"more:{number}", 10)
            charge(used, f"work:{number}", actor=f"user:{number}")

        with django_assert_max_num_queries(12):
            answer = client.get(f"{CREDITS}/{address}")
            assert b"".join(answer) if answer.streaming else answer.content
