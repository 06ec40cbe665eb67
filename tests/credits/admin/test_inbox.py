"""Corrections that wait for a second person, and how they are decided."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import database_now, moved_to
from apps.credits.models import Correction, CreditTransaction, Lot, Wallet
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import Why, request_correction
from apps.tenants.models import AdminConfig, AuditLog
from tests.credits.admin.staff import grant, make_root, make_staff, page_of, wallet_of
from tests.people import make_organization, signed_in

pytestmark = pytest.mark.django_db

Action = Correction.Action


@pytest.fixture(autouse=True)
def _everything_needs_two():
    AdminConfig.objects.create(key="credits.correction_limit", value=0)


@pytest.fixture
def wallet():
    return wallet_of()


@pytest.fixture
def maker():
    return make_staff("credit clerk", "credit approver")


@pytest.fixture
def checker():
    return make_staff("credit approver")


def ask(wallet, maker, action=Action.GRANT, **terms) -> Correction:
    return request_correction(
        wallet=wallet,
        action=action,
        terms=Terms(**(terms or {"amount": 40})),
        why=Why(Correction.Reason.GOODWILL, note="Late delivery", ticket="https://desk.example/9"),
        user=maker,
    )


def address(correction: Correction) -> str:
    return page_of("correction", f"{correction.pk}/change/")


def decide(person, correction, decision="approve", comment="Seen"):
    return signed_in(person).post(address(correction), {"decision": decision, "comment": comment})


def balance(wallet: Wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).balance


def effect_of(answer) -> tuple[str, str]:
    return answer.context["effect"]["before"], answer.context["effect"]["after"]


def text_of(answer) -> str:
    return answer.content.decode()


class TestApproving:
    def test_posts_what_was_shown(self, wallet, maker, checker):
        correction = ask(wallet, maker)
        shown = signed_in(checker).get(address(correction))

        answer = decide(checker, correction)

        correction.refresh_from_db()
        assert (shown.context["effect"]["before"], shown.context["effect"]["after"]) == (
            "100",
            "140",
        )
        assert answer["Location"] == address(correction)
        assert (correction.status, correction.decided_by) == ("posted", checker)
        assert balance(wallet) == 140
        entry = CreditTransaction.objects.get(reference=correction.reference)
        assert entry.actor == f"user:{checker.public_id}"
        assert AuditLog.objects.get(action="correction.approved").reason == "Seen"
        after = signed_in(checker).get(address(correction))
        assert after.context["effect"]["title"] == "What it did"
        assert (after.context["effect"]["before"], after.context["effect"]["after"]) == (
            "100",
            "140",
        )

    def test_works_on_the_wallet_as_it_is_now(self, wallet, maker, checker):
        correction = ask(wallet, maker)
        grant(wallet, 60)

        shown = signed_in(checker).get(address(correction))
        decide(checker, correction)

        assert (shown.context["effect"]["before"], shown.context["effect"]["after"]) == (
            "160",
            "200",
        )
        assert balance(wallet) == 200

    def test_twice_posts_once(self, wallet, maker, checker):
        correction = ask(wallet, maker)

        first, second = (decide(checker, correction) for _ in range(2))

        assert (first.status_code, second.status_code) == (302, 409)
        assert "This correction is posted" in text_of(second)
        assert balance(wallet) == 140

    def test_is_refused_where_the_ledger_refuses_and_it_stays_pending(self, wallet, maker, checker):
        lot = Lot.objects.get(wallet=wallet)
        correction = ask(wallet, maker, Action.VOID, lot_id=lot.pk, amount=100)
        other = ask(wallet, maker, Action.DEDUCT, amount=90)
        decide(checker, other)

        shown = signed_in(checker).get(address(correction))
        answer = decide(checker, correction)

        correction.refresh_from_db()
        assert "10" in shown.context["refusal"]
        assert answer.status_code == 409
        assert correction.status == Correction.Status.PENDING
        assert balance(wallet) == 10


class TestRejecting:
    def test_posts_nothing_and_keeps_why(self, wallet, maker, checker):
        correction = ask(wallet, maker)

        assert decide(checker, correction, "reject", "Not our fault").status_code == 302

        correction.refresh_from_db()
        assert (correction.status, correction.comment) == ("rejected", "Not our fault")
        assert balance(wallet) == 100
        page = signed_in(checker).get(address(correction))
        assert page.context["effect"] is None
        assert "Not our fault" in text_of(page)

    def test_needs_words(self, wallet, maker, checker):
        correction = ask(wallet, maker)

        answer = decide(checker, correction, "reject", "  ")

        correction.refresh_from_db()
        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == ["comment"]
        assert correction.status == Correction.Status.PENDING

    def test_needs_a_decision(self, wallet, maker, checker):
        correction = ask(wallet, maker)

        assert decide(checker, correction, "perhaps").status_code == 422
        correction.refresh_from_db()
        assert correction.status == Correction.Status.PENDING


class TestTheOneWhoAsked:
    @pytest.mark.parametrize("decision", ["approve", "reject"])
    def test_gets_no_button_and_a_refusal(self, wallet, maker, decision):
        correction = ask(wallet, maker)

        page = signed_in(maker).get(address(correction))
        answer = decide(maker, correction, decision)

        correction.refresh_from_db()
        assert not page.context["can_decide"]
        assert 'name="decision"' not in text_of(page)
        assert answer.status_code == 403
        assert "somebody else must approve or reject it" in text_of(answer)
        assert correction.status == Correction.Status.PENDING
        assert balance(wallet) == 100

    def test_is_refused_as_a_superuser_too(self, wallet):
        root = make_root()
        correction = ask(wallet, root)

        assert decide(root, correction).status_code == 403
        assert balance(wallet) == 100


class TestACorrectionThatIsTooOld:
    def test_says_so_and_cannot_be_decided(self, wallet, maker, checker, settings):
        settings.MOVABLE_CLOCK = True
        correction = ask(wallet, maker)

        with moved_to(database_now() + timedelta(days=7)):
            page = signed_in(checker).get(address(correction))
            answer = decide(checker, correction)
            listed = signed_in(checker).get(page_of("correction"))

        correction.refresh_from_db()
        assert "Too old" in text_of(page)
        assert 'name="decision"' not in text_of(page)
        assert answer.status_code == 409
        assert "too old" in text_of(answer)
        assert "Too old" in text_of(listed)
        assert correction.status == Correction.Status.PENDING
        assert balance(wallet) == 100


class TestThePage:
    def test_is_for_staff_with_a_role_and_decides_for_approvers(self, wallet, maker):
        correction = ask(wallet, maker)
        clerk, nobody = make_staff("credit clerk"), make_staff()

        page = signed_in(clerk).get(address(correction))

        assert page.status_code == 200
        assert 'name="decision"' not in text_of(page)
        assert decide(clerk, correction).status_code == 403
        assert signed_in(nobody).get(address(correction)).status_code == 403
        assert decide(nobody, correction).status_code == 403
        assert balance(wallet) == 100

    def test_is_not_found_for_no_correction(self, checker):
        answer = signed_in(checker).get(page_of("correction", f"{uuid4()}/change/"))

        assert answer.status_code == 404

    def test_links_an_address_and_nothing_else(self, wallet, maker, checker):
        correction = ask(wallet, maker)

        page = text_of(signed_in(checker).get(address(correction)))

        assert 'href="https://desk.example/9"' in page

    def test_tells_the_terms_of_each_action(self, wallet, maker, checker):
        lot = Lot.objects.get(wallet=wallet)
        expected = {
            ask(wallet, maker, Action.GRANT, amount=5, kind="promotional"): "Promotional",
            ask(wallet, maker, Action.VOID, lot_id=lot.pk): lot.public_id,
            ask(wallet, maker, Action.CHANGE_EXPIRY, lot_id=lot.pk): "Never",
        }

        for correction, words in expected.items():
            assert words in text_of(signed_in(checker).get(address(correction)))


class TestTheList:
    def test_has_the_waiting_ones_first(self, wallet, maker, checker):
        waiting = ask(wallet, maker)
        decide(checker, ask(wallet, maker))
        decide(checker, ask(wallet, maker), "reject")

        rows = signed_in(checker).get(page_of("correction")).context["cl"].result_list

        assert len(rows) == 3
        assert rows[0] == waiting

    @pytest.mark.parametrize(
        ("query", "days", "found"),
        [
            ("status__exact=pending", 0, 2),
            ("status__exact=posted", 0, 1),
            ("age=1", 0, 0),
            ("age=1", 2, 3),
            ("age=3", 2, 0),
            ("age=30", 31, 3),
            ("expires=open", 0, 2),
            ("expires=open", 7, 0),
            ("expires=day", 5, 0),
            ("expires=day", 6.5, 2),
            ("expires=over", 6.5, 0),
            ("expires=over", 7, 2),
        ],
    )
    def test_is_filtered_by_status_age_and_time_left(
        self, wallet, maker, checker, settings, query, days, found
    ):
        settings.MOVABLE_CLOCK = True
        decide(checker, ask(wallet, maker))
        for _ in range(2):
            ask(wallet, maker)

        with moved_to(database_now() + timedelta(days=days)):
            page = signed_in(checker).get(page_of("correction", f"?{query}"))

        assert len(page.context["cl"].result_list) == found

    def test_and_the_page_ask_as_much_for_more(self, wallet, maker, checker):
        client, correction = signed_in(checker), ask(wallet, maker)

        def queries(where: str) -> int:
            with CaptureQueriesContext(connection) as found:
                assert client.get(where).status_code == 200
            return len(found)

        places = [page_of("correction"), address(correction)]
        for place in places:
            queries(place)
        few = [queries(place) for place in places]
        for _ in range(4):
            ask(wallet_of(make_organization()), make_staff("credit clerk"))

        assert [queries(place) for place in places] == few


class TestTheMenu:
    def badge(self, person) -> str:
        page = signed_in(person).get("/admin/")
        entries = [
            item
            for group in page.context["sidebar_navigation"]
            for item in group["items"]
            if item["title"] == "Corrections"
        ]
        return entries[0].get("badge", "") if entries else "absent"

    def test_counts_what_this_person_could_decide(self, wallet, maker, checker):
        assert self.badge(checker) == ""
        ask(wallet, maker)
        decide(checker, ask(wallet, maker))

        assert self.badge(checker) == "1"
        assert self.badge(maker) == ""
        assert self.badge(make_staff("credit clerk")) == ""
        assert self.badge(make_staff()) == "absent"

    def test_does_not_count_further_than_it_shows(self, wallet, maker, checker, monkeypatch):
        monkeypatch.setattr("apps.core.admin.MOST_COUNTED", 2)
        for _ in range(4):
            ask(wallet, maker)

        assert self.badge(checker) == "2+"
