"""The customer's pages of holds."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import context
from apps.core.clock import database_now, moved_to
from apps.credits import selectors
from apps.credits.models import Hold
from apps.credits.pages import holds as pages
from apps.credits.selectors import holds as reading
from apps.credits.services.charges import refund_charge
from apps.credits.services.holds import capture_hold, hold_amount, hold_for_event, release_hold
from apps.credits.services.prices import set_price
from tests.people import make_member, make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def wallet(organization):
    return selectors.main_wallet(organization)


@pytest.fixture
def client(organization):
    return signed_in(make_member(organization, "developer"))


def hold(wallet, reference: str, amount: int = 5, by=None, **terms) -> Hold:
    actor = f"user:{by.public_id}" if by else "system:test"
    with context.acting(actor=actor):
        hold_amount(wallet=wallet, amount=amount, reference=reference, source="test", **terms)
    return Hold.objects.get(wallet=wallet, reference=reference)


def address(organization, rest: str = "") -> str:
    return f"/o/{organization.slug}/holds/{rest}"


def references(answer) -> list[str]:
    return [one["reference"] for one in answer.context["holds"]]


def rows_of(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


class TestTheList:
    def test_shows_open_holds_first_and_then_ended_ones(self, client, organization, wallet):
        release_hold(hold=hold(wallet, "released"), source="test")
        hold(wallet, "first")
        capture_hold(hold=hold(wallet, "captured", 8), amount=3, source="test")
        hold(wallet, "second")

        answer = client.get(address(organization))

        assert references(answer) == ["second", "first", "captured", "released"]
        assert [one["status"] for one in answer.context["holds"]] == [
            "held",
            "held",
            "captured",
            "released",
        ]
        assert answer.context["holds"][2]["captured"] == 3
        assert answer.context["held"] == 10
        page = answer.content.decode()
        for words in ("Held", "Captured", "Released"):  # not colour alone
            assert f"{words}</span>" in page

    def test_names_the_event(self, client, organization, wallet):
        set_price(name="render", credit_cost=10, category="compute", unit="render")
        hold_for_event(wallet=wallet, event="render", reference="one", source="test")

        assert client.get(address(organization)).context["holds"][0]["event"] == "render"

    def test_says_which_are_past_their_time(self, client, organization, wallet, settings):
        settings.MOVABLE_CLOCK = True
        hold(wallet, "old", ttl=timedelta(minutes=5))

        with moved_to(database_now() + timedelta(minutes=5)):
            answer = client.get(address(organization))

        assert answer.context["holds"][0]["status"] == "due"
        assert "Past its time" in answer.content.decode()

    def test_turns_pages_without_gap_or_repeat(self, client, organization, wallet, monkeypatch):
        monkeypatch.setattr(pages, "PAGE_SIZE", 3)
        for number in range(4):
            release_hold(hold=hold(wallet, f"ended:{number}"), source="test")
        for number in range(4):
            hold(wallet, f"open:{number}")

        seen, where = [], address(organization)
        for _ in range(9):
            if not where:
                break
            answer = client.get(where)
            assert len(references(answer)) <= 3
            seen += references(answer)
            where = answer.context["next_url"]

        assert seen == [f"{part}:{number}" for part in ("open", "ended") for number in (3, 2, 1, 0)]

    def test_goes_on_although_a_hold_ended_between_two_pages(
        self, client, organization, wallet, monkeypatch
    ):
        monkeypatch.setattr(pages, "PAGE_SIZE", 2)
        for number in range(4):
            hold(wallet, f"open:{number}")
        first = client.get(address(organization))
        release_hold(hold=Hold.objects.get(reference="open:2"), source="test")

        second = client.get(first.context["next_url"])

        assert references(first) == ["open:3", "open:2"]
        assert references(second) == ["open:1", "open:0"]

    @pytest.mark.parametrize("after", ["nonsense", "open.nonsense", "open", "ended.hold_1", "."])
    def test_begins_at_the_beginning_for_what_is_no_page(self, client, organization, wallet, after):
        hold(wallet, "one")

        assert references(client.get(address(organization), {"after": after})) == ["one"]

    def test_is_filtered_by_status(self, client, organization, wallet):
        hold(wallet, "open")
        release_hold(hold=hold(wallet, "gone"), source="test")

        assert references(client.get(address(organization), {"status": "released"})) == ["gone"]
        assert references(client.get(address(organization), {"status": "held"})) == ["open"]

    def test_asks_as_much_for_more_holds(self, client, organization, wallet):
        def queries() -> int:
            with CaptureQueriesContext(connection) as found:
                client.get(address(organization))
            return len(found)

        hold(wallet, "one")
        release_hold(hold=hold(wallet, "two"), source="test")
        queries()
        few = queries()
        for number in range(5):
            hold(wallet, f"more:{number}")

        assert queries() == few

    def test_is_where_the_overviews_number_leads(self, client, organization):
        page = client.get(f"/o/{organization.slug}/").content.decode()

        assert f'href="{address(organization)}"' in page

    def test_says_so_when_there_are_none(self, client, organization):
        assert "No holds" in client.get(address(organization)).content.decode()


class TestTheFile:
    def test_has_every_hold_that_fits(self, client, organization, wallet, monkeypatch):
        monkeypatch.setattr(reading, "CHUNK", 2)
        for number in range(5):
            hold(wallet, f"=open:{number}")
        release_hold(hold=hold(wallet, "gone", 7), source="test")

        everything = rows_of(client.get(address(organization), {"format": "csv"}))
        released = rows_of(
            client.get(address(organization), {"format": "csv", "status": "released"})
        )

        assert [row["reference"] for row in everything] == [
            "gone",
            *(f"'=open:{number}" for number in (4, 3, 2, 1, 0)),
        ]
        assert [(row["amount"], row["status"]) for row in released] == [("7", "released")]


class TestAHold:
    def test_shows_what_moved_because_of_it(self, client, organization, wallet):
        one = hold(wallet, "one", 8)
        capture_hold(hold=one, amount=3, source="test")
        refund_charge(
            wallet=wallet, charge_reference="one", reference="refund:one", source="test", amount=2
        )
        hold(wallet, "other")

        answer = client.get(address(organization, f"{one.public_id}/"))

        moved = [(row["type"], row["amount"]) for row in answer.context["movements"]]
        assert moved == [("held", -8), ("released", 5), ("refunded", 2)]
        assert answer.context["hold"]["captured"] == 3
        assert "The capture is refused" in answer.content.decode()

    @pytest.mark.parametrize("hold_id", ["hold_1", "nonsense", "txn_01K0000000000000000000000A"])
    def test_is_not_found_where_there_is_none(self, client, organization, hold_id):
        assert client.get(address(organization, f"{hold_id}/")).status_code == 404


class TestTheWalls:
    def test_stand_between_organizations(self, client, organization, wallet):
        other = make_organization(name="Other")
        foreign = hold(selectors.main_wallet(other), "foreign")
        own = hold(wallet, "own")

        assert client.get(address(other)).status_code == 404
        assert client.get(address(organization, f"{foreign.public_id}/")).status_code == 404
        assert references(client.get(address(organization))) == ["own"]
        after = {"after": f"open.{foreign.public_id}"}
        assert references(client.get(address(organization), after)) == ["own"]
        listed = rows_of(client.get(address(organization), {"format": "csv"}))
        assert [row["id"] for row in listed] == [own.public_id]

    def test_stand_between_members_who_see_their_own_part(self, organization, wallet):
        member, other = (make_member(organization, "member") for _ in range(2))
        mine = hold(wallet, "mine", by=member)
        theirs = hold(wallet, "theirs", by=other)
        client = signed_in(member)

        assert references(client.get(address(organization))) == ["mine"]
        listed = rows_of(client.get(address(organization), {"format": "csv"}))
        assert [row["reference"] for row in listed] == ["mine"]
        assert client.get(address(organization, f"{mine.public_id}/")).status_code == 200
        assert client.get(address(organization, f"{theirs.public_id}/")).status_code == 404

    def test_keep_strangers_out(self, organization, wallet):
        assert signed_in(make_person()).get(address(organization)).status_code == 404
