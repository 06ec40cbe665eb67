"""Staff's pages of reconciliation: three columns, run now, repair, dismiss."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.utils import timezone

from apps.billing.models import Payment, ReconciliationCase, ReconciliationRun
from apps.billing.services import reconciliation
from tests.billing.buying import again, buy, grants, make_pack, press, text_of
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
CASES = "/admin/billing/reconciliationcase/"
RUNS = "/admin/billing/reconciliationrun/"


@pytest.fixture
def client():
    return signed_in(make_person(is_staff=True, is_superuser=True))


@pytest.fixture
def payment(stripe):
    made = buy(make_organization(name="Acme Solar"), make_pack())
    press(made)
    return made


@pytest.fixture
def case(payment):
    reconciliation.reconcile(grace=timedelta(seconds=-60))
    return ReconciliationCase.objects.get()


def reader(*codes):
    person = make_person(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return signed_in(person)


class TestCases:
    def test_are_listed_in_three_columns_and_found(self, client, case):
        page = text_of(client.get(CASES))
        assert "€19.00 paid" in page
        assert "€19.00 open, for 1,050 credits" in page
        assert "Nothing granted" in page
        for query in (
            "q=acme",
            f"q={case.public_id}",
            f"q={case.stripe_payment_intent_id}",
            f"q={case.payment.public_id}",
            "status__exact=open",
            "kind__exact=paid_not_settled",
        ):
            assert case.public_id in client.get(f"{CASES}?{query}").content.decode(), query
        for query in ("q=nobody", "q=pi_nothing", "status__exact=gone"):
            assert case.public_id not in client.get(f"{CASES}?{query}").content.decode(), query

    def test_lead_to_stripe_payment_and_ledger(self, client, case):
        page = client.get(f"{CASES}{case.pk}/change/").content.decode()
        intent = case.stripe_payment_intent_id
        assert f"https://dashboard.stripe.com/test/payments/{intent}" in page
        assert f"/admin/billing/payment/{case.payment_id}/change/" in page
        assert f"?q=payment_intent:{intent}" in page

    def test_are_a_file(self, client, case):
        file = b"".join(client.get(f"{CASES}export/").streaming_content).decode()
        assert case.public_id in file
        assert "acme-solar" in file

    def test_that_are_open_are_counted_in_the_menu(self, client, case):
        assert "Differences" in client.get(CASES).content.decode()
        shown = admin.site._registry[ReconciliationCase]
        assert shown.menu_badge(None) == "1"
        ReconciliationCase.objects.update(
            status=ReconciliationCase.Status.GONE, closed_at=timezone.now()
        )
        assert shown.menu_badge(None) == ""

    def test_cannot_be_written_by_hand(self, client, case):
        assert client.post(f"{CASES}{case.pk}/change/", {"status": "gone"}).status_code == 403
        assert client.get(f"{CASES}add/").status_code == 403
        assert client.post(f"{CASES}{case.pk}/delete/").status_code == 403


class TestRepair:
    def test_asks_why_and_grants(self, client, case, payment):
        page = text_of(client.get(f"{CASES}{case.pk}/repair/"))
        assert "1050 credits are granted" in page

        answer = client.post(f"{CASES}{case.pk}/repair/", {"reason": "Lost on the way."})

        assert answer.status_code == 302
        assert again(payment).status == "succeeded"
        assert grants(payment.organization).count() == 1
        case.refresh_from_db()
        assert (case.status, case.note) == ("repaired", "Lost on the way.")

    @pytest.mark.parametrize("reason", ["", "   "])
    def test_takes_a_reason(self, client, case, payment, reason):
        answer = client.post(f"{CASES}{case.pk}/repair/", {"reason": reason})
        assert answer.status_code == 422
        assert again(payment).status == "open"

    def test_of_a_closed_case_is_refused_with_a_word(self, client, case):
        client.post(f"{CASES}{case.pk}/dismiss/", {"reason": "Known."})
        answer = client.post(f"{CASES}{case.pk}/repair/", {"reason": "Late."})
        assert answer.status_code == 409
        assert "This case is open no more" in text_of(answer)

    def test_is_not_offered_where_no_entry_helps(self, client, stripe, case):
        ReconciliationCase.objects.update(kind="amount_differs")
        page = text_of(client.get(f"{CASES}{case.pk}/repair/"))
        assert "No entry of ours repairs this" in page
        assert client.post(f"{CASES}{case.pk}/repair/", {"reason": "No."}).status_code == 409

    @pytest.mark.parametrize("verb", ["repair", "dismiss"])
    def test_takes_a_permission(self, case, payment, verb):
        client = reader("view_reconciliationcase")
        assert client.get(f"{CASES}{case.pk}/change/").status_code == 200
        answer = client.post(f"{CASES}{case.pk}/{verb}/", {"reason": "Mine."})
        assert answer.status_code == 403
        assert again(payment).status == "open"
        case.refresh_from_db()
        assert case.status == "open"
        client = reader("view_reconciliationcase", "change_reconciliationcase")
        answer = client.post(f"{CASES}{case.pk}/{verb}/", {"reason": "Mine."})
        assert answer.status_code == 302

    def test_of_none_is_missing(self, client, case):
        other = "01890000-0000-7000-8000-000000000000"
        assert client.get(f"{CASES}{other}/repair/").status_code == 404

    def test_dismisses_without_an_entry(self, client, case, payment):
        client.post(f"{CASES}{case.pk}/dismiss/", {"reason": "A test of ours."})
        case.refresh_from_db()
        assert (case.status, case.note) == ("dismissed", "A test of ours.")
        assert Payment.objects.get().status == "open"


class TestRuns:
    def test_are_listed_with_their_sums(self, client, stripe, payment):
        stripe.tell()
        reconciliation.reconcile(grace=timedelta(seconds=-60))
        page = text_of(client.get(RUNS))
        assert "€19.00" in page
        assert "€19.00 for 1,050 credits" in page
        run = ReconciliationRun.objects.get()
        assert run.public_id in text_of(client.get(f"{RUNS}{run.pk}/change/"))

    def test_can_be_asked_for(self, client, stripe):
        assert "Compare now" in text_of(client.get(f"{RUNS}run/"))
        assert not ReconciliationRun.objects.exists()
        assert client.post(f"{RUNS}run/").status_code == 302
        run = ReconciliationRun.objects.get()
        assert run.requested_by is not None

    def test_say_that_there_is_no_key(self, client, settings):
        settings.STRIPE_SECRET_KEY = ""
        answer = client.post(f"{RUNS}run/", follow=True)
        assert "Billing is not configured" in text_of(answer)
        assert not ReconciliationRun.objects.exists()

    def test_take_a_permission(self, stripe):
        client = reader("view_reconciliationrun")
        assert client.get(RUNS).status_code == 200
        assert client.post(f"{RUNS}run/").status_code == 403
        assert not ReconciliationRun.objects.exists()
        client = reader("view_reconciliationrun", "add_reconciliationrun")
        assert client.post(f"{RUNS}run/").status_code == 302
