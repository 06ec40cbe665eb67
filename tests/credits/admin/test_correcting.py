"""Staff correct a wallet: fill in, look at what would be posted, confirm."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import ids
from apps.credits.models import Correction, CreditTransaction, Lot, Wallet
from apps.credits.services.wallets import change_status
from apps.tenants.models import AdminConfig, AuditLog
from tests.credits.admin.staff import grant, hold, make_root, make_staff, page_of, wallet_of
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet():
    wallet = wallet_of()
    grant(wallet, 500)
    return Wallet.objects.get(pk=wallet.pk)  # 100 of the trial, 500 bought


@pytest.fixture
def clerk():
    return make_staff("credit clerk")


@pytest.fixture
def client(clerk):
    return signed_in(clerk)


def form_of(**changes) -> dict[str, object]:
    values = {
        "correction_id": str(uuid4()),
        "action": "grant",
        "kind": "adjustment",
        "amount": 40,
        "reason": "goodwill",
        "note": "Sorry for the wait",
        "ticket": "https://desk.example/7",
    }
    return {**values, **changes}


def address(wallet: Wallet) -> str:
    return page_of("wallet", f"{wallet.pk}/correct/")


def preview(client, wallet, **changes):
    answer = client.post(address(wallet), {**form_of(**changes), "step": "preview"})
    assert answer.status_code == 200, answer.context["form"].errors
    return answer


def confirm(client, wallet, shown):
    """Send what the preview's page would send."""
    values = {field.html_name: field.value() or "" for field in shown.context["form"]}
    token = shown.context["token"]
    return client.post(address(wallet), {**values, "preview_token": token, "step": "confirm"})


def rows_shown(shown) -> list[tuple[str, str, str]]:
    return [(row[0], row[1], row[2]) for row in shown.context["table"]["rows"]]


def rows_posted(correction: Correction) -> list[tuple[str, str, str]]:
    entries = CreditTransaction.objects.filter(reference=correction.reference).order_by("sequence")
    return [
        (
            entry.get_transaction_type_display(),
            f"{entry.amount:+,}".replace("-", "−"),
            f"{entry.balance_after:,}",
        )
        for entry in entries
    ]


def balance(wallet: Wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).balance


class TestAPreview:
    @pytest.mark.parametrize(
        ("terms", "rows", "after"),
        [
            ({"amount": 40}, 1, 640),
            ({"action": "deduct", "amount": 130}, 2, 470),
            ({"action": "void", "lot": "trial", "amount": ""}, 1, 500),
            ({"action": "void", "lot": "trial", "amount": 30}, 1, 570),
            ({"action": "change_expiry", "lot": "trial", "expires_at": "2040-01-01T12:00"}, 2, 600),
            ({"action": "change_expiry", "lot": "trial", "never_expires": "on"}, 2, 600),
        ],
    )
    def test_shows_exactly_what_is_posted(self, client, wallet, terms, rows, after):
        if "lot" in terms:
            terms = {**terms, "lot": Lot.objects.get(wallet=wallet, kind=terms["lot"]).pk}

        shown = preview(client, wallet, **terms)
        assert balance(wallet) == 600
        assert not Correction.objects.exists()
        answer = confirm(client, wallet, shown)

        correction = Correction.objects.get()
        assert answer["Location"] == page_of("correction", f"{correction.pk}/change/")
        assert len(rows_shown(shown)) == rows
        assert rows_shown(shown) == rows_posted(correction)
        assert (shown.context["before"], shown.context["after"]) == ("600", f"{after:,}")
        assert balance(wallet) == after
        assert correction.status == Correction.Status.POSTED

    def test_keeps_why_and_who(self, client, clerk, wallet):
        confirm(client, wallet, preview(client, wallet))

        correction = Correction.objects.get()
        entry = CreditTransaction.objects.get(reference=correction.reference)
        assert (correction.reason, correction.ticket) == ("goodwill", "https://desk.example/7")
        assert correction.requested_by == clerk
        assert entry.description == "Sorry for the wait"
        assert entry.actor == f"user:{clerk.public_id}"
        assert AuditLog.objects.filter(action="correction.posted").count() == 1

    def test_gives_a_granted_lot_its_terms(self, client, wallet):
        terms = {
            "kind": "promotional",
            "amount": 40,
            "expires_at": "2040-01-01T12:00",
            "priority": 3,
            "unit_cost": "1.5",
            "currency": "EUR",
        }

        confirm(client, wallet, preview(client, wallet, **terms))

        lot = Lot.objects.get(wallet=wallet, kind="promotional")
        assert (lot.granted, lot.priority, lot.currency) == (40, 3, "eur")
        assert f"{lot.unit_cost:.1f}" == "1.5"
        assert f"{lot.expires_at:%Y-%m-%d %H:%M}" == "2040-01-01 12:00"

    def test_reads_times_in_the_zone_of_whoever_types_them(self, wallet):
        client = signed_in(make_staff("credit clerk", time_zone="Asia/Tokyo"))

        confirm(client, wallet, preview(client, wallet, expires_at="2040-01-01T12:00"))

        lot = Lot.objects.get(wallet=wallet, kind="adjustment")
        assert f"{lot.expires_at:%H:%M}" == "03:00"

    def test_tells_of_credits_that_expire_first(self, client, wallet):
        grant(wallet, 25, expires_at=timezone.now() + timedelta(seconds=0.3))
        connection.cursor().execute("SELECT pg_sleep(0.4)")

        shown = preview(client, wallet)

        assert (shown.context["due"], shown.context["before"]) == ("25", "600")

    def test_tells_once_more_what_was_asked_for(self, client, wallet):
        lot = Lot.objects.get(wallet=wallet, kind="trial")

        facts = dict(preview(client, wallet, action="void", lot=lot.pk).context["facts"])

        assert facts == {
            "Action": "Void a lot, or a part of it",
            "Credits": "40",
            "Lot": f"Trial {lot.public_id}",
            "Reason": "Goodwill",
            "Note": "Sorry for the wait",
            "Ticket": "https://desk.example/7",
        }

    def test_goes_back_to_the_form_with_everything_typed(self, client, wallet):
        answer = client.post(address(wallet), {**form_of(amount=41), "step": "edit"})

        assert answer.status_code == 200
        assert not answer.context["form"].errors
        assert 'value="41"' in answer.content.decode()


class TestTheForm:
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"amount": ""}, "amount"),
            ({"amount": 0}, "amount"),
            ({"amount": 10**15 + 1}, "amount"),
            ({"action": "deduct", "amount": ""}, "amount"),
            ({"action": "deduct", "amount": 601}, "amount"),
            ({"action": "void", "lot": ""}, "lot"),
            ({"action": "void", "lot": str(uuid4())}, "lot"),
            ({"action": "void", "lot": "trial", "amount": 101}, "lot"),
            ({"action": "change_expiry", "lot": "trial"}, "expires_at"),
            (
                {"action": "change_expiry", "lot": "trial", "expires_at": "2001-01-01T00:00"},
                "expires_at",
            ),
            (
                {
                    "action": "change_expiry",
                    "lot": "trial",
                    "expires_at": "2040-01-01T00:00",
                    "never_expires": "on",
                },
                "expires_at",
            ),
            ({"expires_at": "2001-01-01T00:00"}, "expires_at"),
            ({"expires_at": "soon"}, "expires_at"),
            ({"kind": "debt"}, "kind"),
            ({"priority": 1001}, "priority"),
            ({"unit_cost": "1.5"}, "currency"),
            ({"unit_cost": "-1"}, "unit_cost"),
            ({"reason": ""}, "reason"),
            ({"reason": "other", "note": ""}, "note"),
            ({"action": "explode"}, "action"),
            ({"correction_id": ""}, "correction_id"),
        ],
    )
    @pytest.mark.parametrize("step", ["preview", "confirm"])
    def test_shows_each_refusal_on_its_field(self, client, wallet, changes, field, step):
        if changes.get("lot") == "trial":
            changes = {**changes, "lot": Lot.objects.get(wallet=wallet, kind="trial").pk}

        sent = {**form_of(**changes), "step": step, "preview_token": "shown before"}
        answer = client.post(address(wallet), sent)

        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == [field]
        assert not Correction.objects.exists()
        assert balance(wallet) == 600

    def test_takes_no_lot_of_another_wallet(self, client, wallet):
        other = grant(wallet_of(make_organization()), 70)

        answer = client.post(
            address(wallet), {**form_of(action="void", lot=other.pk), "step": "confirm"}
        )

        assert list(answer.context["form"].errors) == ["lot"]
        assert Lot.objects.get(pk=other.pk).remaining == 70

    def test_tells_above_the_form_what_is_about_the_wallet(self, client, wallet):
        change_status(wallet=wallet, reason="Test", is_closed=True)

        answer = client.post(address(wallet), {**form_of(), "step": "preview"})

        assert answer.status_code == 422
        assert "closed" in str(answer.context["form"].non_field_errors())

    def test_offers_the_lots_that_have_credits(self, client, wallet):
        empty = grant(wallet, 10, Lot.Kind.PROMOTIONAL)
        void = preview(client, wallet, action="void", lot=empty.pk, amount="")
        confirm(client, wallet, void)
        page = client.get(address(wallet)).context["form"]["lot"].field.widget.choices

        offered = {str(value) for value, _ in page if value}
        assert offered == {
            str(one.pk) for one in Lot.objects.filter(wallet=wallet, remaining__gt=0)
        }
        assert len(offered) == 2

    def test_is_filled_in_by_the_page_that_leads_to_it(self, client, wallet):
        entry = CreditTransaction.objects.filter(wallet=wallet).last()

        answer = client.get(page_of("credittransaction", f"{entry.pk}/reverse/"), follow=True)

        form = answer.context["form"]
        assert answer.redirect_chain[0][0].startswith(address(wallet))
        assert (form["action"].value(), form["lot"].value()) == ("void", str(entry.lot_id))
        assert entry.public_id in form["note"].value()

    def test_lets_no_address_write_into_the_page(self, client, wallet):
        page = client.get(address(wallet), {"action": "x'}; alert(1); {'"}).content.decode()

        assert "alert(1)" not in page

    def test_asks_as_much_for_more_lots(self, client, wallet):
        def queries() -> int:
            with CaptureQueriesContext(connection) as found:
                assert client.get(address(wallet)).status_code == 200
            return len(found)

        queries()
        few = queries()
        for _ in range(5):
            grant(wallet, 10)

        assert queries() == few


class TestConfirming:
    def test_twice_has_one_effect_and_one_answer(self, client, wallet):
        lot = Lot.objects.get(wallet=wallet, kind="trial")
        shown = preview(client, wallet, action="void", lot=lot.pk, amount="")

        first, second = (confirm(client, wallet, shown) for _ in range(2))

        assert first["Location"] == second["Location"]
        assert Correction.objects.count() == 1
        assert balance(wallet) == 500

    def test_twice_with_other_values_is_refused(self, client, wallet):
        shown = preview(client, wallet)
        confirm(client, wallet, shown)

        changed = form_of(correction_id=shown.context["form"]["correction_id"].value(), amount=41)
        answer = client.post(
            address(wallet), {**changed, "step": "confirm", "preview_token": "any"}
        )

        assert answer.status_code == 422
        assert "other values" in str(answer.context["form"].non_field_errors())
        assert balance(wallet) == 640

    def test_what_nobody_has_seen_shows_a_preview_first(self, client, wallet):
        answer = client.post(address(wallet), {**form_of(), "step": "confirm"})

        assert (answer.status_code, answer.context["after"]) == (200, "640")
        assert balance(wallet) == 600

    def test_what_has_moved_shows_a_new_preview_and_posts_nothing(self, client, wallet):
        shown = preview(client, wallet)
        grant(wallet, 7)

        answer = confirm(client, wallet, shown)

        assert answer.status_code == 409
        assert "moved" in answer.context["warning"]
        assert (answer.context["before"], answer.context["after"]) == ("607", "647")
        assert balance(wallet) == 607
        assert confirm(client, wallet, answer).status_code == 302
        assert balance(wallet) == 647

    def test_leaves_held_credits_where_they_are(self, client, wallet):
        hold(wallet, 60)
        lot = Lot.objects.get(wallet=wallet, kind="trial")

        shown = preview(client, wallet, action="void", lot=lot.pk, amount="")

        assert rows_shown(shown) == [("Voided", "−40", "500")]


class TestASecondPerson:
    def test_is_needed_above_the_limit(self, client, wallet):
        AdminConfig.objects.create(key="credits.correction_limit", value=39)

        shown = preview(client, wallet)
        answer = confirm(client, wallet, shown)

        correction = Correction.objects.get()
        assert shown.context["needs_second_person"]
        assert "second person" in shown.content.decode()
        assert answer["Location"] == page_of("correction", f"{correction.pk}/change/")
        assert correction.status == Correction.Status.PENDING
        assert balance(wallet) == 600

    def test_is_not_needed_at_the_limit(self, client, wallet):
        AdminConfig.objects.create(key="credits.correction_limit", value=40)

        assert not preview(client, wallet).context["needs_second_person"]

    def test_is_needed_to_void_what_was_bought(self, client, wallet):
        lot = Lot.objects.get(wallet=wallet, kind="purchase")

        shown = preview(client, wallet, action="void", lot=lot.pk, amount=1)

        assert shown.context["needs_second_person"]


class TestThePage:
    @pytest.mark.parametrize("kind", ["correct", "standing"])
    def test_is_for_those_who_correct(self, wallet, kind):
        here = page_of("wallet", f"{wallet.pk}/{kind}/")
        may = [make_root(), make_staff("credit clerk")]
        may_not = [make_staff("credit approver"), make_staff(), make_staff("owner")]

        assert [signed_in(one).get(here).status_code for one in may] == [200] * 2
        assert [signed_in(one).get(here).status_code for one in may_not] == [403] * 3
        assert [signed_in(one).post(here, form_of()).status_code for one in may_not] == [403] * 3
        assert signed_in(make_person()).get(here).status_code == 302

    def test_is_linked_only_for_those_who_correct(self, wallet):
        page = page_of("wallet", f"{wallet.pk}/change/")
        correct = address(wallet)

        assert correct in signed_in(make_staff("credit clerk")).get(page).content.decode()
        assert correct not in signed_in(make_staff("credit approver")).get(page).content.decode()

    def test_is_not_found_for_no_wallet(self, client):
        assert client.get(page_of("wallet", f"{ids.new_id()}/correct/")).status_code == 404
        assert client.get(page_of("wallet", f"{ids.new_id()}/standing/")).status_code == 404
