"""Finding documents, what their list says of paying them, and the statement of a month."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.billing.models import Payment
from apps.billing.selectors.billing_statements import statement_facts
from tests.billing.buying import text_of
from tests.billing.test_history_pages import (
    DAY,
    FIRST,
    client,
    key,
    make_invoice,
    make_note,
    make_open_invoice,
    make_receipt,
    place,
    rows_of,
)
from tests.people import make_organization

__all__ = ["client", "key"]  # fixtures
pytestmark = pytest.mark.django_db


class TestTheSearch:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("A-0050", {"A-0050"}),
            ("a-00", {"A-0050", "A-0001"}),
            ("24", {"A-0050", "A-0001"}),
            ("€24.00", {"A-0050", "A-0001"}),
            ("24,00", {"A-0050", "A-0001"}),
            ("2,400", {"YEN"}),
            ("2400", {"YEN"}),
            ("24.005", set()),
            ("in_acme_1", {"A-0001"}),
            ("nothing", set()),
            ("%", set()),
        ],
    )
    def test_finds_numbers_amounts_and_ids(self, client, key, organization, text, found):
        make_open_invoice(organization)
        make_invoice(organization, 1)
        make_invoice(organization, 2, number="YEN", amount=2400, tax=0, currency="jpy")
        rows = client.get(place(organization), {"q": text}).context["documents"]
        assert {row["number"] for row in rows} == found
        listed = key.get("/api/v1/billing-history", {"q": text})
        assert {one["number"] for one in listed.json()["data"]} == found
        file = rows_of(client.get(place(organization), {"q": text, "format": "csv"}))
        assert {row["number"] for row in file} == found

    def test_finds_what_was_bought_and_our_ids(self, client, organization, pack):
        receipt = make_receipt(organization)
        Payment.objects.filter(pk=receipt.payment_id).update(product_version=pack)
        make_invoice(organization, 1)
        for text in ("start", receipt.public_id, receipt.payment.public_id):
            (row,) = client.get(place(organization), {"q": text}).context["documents"]
            assert row["id"] == receipt.public_id

    def test_finds_what_is_overdue(self, client, key, organization):
        late = make_open_invoice(organization)
        make_open_invoice(organization, 51, due_at=datetime.now(UTC) + DAY)
        make_invoice(organization, 1)
        page = client.get(place(organization))
        (row,) = client.get(page.context["overdue_url"]).context["documents"]
        assert row["id"] == late.public_id
        (one,) = key.get("/api/v1/billing-history?is_overdue=true").json()["data"]
        assert one["id"] == late.public_id
        assert key.get("/api/v1/billing-history/totals").json()["data"] == [
            {"currency": "eur", "invoiced": 7200, "due": 4800, "overdue": 2400}
        ]


class TestTheList:
    def test_leads_from_an_invoice_to_its_receipt(self, client, organization):
        receipt = make_receipt(organization)
        make_invoice(organization, 1, payment=receipt.payment, paid_at=FIRST + DAY)
        page = client.get(place(organization, "?type=invoice"))
        assert f"/billing/invoices/{receipt.public_id}/pdf/" in page.content.decode()
        assert "2 Mar 2026" in text_of(page)

    def test_shows_the_last_try_in_list_and_file(self, client, organization):
        document = make_open_invoice(organization)
        for status, reason in (("refused", "No."), ("declined", "Your card has expired.")):
            document.attempts.create(
                organization=organization, status=status, failure_message=reason, ended_at=FIRST
            )
        page = text_of(client.get(place(organization)))
        assert "Declined. Your card has expired." in page
        assert "No." not in page
        (row,) = rows_of(client.get(place(organization, "?format=csv")))
        assert (row["last_attempt"], row["last_attempt_failure"]) == (
            "declined",
            "Your card has expired.",
        )

    def test_asks_no_more_for_more_tries(self, client, organization, django_assert_num_queries):
        def fill(numbers):
            for number in numbers:
                document = make_open_invoice(organization, number)
                document.attempts.create(
                    organization=organization, status="declined", ended_at=FIRST
                )
                receipt = make_receipt(organization, number + 100)
                make_invoice(organization, number + 200, payment=receipt.payment)

        fill([1])
        client.get(place(organization))
        with CaptureQueriesContext(connection) as few:
            client.get(place(organization))
        fill(range(2, 7))
        with django_assert_num_queries(len(few)):
            client.get(place(organization))


class TestTheStatement:
    def test_sums_a_month_up(self, organization):
        receipt = make_receipt(organization, 1)
        make_invoice(organization, 2, amount=1000, tax=0, payment=receipt.payment)
        make_invoice(organization, 3, amount=700, tax=0, status="void")
        make_open_invoice(organization, 4)
        make_note(organization, 5)
        make_invoice(organization, 40, amount=1, tax=0)  # in April
        make_invoice(make_organization(name="Other"), 6)
        facts = statement_facts(organization, FIRST.date())
        assert facts["sums"] == [
            {"invoiced": "€34.00", "credited": "€5.00", "received": "€19.00", "due": "€24.00"}
        ]
        assert len(facts["documents"]) == 5
        assert facts["billed_to"] == organization.name

    @pytest.mark.parametrize("by", ["page", "api"])
    def test_is_a_pdf(self, client, key, organization, by):
        make_open_invoice(organization)
        page, api = place(organization, "statement/"), "/api/v1/billing-history/statement"
        asker, address = (client, page) if by == "page" else (key, api)
        answer = asker.get(f"{address}?month=2026-03")
        assert answer.content.startswith(b"%PDF")
        assert "acme-billing-2026-03.pdf" in answer["Content-Disposition"]

    def test_needs_a_month(self, client, key, organization):
        answer = client.get(place(organization, "statement/?month=March"), follow=True)
        assert "Choose a month" in text_of(answer)
        assert key.get("/api/v1/billing-history/statement").status_code == 400
        assert key.get("/api/v1/billing-history/statement?month=March").status_code == 400

    def test_holds_only_so_many(self, client, key, organization, monkeypatch):
        monkeypatch.setattr("apps.billing.selectors.billing_statements.LARGEST", 1)
        make_invoice(organization, 1)
        make_invoice(organization, 2)
        answer = key.get("/api/v1/billing-history/statement?month=2026-03")
        assert answer.json()["code"] == "billing_statement_too_large"
        assert client.get(place(organization, "statement/?month=2026-03")).status_code == 409
