"""Billing details: written down here, told to Stripe, and printed on what is billed from then."""

from contextlib import suppress

import pytest
from django.db import transaction

from apps.billing.errors import BillingDetailsRefused, StripeRefused, StripeUnavailable
from apps.billing.gateway import customers as gateway
from apps.billing.models import BillingDetails, BillingDocument, Customer
from apps.billing.selectors.details import invoice_emails_of
from apps.billing.services import details_pushing, tax_ids
from apps.billing.services.customers import ensure_customer
from apps.billing.services.details import Wanted, set_details
from apps.billing.tasks import sweep_documents
from apps.core import clock
from apps.tenants.models import AuditLog, PersonalValue
from tests.billing.buying import text_of
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/billing-details"
GIVEN = {
    "legal_name": "Acme GmbH",
    "line1": "Hauptstr. 1",
    "line2": "Hof",
    "city": "Berlin",
    "postal_code": "10115",
    "state": "",
    "country": "DE",
    "tax_id_type": "eu_vat",
    "tax_id": "DE123456789",
    "po_number": "PO-4711",
    "emails": ["bills@acme.test", "office@acme.test"],
}
LINES = [
    "Acme GmbH",
    "Hauptstr. 1",
    "Hof",
    "10115 Berlin",
    "Germany",
    "EU VAT number: DE123456789",
    "Purchase order: PO-4711",
]


def write(organization, **changed):
    fields = GIVEN | changed
    with transaction.atomic():
        return set_details(
            organization=organization,
            wanted=Wanted(**fields | {"emails": tuple(fields["emails"])}),
        )


def told(stripe, organization):
    """Return what Stripe has of the customer."""
    customer_id = Customer.objects.get(organization=organization).stripe_id
    found = stripe.v1.customers.retrieve(customer_id, {"expand": ["tax_ids"]})
    fields = found.invoice_settings.custom_fields or []
    return {
        "name": found.name,
        "email": found.email,
        "line1": found.address and found.address.line1,
        "line2": found.address and found.address.line2,
        "country": found.address and found.address.country,
        "tax_ids": [(one.type, one.value) for one in found.tax_ids.data],
        "fields": [(one.name, one.value) for one in fields],
    }


def unanswered(*args, **kwargs):
    raise StripeUnavailable


class TestWriting:
    def test_counts_what_changes_and_says_it_in_the_log(self, organization):
        first = write(organization)
        assert write(organization).version == first.version == 1
        assert write(organization, city="Bonn").version == 2
        rows = AuditLog.objects.filter(action="billing_details.changed").order_by("id")
        assert [row.object_id for row in rows] == [first.public_id] * 2
        assert (rows[1].before["city"], rows[1].after["city"]) == ("Berlin", "Bonn")
        assert rows[0].before is None
        kept = set(PersonalValue.objects.filter(entry=rows[1]).values_list("value", flat=True))
        assert {"Acme GmbH", "Hauptstr. 1", "DE123456789", "bills@acme.test"} <= kept

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"legal_name": "  "}, "legal_name"),
            ({"country": "XX"}, "country"),
            ({"country": ""}, "country"),
            ({"tax_id_type": ""}, "tax_id_type"),
            ({"tax_id_type": "moon_vat"}, "tax_id_type"),
            ({"tax_id": ""}, "tax_id"),
            ({"tax_id": "DE12345678"}, "tax_id"),
            ({"emails": ["nobody"]}, "emails"),
            ({"emails": [f"{number}@acme.test" for number in range(6)]}, "emails"),
        ],
    )
    def test_refuses_what_cannot_be_and_names_the_field(self, organization, changed, field):
        with pytest.raises(BillingDetailsRefused) as refused:
            write(organization, **changed)
        assert refused.value.details["field"] == field
        assert not BillingDetails.objects.exists()

    def test_tidies_up(self, organization):
        found = write(
            organization,
            country="de",
            tax_id="de 123.456-789",
            emails=["Bills@Acme.test", "", "bills@acme.test"],
        )
        assert (found.country, found.tax_id) == ("DE", "DE123456789")
        assert found.emails == ["bills@acme.test"]

    def test_gets_mails_about_money_there(self, organization):
        organization.billing_email = "first@acme.test"
        write(organization)
        assert invoice_emails_of(organization) == ["first@acme.test", *GIVEN["emails"]]


@pytest.mark.parametrize(
    ("kind", "value", "is_right"),
    [
        ("eu_vat", "ATU12345678", True),
        ("eu_vat", "AT12345678", False),
        ("eu_vat", "FRXX123456789", True),
        ("eu_vat", "NL123456789B01", True),
        ("eu_vat", "EL123456789", True),
        ("eu_vat", "GR123456789", False),
        ("eu_vat", "GB123456789", False),
        ("gb_vat", "GB123456789", True),
        ("gb_vat", "123456789", False),
        ("ch_vat", "CHE-123.456.789 MWST", True),
        ("us_ein", "123456789", False),
        ("us_ein", "12-3456789", True),
    ],
)
def test_the_shape_of_a_tax_id_is_that_of_its_kind(kind, value, is_right):
    assert (tax_ids.fault_of(kind, value) == "") == is_right


def test_every_kind_of_tax_id_has_a_shape():
    for kind in BillingDetails.TaxIdType.values:
        assert tax_ids.fault_of(kind, "?")


class TestStripe:
    def test_is_told_all_of_it(self, stripe, organization):
        found = details_pushing.push(write(organization))
        assert told(stripe, organization) == {
            "name": "Acme GmbH",
            "email": "bills@acme.test",
            "line1": "Hauptstr. 1",
            "line2": "Hof",
            "country": "DE",
            "tax_ids": [("eu_vat", "DE123456789")],
            "fields": [("Purchase order", "PO-4711")],
        }
        assert (found.standing, found.pushed_version, found.refusal) == ("at_stripe", 1, "")
        assert found.stripe_tax_id.startswith("txi_")

    def test_is_told_what_is_taken_away(self, stripe, organization):
        details_pushing.push(write(organization))
        organization.billing_email = "office@acme.test"
        organization.save(update_fields=["billing_email"])
        nothing = dict.fromkeys((*GIVEN, "emails"), "") | {"emails": []}
        details_pushing.push(write(organization, **nothing | {"legal_name": "Acme AG"}))
        assert told(stripe, organization) == {
            "name": "Acme AG",
            "email": "office@acme.test",
            "line1": None,
            "line2": None,
            "country": None,
            "tax_ids": [],
            "fields": [],
        }

    def test_has_one_tax_id_of_a_kind_and_keeps_another_kind(self, stripe, organization):
        customer = ensure_customer(organization=organization).stripe_id
        stripe.v1.customers.tax_ids.create(customer, {"type": "gb_vat", "value": "GB123456789"})
        details_pushing.push(write(organization))
        details_pushing.push(write(organization, tax_id="ATU12345678"))
        found = set(told(stripe, organization)["tax_ids"])
        assert found == {("gb_vat", "GB123456789"), ("eu_vat", "ATU12345678")}

    def test_is_not_asked_again_for_what_it_has(self, stripe, organization, monkeypatch):
        details = details_pushing.push(write(organization))
        monkeypatch.setattr(gateway, "update_customer", unanswered)
        assert details_pushing.push(details).standing == "at_stripe"

    def test_that_does_not_answer_is_told_by_the_sweep(self, stripe, organization, monkeypatch):
        details = write(organization)
        monkeypatch.setattr(gateway, "create_tax_id", unanswered)
        with pytest.raises(StripeUnavailable):
            details_pushing.push(details)
        details.refresh_from_db()
        assert (details.standing, details.push_claimed_until) == ("waiting", None)
        monkeypatch.undo()
        with clock.moved_to(clock.database_now() + details_pushing.PATIENCE * 2):
            sweep_documents()
        details.refresh_from_db()
        assert details.standing == "at_stripe"
        assert told(stripe, organization)["tax_ids"] == [("eu_vat", "DE123456789")]

    def test_whose_answer_got_lost_is_told_the_same_again(self, stripe, organization, monkeypatch):
        details = write(organization)
        create = gateway.create_tax_id

        def lost(**terms):
            create(**terms)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "create_tax_id", lost)
        with suppress(StripeUnavailable):
            details_pushing.push(details)
        monkeypatch.undo()
        details_pushing.push(details)
        assert told(stripe, organization)["tax_ids"] == [("eu_vat", "DE123456789")]

    def test_that_refuses_is_quoted_and_asked_again_after_a_change(
        self, stripe, organization, monkeypatch
    ):
        def refuse(**terms):
            raise StripeRefused(reason="Invalid value for eu_vat.", stripe_code="tax_id_invalid")

        monkeypatch.setattr(gateway, "create_tax_id", refuse)
        found = details_pushing.push(write(organization))
        assert (found.standing, found.refusal) == ("refused", "Invalid value for eu_vat.")
        monkeypatch.undo()
        found = details_pushing.push(write(organization, tax_id="ATU12345678"))
        assert (found.standing, found.refusal) == ("at_stripe", "")

    def test_is_asked_by_one_at_a_time(self, stripe, organization, monkeypatch):
        details = write(organization)
        seen = []
        update = gateway.update_customer

        def meanwhile(**terms):
            seen.append(details_pushing.push(details).standing)
            return update(**terms)

        monkeypatch.setattr(gateway, "update_customer", meanwhile)
        assert details_pushing.push(details).standing == "at_stripe"
        assert seen == ["waiting"]

    def test_hears_of_a_change_during_a_push_afterwards(self, stripe, organization, monkeypatch):
        details = write(organization)
        update = gateway.update_customer

        def meanwhile(**terms):
            write(organization, legal_name="Acme AG")
            monkeypatch.undo()
            return update(**terms)

        monkeypatch.setattr(gateway, "update_customer", meanwhile)
        found = details_pushing.push(details)
        assert (found.standing, found.legal_name) == ("waiting", "Acme AG")
        details_pushing.push(details)
        assert told(stripe, organization)["name"] == "Acme AG"


class TestDocuments:
    def test_say_what_held_when_they_were_issued(self, stripe, organization):
        details_pushing.push(write(organization))
        customer = Customer.objects.get(organization=organization).stripe_id
        made = stripe.v1.invoices.create(
            {"customer": customer, "collection_method": "send_invoice", "days_until_due": 14}
        )
        stripe.v1.invoices.finalize_invoice(made.id)
        stripe.tell()
        details_pushing.push(write(organization, legal_name="Acme AG"))
        stripe.v1.invoices.update(made.id, {"metadata": {"seen": "yes"}})
        stripe.tell()
        assert BillingDocument.objects.get().billed_to.splitlines() == LINES


class TestThePage:
    def place(self, organization):
        return f"/o/{organization.slug}/billing/details/"

    def test_saves_and_tells_stripe(self, stripe, organization):
        client = signed_in(make_member(organization, "owner"))
        page = client.get(self.place(organization))
        assert organization.name in page.content.decode()
        form = GIVEN | {"emails": "\n".join(GIVEN["emails"])}
        answer = client.post(self.place(organization), form, follow=True)
        assert answer.status_code == 200
        assert "At Stripe" in text_of(answer)
        assert told(stripe, organization)["name"] == "Acme GmbH"

    def test_says_what_is_wrong_beside_the_field(self, organization):
        client = signed_in(make_member(organization, "owner"))
        form = GIVEN | {"emails": "", "tax_id": "DE1"}
        answer = client.post(self.place(organization), form)
        assert answer.status_code == 422
        assert "no VAT number of DE" in text_of(answer)
        assert answer.context["form"].errors.keys() == {"tax_id"}

    def test_keeps_them_where_nothing_is_configured(self, organization):
        client = signed_in(make_member(organization, "owner"))
        form = GIVEN | {"emails": ""}
        answer = client.post(self.place(organization), form, follow=True)
        assert "Not yet at Stripe" in text_of(answer)
        assert BillingDetails.objects.get().legal_name == "Acme GmbH"

    def test_takes_permissions(self, organization):
        write(organization)
        member = signed_in(make_member(organization, "member"))
        assert member.get(self.place(organization)).status_code == 403
        reader = signed_in(make_member(organization, "read-only"))
        assert reader.get(self.place(organization)).status_code == 200
        assert reader.post(self.place(organization), GIVEN).status_code == 403
        assert BillingDetails.objects.get().version == 1


class TestTheApi:
    @pytest.fixture
    def key(self, organization):
        owner = make_member(organization, "owner")
        return with_key(make_key(organization, owner, "billing:read", "billing:write")[1])

    def test_sets_and_reads(self, stripe, organization, key):
        assert key.get(ADDRESS).status_code == 404
        answer = key.put(ADDRESS, GIVEN, content_type="application/json").json()
        assert {name: answer[name] for name in GIVEN} == GIVEN
        assert answer["at_stripe"] == "at_stripe"
        assert key.get(ADDRESS).json() == answer

    def test_waits_where_stripe_is_away(self, stripe, organization, key, monkeypatch):
        monkeypatch.setattr(gateway, "update_customer", unanswered)
        answer = key.put(ADDRESS, GIVEN, content_type="application/json")
        assert (answer.status_code, answer.json()["at_stripe"]) == (200, "waiting")

    def test_refuses(self, organization, key):
        for changed in ({"tax_id": "DE1"}, {"country": "XX"}):
            answer = key.put(ADDRESS, GIVEN | changed, content_type="application/json")
            assert (answer.status_code, answer.json()["code"]) == (422, "billing_details_refused")
        answer = key.put(ADDRESS, {"city": "Bonn"}, content_type="application/json")
        assert answer.status_code == 400

    def test_shows_nothing_of_another_organization(self, key):
        write(make_organization(name="Other"))
        assert key.get(ADDRESS).status_code == 404


def test_staff_look_and_change_nothing(organization):
    details = write(organization)
    staff = signed_in(make_person(is_staff=True, is_superuser=True))
    place = "/admin/billing/billingdetails/"
    for query in ("", "?standing=waiting", "?q=Acme"):
        assert "Acme GmbH" in staff.get(f"{place}{query}").content.decode()
    assert "Acme GmbH" not in staff.get(f"{place}?standing=at_stripe").content.decode()
    assert staff.get(f"{place}{details.pk}/change/").status_code == 200
    assert staff.post(f"{place}{details.pk}/change/", {"legal_name": "X"}).status_code == 403
