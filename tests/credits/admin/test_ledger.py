"""The ledger as staff see it: everything, and nothing to edit."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import admin as core_admin
from apps.credits.models import CreditTransaction, Lot, Wallet
from tests.credits.admin.staff import grant, hold, make_root, make_staff, page_of, wallet_of
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db

KINDS = ["wallet", "lot", "hold", "credittransaction", "correction"]


@pytest.fixture
def root():
    return signed_in(make_root())


@pytest.fixture
def wallet():
    wallet = wallet_of()
    grant(wallet, 500)
    hold(wallet, 30)
    return wallet


def queries_of(client, address: str) -> list[str]:
    client.get(address)  # what is read once in a process is read
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in queries]


def rows_of(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


class TestTheLists:
    @pytest.mark.parametrize("kind", KINDS)
    def test_are_for_staff_with_a_role_and_for_superusers(self, wallet, kind):
        shown = [make_root(), make_staff("credit clerk"), make_staff("credit approver")]
        hidden = [make_staff(), make_staff("read-only")]

        assert [signed_in(one).get(page_of(kind)).status_code for one in shown] == [200] * 3
        assert [signed_in(one).get(page_of(kind)).status_code for one in hidden] == [403] * 2

    @pytest.mark.parametrize("kind", KINDS)
    def test_are_not_for_customers(self, wallet, kind):
        answer = signed_in(make_person()).get(page_of(kind))

        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_count_nothing_and_ask_as_much_for_more_rows(self, root, wallet, kind):
        few = queries_of(root, page_of(kind))
        for _ in range(3):
            other = wallet_of(make_organization())
            grant(other, 10)
            hold(other, 5)
        many = queries_of(root, page_of(kind))

        assert len(many) == len(few)
        assert not [sql for sql in many if "COUNT(" in sql.upper() and "credits_" in sql]

    @pytest.mark.parametrize("kind", ["wallet", "lot", "hold", "credittransaction"])
    def test_offer_a_superuser_no_way_to_change_them(self, root, wallet, kind):
        model = {"wallet": Wallet, "lot": Lot, "credittransaction": CreditTransaction}.get(kind)
        model = model or type(hold(wallet, 1))
        row = model.objects.first()

        assert root.get(page_of(kind, f"{row.pk}/change/")).status_code == 200
        assert root.post(page_of(kind, f"{row.pk}/change/"), {}).status_code == 403
        assert root.post(page_of(kind, f"{row.pk}/delete/"), {}).status_code == 403
        assert root.post(page_of(kind, "add/"), {}).status_code == 403

    def test_find_by_public_id_by_organization_and_by_exact_reference(self, root, wallet):
        entry = CreditTransaction.objects.filter(wallet=wallet).first()
        other = wallet_of(make_organization(name="Elsewhere"))

        for text in (entry.public_id, wallet.public_id, wallet.organization.slug, entry.reference):
            page = root.get(page_of("credittransaction"), {"q": text}).content.decode()
            assert entry.public_id in page, text
            assert "Elsewhere" not in page.split('id="result_list"')[-1], text
        found = root.get(page_of("wallet"), {"q": "elsewh"}).content.decode()
        assert other.public_id in found
        assert wallet.public_id not in found

    def test_show_nothing_for_an_id_that_is_nowhere(self, root, wallet):
        page = root.get(page_of("wallet"), {"q": "nobody at all"}).content.decode()

        assert wallet.public_id not in page


class TestAWallet:
    def test_leads_to_what_is_in_it_and_to_nothing_else(self, root, wallet):
        other = wallet_of(make_organization(name="Elsewhere"))
        page = root.get(page_of("wallet", f"{wallet.pk}/change/")).content.decode()

        for kind in ("lot", "hold", "credittransaction", "correction"):
            address = page_of(kind, f"?wallet__id__exact={wallet.pk}")
            assert address in page
            listed = root.get(address)
            assert listed.status_code == 200
            assert {row.wallet_id for row in listed.context["cl"].result_list} <= {wallet.pk}
        assert other.pk != wallet.pk


class TestTheExport:
    def test_holds_what_the_filters_leave(self, root, wallet):
        grant(wallet_of(make_organization()), 9)

        everything = rows_of(root.get(page_of("credittransaction", "export/")))
        held = rows_of(root.get(page_of("credittransaction", "export/?transaction_type=held")))

        assert len(everything) == CreditTransaction.objects.count()
        assert [row["amount"] for row in held] == ["-30"]

    def test_is_linked_with_the_filters_of_the_list(self, root, wallet):
        page = root.get(page_of("lot", "?kind=purchase")).content.decode()

        assert page_of("lot", "export/?kind=purchase") in page

    def test_goes_on_where_a_chunk_ends(self, root, wallet, monkeypatch):
        monkeypatch.setattr(core_admin, "CHUNK", 2)

        rows = rows_of(root.get(page_of("lot", "export/")))

        assert [row["public_id"] for row in rows] == [
            lot.public_id for lot in Lot.objects.order_by("-id")
        ]

    def test_asks_as_much_for_more_rows(self, root, wallet):
        few = queries_of(root, page_of("hold", "export/"))
        for _ in range(5):
            hold(wallet, 1)

        assert len(queries_of(root, page_of("hold", "export/"))) == len(few)

    @pytest.mark.parametrize("kind", KINDS)
    def test_is_not_for_staff_without_a_role(self, wallet, kind):
        answer = signed_in(make_staff()).get(page_of(kind, "export/"))

        assert answer.status_code == 403

    def test_sends_a_wrong_filter_back_to_the_list(self, root, wallet):
        answer = root.get(page_of("lot", "export/?wallet__id__exact=nonsense"))

        assert answer.status_code == 302


class TestATransaction:
    def test_shows_its_hash_and_leads_to_its_correction(self, root, wallet):
        entry = CreditTransaction.objects.filter(wallet=wallet).last()

        page = root.get(page_of("credittransaction", f"{entry.pk}/change/")).content.decode()

        assert bytes(entry.entry_hash).hex() in page.replace("<wbr>", "")
        assert page_of("credittransaction", f"{entry.pk}/reverse/") in page
