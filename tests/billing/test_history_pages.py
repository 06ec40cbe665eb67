"""The page, the files, the API and the back office of billing history."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.billing.models import BillingDocument, Payment
from tests.billing.buying import text_of
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADMIN = "/admin/billing/billingdocument/"


@pytest.fixture
def client(organization):
    return signed_in(make_member(organization, "owner"))


@pytest.fixture
def key(organization):
    _, token = make_key(organization, make_member(organization, "owner"), "billing:read")
    return with_key(token)


def make_invoice(organization, day, **fields):
    terms = {
        "kind": "invoice",
        "stripe_id": f"in_{organization.slug}_{day}",
        "number": f"A-{day:04d}",
        "amount": 2400,
        "tax": 400,
        "currency": "eur",
        "status": "paid",
        "issued_at": FIRST + day * DAY,
    }
    return BillingDocument.objects.create(organization=organization, **(terms | fields))


def make_open_invoice(organization, number=50, due_at=FIRST):
    return make_invoice(
        organization,
        number,
        status="open",
        amount_due=2400,
        due_at=due_at,
        hosted_url="https://invoice.example/i/1",
        pdf_url="https://invoice.example/i/1/pdf",
        period_start=datetime(2026, 3, 1, tzinfo=UTC),
        period_end=datetime(2026, 4, 1, tzinfo=UTC),
    )


def make_receipt(organization, number=60):
    payment = Payment.objects.create(
        organization=organization,
        purpose="custom",
        amount=1900,
        credits=1050,
        currency="eur",
        is_live=False,
        status="succeeded",
        settled_at=FIRST,
        stripe_payment_intent_id=f"pi_{number}",
    )
    return make_invoice(
        organization,
        number,
        kind="receipt",
        stripe_id=f"pi_{number}",
        number="",
        amount=1900,
        tax=0,
        payment=payment,
    )


def make_note(organization, number=70):
    return make_invoice(
        organization, number, kind="credit_note", number="CN-1", status="issued", amount=500, tax=0
    )


def place(organization, query=""):
    return f"/o/{organization.slug}/billing/invoices/{query}"


def rows_of(answer):
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


class TestThePage:
    def test_says_that_there_is_nothing(self, client, organization):
        assert "No invoices yet" in text_of(client.get(place(organization)))

    def test_shows_what_is_due_and_where_to_pay(self, client, organization):
        make_open_invoice(organization)
        make_invoice(organization, 1)
        make_invoice(organization, 2, status="void")
        answer = client.get(place(organization))
        page, html = text_of(answer), answer.content.decode()
        assert "A-0050 Invoice" in page
        assert "Overdue" in page
        assert "Invoiced €48.00" in page
        assert "€4.00 tax" in page
        assert "1 Mar 2026 – 31 Mar 2026" in page
        assert 'href="https://invoice.example/i/1"' in html
        assert 'href="https://invoice.example/i/1/pdf"' in html
        assert "Pay now" in page

    def test_shows_credit_notes_below_zero_and_receipts_with_their_payment(
        self, client, organization
    ):
        make_note(organization)
        receipt = make_receipt(organization)
        answer = client.get(place(organization))
        assert "−€5.00" in text_of(answer)
        assert receipt.payment.public_id in answer.content.decode()

    def test_filter_the_days_of_whoever_looks(self, organization):
        late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)  # the first of April in Berlin
        make_invoice(organization, 1, issued_at=late)
        client = signed_in(make_member(organization, "owner", time_zone="Europe/Berlin"))
        for query, found in (
            ("from_date=2026-04-01", 1),
            ("to_date=2026-03-31", 0),
            ("to_date=9999-12-31", 1),
        ):
            page = client.get(place(organization, f"?{query}"))
            assert len(page.context["documents"]) == found

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("type=receipt", {"Receipt"}),
            ("type=credit_note", {"CN-1"}),
            ("status=open", {"A-0050"}),
            ("from_date=2026-03-03&to_date=2026-03-03", {"A-0002"}),
            ("status=nonsense", {"A-0001", "A-0002", "A-0050", "CN-1"}),
        ],
    )
    def test_filters(self, client, organization, query, found):
        make_invoice(organization, 1)
        make_invoice(organization, 2)
        make_open_invoice(organization)
        make_receipt(organization)
        make_note(organization)
        rows = client.get(place(organization, f"?{query}")).context["documents"]
        shown = {row["number"] or row["kind"] for row in rows}
        assert shown >= found
        if "nonsense" not in query:
            assert shown == found

    def test_says_that_nothing_fits(self, client, organization):
        make_invoice(organization, 1)
        page = text_of(client.get(place(organization, "?type=receipt")))
        assert "No document fits" in page

    def test_goes_on_where_it_ended_with_its_filters(self, client, organization):
        for number in range(60):
            make_invoice(organization, number, issued_at=FIRST)  # all at the same moment
        make_receipt(organization, 99)
        seen, address = [], place(organization, "?type=invoice")
        while address:
            context = client.get(address).context
            seen += [row["id"] for row in context["documents"]]
            address = context["next_url"]
        assert len(seen) == len(set(seen)) == 60

    def test_asks_no_more_for_more_rows(self, client, organization):
        make_receipt(organization, 1)
        client.get(place(organization))
        with CaptureQueriesContext(
            connection,
        ) as few:
            client.get(place(organization))
        for number in range(2, 22):
            make_receipt(organization, number)
        with CaptureQueriesContext(connection) as many:
            client.get(place(organization))
        assert len(many) == len(few)

    def test_shows_nothing_of_another_organization(self, client, organization):
        other = make_organization(name="Other")
        theirs = make_invoice(other, 7)
        assert "A-0007" not in text_of(client.get(place(organization)))
        assert client.get(place(organization, f"{theirs.public_id}/pdf/")).status_code == 404
        assert client.get(place(organization, f"?before={theirs.public_id}")).status_code == 200
        assert client.get(place(other)).status_code == 404

    def test_takes_a_permission(self, organization):
        client = signed_in(make_member(organization, "member"))
        found = make_invoice(organization, 1)
        assert client.get(place(organization)).status_code == 403
        assert client.get(place(organization, f"{found.public_id}/pdf/")).status_code == 403


class TestFiles:
    def test_have_the_whole_filtered_set(self, client, organization, monkeypatch):
        monkeypatch.setattr("apps.billing.selectors.history.CHUNK", 7)
        for number in range(30):
            make_invoice(organization, number, issued_at=FIRST)
        make_receipt(organization)
        rows = rows_of(client.get(place(organization, "?format=csv&type=invoice")))
        assert len(rows) == len({row["id"] for row in rows}) == 30
        assert {row["type"] for row in rows} == {"invoice"}
        assert (rows[0]["amount"], rows[0]["tax"], rows[0]["currency"]) == ("2400", "400", "eur")

    def test_are_pdfs_of_our_own(self, client, organization):
        for found in (
            make_open_invoice(organization),
            make_receipt(organization),
            make_note(organization),
        ):
            answer = client.get(place(organization, f"{found.public_id}/pdf/"))
            assert answer["Content-Type"] == "application/pdf"
            assert answer.content.startswith(b"%PDF")
            assert found.public_id in answer["Content-Disposition"]


class TestTheApi:
    def test_lists_documents(self, key, organization):
        receipt = make_receipt(organization)
        make_open_invoice(organization, 1)
        answer = key.get("/api/v1/billing-history").json()
        first, second = answer["data"]
        assert (first["type"], first["payment"]) == ("receipt", receipt.payment.public_id)
        assert (second["object"], second["type"]) == ("billing_document", "invoice")
        assert (second["status"], second["amount_due"], second["payment"]) == ("open", 2400, None)
        assert second["hosted_url"] == "https://invoice.example/i/1"

    def test_filters_and_pages(self, key, organization):
        for number in range(5):
            make_invoice(organization, number, issued_at=FIRST)
        make_note(organization)
        seen, cursor = [], ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            answer = key.get(f"/api/v1/billing-history?type=invoice&limit=2{more}").json()
            seen += [one["id"] for one in answer["data"]]
            cursor = answer["next_cursor"]
        assert len(seen) == len(set(seen)) == 5
        late = "/api/v1/billing-history?issued_from=2026-03-02T00:00:00Z&status=issued"
        assert [one["number"] for one in key.get(late).json()["data"]] == ["CN-1"]
        early = "/api/v1/billing-history?issued_before=2026-03-02T00:00:00Z"
        assert len(key.get(early).json()["data"]) == 5

    @pytest.mark.parametrize("query", ["type=letter", "status=lost", "colour=red", "limit=0"])
    @pytest.mark.parametrize("ending", ["", ".csv"])
    def test_refuses_what_it_does_not_know(self, key, query, ending):
        assert key.get(f"/api/v1/billing-history{ending}?{query}").status_code == 400

    def test_answers_a_file(self, key, organization):
        make_invoice(organization, 1)
        make_note(organization)
        rows = rows_of(key.get("/api/v1/billing-history.csv?type=credit_note"))
        assert [row["number"] for row in rows] == ["CN-1"]

    def test_shows_nothing_of_another_organization(self, key):
        make_invoice(make_organization(name="Other"), 7)
        assert key.get("/api/v1/billing-history").json()["data"] == []
        assert rows_of(key.get("/api/v1/billing-history.csv")) == []


class TestTheBackOffice:
    @pytest.fixture
    def staff(self):
        return signed_in(make_person(is_staff=True, is_superuser=True))

    def test_finds_documents(self, staff, organization):
        found = make_open_invoice(organization)
        for query in ("", "q=A-0050", f"q={found.public_id}", f"q={found.stripe_id}"):
            assert found.public_id in staff.get(f"{ADMIN}?{query}").content.decode(), query
        assert found.public_id not in staff.get(f"{ADMIN}?q=A-9999").content.decode()
        page = staff.get(f"{ADMIN}{found.pk}/change/").content.decode()
        assert "https://invoice.example/i/1/pdf" in page
        file = b"".join(staff.get(f"{ADMIN}export/").streaming_content).decode()
        assert found.public_id in file

    def test_changes_none(self, staff, organization):
        found = make_open_invoice(organization)
        assert staff.post(f"{ADMIN}{found.pk}/change/", {"amount": 1}).status_code == 403
        assert staff.get(f"{ADMIN}add/").status_code == 403
        assert staff.post(f"{ADMIN}{found.pk}/delete/").status_code == 403
