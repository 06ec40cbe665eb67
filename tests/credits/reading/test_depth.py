"""A deep page of transactions reads an index, and no more rows than the first page."""

import json

import pytest
from django.db import connection, transaction

from apps.core.paging import beyond
from apps.credits import selectors
from apps.credits.ledger.commands import Charge
from apps.credits.ledger.posting import post
from apps.credits.selectors import TransactionFilters
from tests.credits.reading.history import grant

ROWS = 6000
PAGE = 25


@pytest.fixture
def long(wallet):
    """A wallet with 6,000 charges after two purchases."""
    grant(wallet, "pack:1", 10_000)
    grant(wallet, "pack:2", 10_000)
    for start in range(0, ROWS, 1000):
        commands = [
            Charge(wallet_id=wallet.id, reference=f"job:{number}", source="test", amount=1)
            for number in range(start, start + 1000)
        ]
        with transaction.atomic():
            post(commands)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE credits_credittransaction")
    return wallet


def plan_of(rows):
    """Return the plan by which a page is read, having read it."""
    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters)
        (plan,) = cursor.fetchone()
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def scans(node):
    """Yield the nodes that read the table of transactions."""
    if node.get("Relation Name") == "credits_credittransaction":
        yield node
    for child in node.get("Plans", ()):
        yield from scans(child)


def rows_read(node):
    return sum(
        (scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) * scan["Actual Loops"]
        for scan in scans(node)
    )


def api_page(wallet, filters, above=None):
    rows = selectors.matching(selectors.transactions_of(wallet), filters)
    if above:
        rows = rows.filter(beyond(("sequence",), [above]))
    return rows.select_related("lot", "credit_event").order_by("-sequence")[: PAGE + 1]


def page(wallet, filters, above=None):
    heads = selectors.matching_operations(selectors.heads_of_operations(wallet), filters)
    if above:
        heads = heads.filter(sequence__lt=above)
    return heads.order_by("-sequence")[: PAGE + 1]


class TestADeepPage:
    @pytest.mark.parametrize("read", [api_page, page])
    @pytest.mark.parametrize(
        "filters",
        [
            TransactionFilters(),
            TransactionFilters(types=("consumed",)),
            TransactionFilters(source="test"),
            TransactionFilters(amount_max=-1),
        ],
        ids=["all", "type", "source", "amount"],
    )
    def test_costs_what_the_first_does(self, long, read, filters):
        first = plan_of(read(long, filters))
        deep = plan_of(read(long, filters, above=200))

        assert {scan["Node Type"] for scan in scans(deep)} <= {"Index Scan", "Index Only Scan"}
        assert rows_read(deep) <= rows_read(first) <= 4 * (PAGE + 1)

    def test_would_cost_more_by_offset(self, long):
        rows = selectors.transactions_of(long).order_by("-sequence")

        assert rows_read(plan_of(rows[ROWS - 200 : ROWS - 200 + PAGE])) > ROWS - 200


class TestARareType:
    def test_is_found_without_reading_the_charges(self, long):
        plan = plan_of(api_page(long, TransactionFilters(types=("purchased",))))

        assert rows_read(plan) <= 4
