"""The pages of capacity: what they show, to whom, and that they cost no more with more rows."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.capacity.models import Allocation, Project, Reservation
from apps.capacity.selectors import block_map, certificates
from apps.capacity.selectors.listing import (
    ALLOCATION_COLUMNS,
    BLOCK_COLUMNS,
    PROJECT_COLUMNS,
    RESERVATION_COLUMNS,
)
from apps.capacity.services.projects import set_rate
from apps.capacity.services.reserving import release_reservation
from apps.capacity.services.settling import settle, settle_offline
from apps.core import ids
from apps.core.clock import moved_to
from tests.capacity.conftest import NOON
from tests.capacity.lines import offered
from tests.capacity.plants import (
    allocate,
    begin_to_pay,
    hold,
    make_blocks,
    make_payment,
    make_project,
    past_its_hold,
)
from tests.markup import repeated_ids
from tests.people import make_member, make_organization, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def client(organization):
    return signed_in(make_member(organization, "owner"))


def address(organization, rest=""):
    return f"/o/{organization.slug}/capacity/{rest}"


def rows_of(response):
    return list(csv.DictReader(io.StringIO(b"".join(response).decode())))


class TestProjects:
    def test_are_divided_into_what_is_allocated_held_free_and_in_no_block(
        self, client, organization
    ):
        project = make_project(10, 5, 2, 1, capacity_kw=Decimal(20))
        allocate(organization, project, 10)
        hold(make_organization(), project, 5)
        page = client.get(address(organization))
        text = page.content.decode().replace("\u00a0", " ")
        parts = "10 kW allocated, 5 kW held, 3 kW free, 2 kW in no block."
        assert f"{project.name}: of 20 kW, {parts}" in text
        assert "€12.50 per kW and month" in text
        assert f'href="{project_page(organization, project)}"' in text

    def test_of_a_draft_nothing_is_shown(self, client, organization):
        project = make_project(1, status="draft")
        assert project.name not in client.get(address(organization)).content.decode()

    def test_are_a_file_too(self, client, organization):
        project = make_project(10, 5, place="=Hamburg")
        hold(organization, project, 10)
        with past_its_hold():
            answer = client.get(address(organization), {"format": "csv"})
            (row,) = rows_of(answer)
        assert list(row) == PROJECT_COLUMNS
        assert (row["place"], row["held_kw"], row["free_kw"]) == ("'=Hamburg", "0.000", "15.000")

    def test_come_in_pages(self, client, organization, monkeypatch):
        monkeypatch.setattr("apps.rbac.pages.base.PAGE_SIZE", 1)
        made = {make_project(1).name for _ in range(2)}
        first = client.get(address(organization))
        second = client.get(first.context["next_url"])
        shown = [page.context["projects"][0]["project"].name for page in (first, second)]
        assert set(shown) == made
        assert second.context["next_url"] is None
        assert second.context["first_url"].startswith(address(organization))


def project_page(organization, project):
    return address(organization, f"projects/{project.code}/")


def confirm(client, organization, project, page=None, **asked):
    """Send the form that the quote shows, or another."""
    seen = page.context["confirm_form"].initial if page else {"key": ids.new_id(), "mode": "fifo"}
    fields = {name: value for name, value in {**seen, **asked}.items() if value is not None}
    fields.setdefault("key", ids.new_id())
    return client.post(project_page(organization, project), fields)


class TestAProject:
    def test_has_squares_by_state_and_tells_only_the_owner_whose_they_are(
        self, client, organization
    ):
        project = make_project(1, 2, 3, 4)
        allocate(organization, project, 1)
        allocate(make_organization(), project, 2)
        hold(organization, project, 3)
        page = client.get(project_page(organization, project))
        squares = page.context["map"].squares
        assert [(square.standing, square.is_own) for square in squares] == [
            *(("allocated", True), ("allocated", False), ("held", True), ("free", False)),
        ]
        words = re.findall(r"<title>\w+: (.*?)</title>", page.content.decode())
        assert [text.replace("\u00a0", " ") for text in words] == [
            *("1 kW, allocated, yours", "2 kW, allocated", "3 kW, held, yours", "4 kW, free"),
        ]
        with past_its_hold():
            square = client.get(project_page(organization, project)).context["map"].squares[2]
        assert (square.standing, square.is_own) == ("free", False)

    def test_is_a_file_of_its_blocks_too(self, client, organization):
        project = make_project(1, 2, 3)
        allocate(organization, project, 1)
        allocate(make_organization(), project, 2)
        here = project_page(organization, project)
        rows = rows_of(client.get(here, {"format": "csv"}))
        assert list(rows[0]) == BLOCK_COLUMNS
        found = [(row["capacity_kw"], row["status"], row["yours"]) for row in rows]
        assert found == [
            *(("3.000", "free", "no"), ("2.000", "allocated", "no")),
            ("1.000", "allocated", "yes"),
        ]
        assert f'href="{here}?format=csv"' in client.get(here).content.decode()

    def test_shows_so_many_blocks_at_a_time_each_once(self, client, organization, monkeypatch):
        monkeypatch.setattr(block_map, "SQUARES", 2)
        project = make_project(1)
        make_blocks(project, "C", 4, kw=1)
        shown, query = [], {}
        for _ in range(3):
            found = client.get(project_page(organization, project), query).context["map"]
            shown += [square.serial for square in found.squares]
            query = {"after": found.next_id}
        assert shown == [block.serial for block in project.blocks.order_by("position", "id")]
        assert found.next_id == ""

    def test_shows_its_rates_as_plain_numbers(self, client, organization):
        project = make_project(1)
        for effective_from, credits in ((date(2026, 11, 21), "100"), (date(2027, 1, 1), "0.25")):
            set_rate(
                project=project,
                effective_from=effective_from,
                fee=200,
                credits_per_kwh=Decimal(credits),
            )
        text = client.get(project_page(organization, project)).content.decode()
        shown = re.findall(r'<td class="num">([\d.]+)</td></tr>', text)
        assert shown == ["0.25", "100", "0.5"]
        assert "100 credits per kWh" in text

    def test_that_is_a_draft_or_unknown_is_not_found(self, client, organization):
        draft = make_project(1, status="draft")
        assert client.get(project_page(organization, draft)).status_code == 404
        assert client.get(address(organization, "projects/nothing/")).status_code == 404

    def test_costs_no_more_with_more_blocks(self, client, organization):
        project = make_project(1, 1)
        allocate(organization, project, 1)

        def queries():
            with CaptureQueriesContext(connection) as found:
                assert client.get(project_page(organization, project)).status_code == 200
            return len(found)

        queries()  # what is asked once for each session
        few = queries()
        make_blocks(project, "C", 20, kw=1)
        allocate(organization, project, 5)
        hold(organization, project, 5)
        assert queries() == few


class TestAsking:
    def test_shows_what_is_more_than_asked_for_before_it_is_reserved(self, client, organization):
        project = make_project(10)
        page = client.get(project_page(organization, project), {"capacity_kw": "8", "mode": "fifo"})
        text = page.content.decode().replace("\u00a0", " ")
        assert repeated_ids(text) == []
        assert page.context["quote"].choice.overshoot_kw == 2
        assert "The blocks are more than you asked for" in text
        assert "€125.00 a month" in text
        assert not Reservation.objects.exists()

        answer = confirm(client, organization, project, page)
        reservation = Reservation.objects.get()
        assert answer.url == address(organization, f"reservations/{reservation.public_id}/")
        assert (reservation.capacity_kw, reservation.max_overshoot_kw) == (10, 2)
        assert reservation.user is not None

    def test_gives_no_more_than_was_seen(self, client, organization):
        project = make_project(8, 10)
        page = client.get(project_page(organization, project), {"capacity_kw": "8", "mode": "fifo"})
        hold(make_organization(), project, 8)
        answer = confirm(client, organization, project, page)
        assert answer.status_code == 409
        assert "2.000 kW more than was asked" in answer.content.decode()
        assert not Reservation.objects.filter(organization=organization).exists()
        # What can be had by now is shown, so that he can agree to it.
        assert answer.context["quote"].choice.kw == 10
        assert repeated_ids(answer.content.decode()) == []
        confirm(client, organization, project, answer)
        assert Reservation.objects.get(organization=organization).capacity_kw == 10

    def test_sent_twice_reserves_once(self, client, organization):
        project = make_project(5, 5)
        page = client.get(project_page(organization, project), {"capacity_kw": "5", "mode": "fifo"})
        first = confirm(client, organization, project, page, key="0" * 32)
        second = confirm(client, organization, project, page, key="0" * 32)
        assert first.url == second.url
        assert Reservation.objects.count() == 1

    def test_says_why_there_is_nothing(self, client, organization):
        project = make_project(5, customer_cap_kw=Decimal(3))
        here = project_page(organization, project)
        page = client.get(here, {"capacity_kw": "6", "mode": "fifo"})
        assert page.status_code == 409
        assert "5.000 kW are free" in page.content.decode()
        assert client.get(here, {"capacity_kw": "none", "mode": "fifo"}).status_code == 422
        page = client.get(here, {"capacity_kw": "5", "mode": "fifo"})
        assert "More than one customer may have" in page.content.decode()
        assert b"Reserve 5" not in page.content
        assert confirm(client, organization, project, page).status_code == 409

    def test_says_that_it_was_closed_since_though_there_is_no_form_any_more(
        self, client, organization
    ):
        project = make_project(5)
        page = client.get(project_page(organization, project), {"capacity_kw": "5", "mode": "fifo"})
        Project.objects.filter(pk=project.pk).update(status="closed")
        answer = confirm(client, organization, project, page)
        assert answer.status_code == 409
        assert b"Ask for capacity" not in answer.content
        assert "Nothing can be reserved of" in answer.content.decode()

    def test_less_will_do_if_that_is_said(self, client, organization):
        project = make_project(5)
        asked = {"capacity_kw": "6", "mode": "fifo", "allow_partial": "on"}
        page = client.get(project_page(organization, project), asked)
        assert "This is less than you asked for" in page.content.decode()
        confirm(client, organization, project, page)
        assert Reservation.objects.get().capacity_kw == 5

    def test_is_for_those_who_may_reserve(self, organization):
        project = make_project(5)
        reader = signed_in(make_member(organization, "member"))
        here = project_page(organization, project)
        page = reader.get(here, {"capacity_kw": "5", "mode": "fifo"})
        assert page.status_code == 200
        assert page.context["quote"] is None
        assert b"Ask for capacity" not in page.content
        assert confirm(reader, organization, project, capacity_kw="5").status_code == 403
        assert not Reservation.objects.exists()


def mark_as_paid(reservation):
    settle_offline(reservation=reservation, reference="transfer 1")


class TestReservations:
    @pytest.fixture
    def reservation(self, organization):
        return hold(organization, make_project(5, 5), 5)

    @pytest.fixture
    def here(self, organization, reservation):
        return address(organization, f"reservations/{reservation.public_id}/")

    def test_count_down_while_they_are_held_and_then_have_expired(self, client, here):
        page = client.get(here)
        assert b'data-countdown="900"' in page.content
        assert b"Give the blocks back" in page.content
        with past_its_hold():
            page = client.get(here)
        assert b"data-countdown" not in page.content
        assert b"Expired" in page.content
        assert b"Reserve again" in page.content
        assert b"Give the blocks back" not in page.content

    def test_are_paid_here_only_where_stripe_takes_money(self, client, here, settings):
        for key, has_button in (("sk_test_1", True), ("", False)):
            settings.STRIPE_SECRET_KEY = key
            text = client.get(here).content.decode()
            assert (f'action="{here}pay/"' in text) == has_button
            assert ("No tax is added" in text) == has_button
            assert ("by bank transfer" in text) != has_button

    @pytest.mark.parametrize(
        ("before", "invites"), [(None, True), (release_reservation, False), (mark_as_paid, False)]
    )
    def test_invite_to_pay_only_while_they_are_held(
        self, client, here, reservation, before, invites
    ):
        """What is paid for them afterwards would go back."""
        begin_to_pay(reservation, status="open", pay_url="https://stripe.test/page")
        if before:
            before(reservation=reservation)
        text = client.get(f"{here}paid/").content.decode()
        assert ("Go on to pay" in text) == invites
        assert ("stripe.test" in text) == invites

    @pytest.mark.parametrize(
        ("status", "says"),
        [
            ("unknown", "page is being prepared"),
            ("created", "page is being prepared"),
            ("processing", "The payment is under way"),
        ],
    )
    def test_say_that_nothing_is_paid_where_stripe_has_not_answered(
        self, client, here, reservation, status, says
    ):
        begin_to_pay(reservation, status=status)
        text = client.get(f"{here}paid/").content.decode()
        assert says in text
        assert ("You need not stay here" in text) is (status == "processing")

    def test_are_given_back_once(self, client, here, reservation):
        for _ in range(2):
            assert client.post(f"{here}release/").url == here
        assert Reservation.objects.get().status == "released"
        assert b"Given back" in client.get(here).content

    def test_say_what_became_of_them(self, client, organization, here, reservation):
        payment = make_payment(organization)
        release_reservation(reservation=reservation)
        settle(reservation=reservation, payment=payment)
        assert b"Paid too late" in client.get(here).content
        paid = allocate(organization, make_project(5), 5)[0].reservation
        page = client.get(address(organization, f"reservations/{paid.public_id}/"))
        assert b"The blocks are yours" in page.content
        assert page.context["pieces"][0].capacity_kw == 5

    def test_cannot_be_given_back_when_they_are_allocated(self, client, organization):
        paid = allocate(organization, make_project(5), 5)[0].reservation
        answer = client.post(address(organization, f"reservations/{paid.public_id}/release/"))
        assert answer.status_code == 409

    def test_are_a_list_and_a_file(self, client, organization, reservation):
        assert reservation.project.name in (
            client.get(address(organization, "reservations/")).content.decode()
        )
        with past_its_hold():
            answer = client.get(address(organization, "reservations/"), {"format": "csv"})
            (row,) = rows_of(answer)
        assert list(row) == RESERVATION_COLUMNS
        assert (row["status"], row["capacity_kw"]) == ("expired", "5.000")

    def test_of_others_are_not_found_and_readers_change_nothing(self, organization, reservation):
        other = make_organization()
        stranger = signed_in(make_member(other, "owner"))
        name = f"reservations/{reservation.public_id}/"
        assert stranger.get(address(other, name)).status_code == 404
        assert stranger.post(address(other, f"{name}release/")).status_code == 404
        assert stranger.get(address(other, f"{name}certificate/")).status_code == 404
        reader = signed_in(make_member(organization, "member"))
        assert b"Give the blocks back" not in reader.get(address(organization, name)).content
        assert reader.post(address(organization, f"{name}release/")).status_code == 403
        assert Reservation.objects.get().status == "held"


class TestAllocations:
    @pytest.fixture
    def project(self):
        return make_project(5, 5, 2, 1)

    @pytest.fixture
    def allocations(self, organization, project):
        return allocate(organization, project, 12)

    def test_are_summed_by_project_and_listed(self, client, organization, allocations, project):
        page = client.get(address(organization, "allocations/"))
        (holding,) = page.context["holdings"]
        assert (holding.blocks, holding.capacity_kw, holding.monthly_fee) == (3, 12, 15000)
        shown = [one["allocation"].pk for one in page.context["allocations"]]
        assert set(shown) == {one.pk for one in allocations}
        other = make_project(1)
        allocate(organization, other, 1)
        page = client.get(address(organization, "allocations/"), {"project": other.code})
        assert [one["fee"] for one in page.context["allocations"]] == [1250]
        page = client.get(address(organization, "allocations/"), {"status": "ended"})
        assert page.context["allocations"] == []

    def test_without_a_rate_cost_what_is_unknown_and_not_nothing(
        self, client, organization, allocations
    ):
        here = address(organization, "allocations/")
        with moved_to(datetime(2025, 12, 31, tzinfo=UTC)):  # the day before the first rate
            page = client.get(here)
            rows = rows_of(client.get(here, {"format": "csv"}))
        assert {one["fee"] for one in page.context["allocations"]} == {None}
        assert [one.monthly_fee for one in page.context["holdings"]] == [None]
        assert "€0.00" not in page.content.decode()
        assert {row["monthly_fee"] for row in rows} == {""}

    def test_are_a_file(self, client, organization, allocations):
        rows = rows_of(client.get(address(organization, "allocations/"), {"format": "csv"}))
        assert list(rows[0]) == ALLOCATION_COLUMNS
        found = {(row["capacity_kw"], row["status"], row["monthly_fee"]) for row in rows}
        assert found == {("5.000", "active", "6250"), ("2.000", "active", "2500")}

    def test_are_cancelled_after_the_last_day_was_shown(self, client, organization, allocations):
        here = address(organization, "allocations/cancel/")
        asked = {"allocation": [one.public_id for one in allocations[:2]]}
        page = client.get(here, asked)
        last_day = date(2026, 12, 20)  # thirty days of notice, today being the first
        assert [one["last_day"] for one in page.context["ending"]] == [last_day] * 2
        assert not Allocation.objects.exclude(effective_to=None).exists()
        for _ in range(2):
            assert client.post(here, asked).url == address(organization, "allocations/")
        ending = Allocation.objects.exclude(effective_to=None)
        assert {one.pk for one in ending} == {one.pk for one in allocations[:2]}
        assert {one.effective_to for one in ending} == {last_day + timedelta(days=1)}
        page = client.get(address(organization, "allocations/"), {"status": "ending"})
        assert page.content.count(b"20 Dec 2026") == 2

    def test_without_notice_end_at_once(self, client, organization):
        (allocation,) = allocate(organization, make_project(5, notice_days=0), 5)
        asked = {"allocation": allocation.public_id}
        page = client.get(address(organization, "allocations/cancel/"), asked)
        assert page.context["ending"][0]["last_day"] is None
        client.post(address(organization, "allocations/cancel/"), asked)
        page = client.get(address(organization, "allocations/"))
        assert b"Never began" in page.content

    def test_that_nobody_chose_are_asked_for(self, client, organization):
        answer = client.get(address(organization, "allocations/cancel/"), follow=True)
        assert b"Choose at least one allocation" in answer.content
        answer = client.post(address(organization, "allocations/cancel/"))
        assert answer.status_code == 409

    def test_of_others_are_not_found_and_readers_cancel_nothing(self, organization, allocations):
        other = make_organization()
        stranger = signed_in(make_member(other, "owner"))
        asked = {"allocation": allocations[0].public_id}
        here = address(other, "allocations/cancel/")
        assert stranger.get(here, asked).status_code == 404
        assert stranger.post(here, asked).status_code == 404
        name = f"allocations/{allocations[0].public_id}/certificate/"
        assert stranger.get(address(other, name)).status_code == 404
        reader = signed_in(make_member(organization, "member"))
        assert b"Cancel what is chosen" not in (
            reader.get(address(organization, "allocations/")).content
        )
        assert reader.get(address(organization, "allocations/cancel/"), asked).status_code == 403
        assert reader.post(address(organization, "allocations/cancel/"), asked).status_code == 403
        assert not Allocation.objects.exclude(effective_to=None).exists()

    def test_cost_no_more_when_there_are_more(self, client, organization, project, allocations):
        def queries():
            with CaptureQueriesContext(connection) as found:
                for name in ("allocations/", "reservations/", "waiting/", ""):
                    assert client.get(address(organization, name)).status_code == 200
                    assert rows_of(client.get(address(organization, name), {"format": "csv"}))
            return len(found)

        offered(organization, 1)
        queries()  # what is asked once for each session
        few = queries()
        for _ in range(3):
            allocate(organization, make_project(3, 3), 6)
            offered(organization, 1)
        assert queries() == few


class TestCertificates:
    def test_name_the_blocks_and_what_they_add_up_to(self, client, organization):
        allocations = allocate(organization, make_project(5, 2), 7)
        for name in (
            f"allocations/{allocations[0].public_id}/certificate/",
            f"reservations/{allocations[0].reservation.public_id}/certificate/",
        ):
            pdf = client.get(address(organization, name))
            assert pdf["Content-Type"] == "application/pdf"
            assert pdf.content.startswith(b"%PDF")
        one = certificates.allocation_facts(organization, allocations[1], NOON)
        assert (one["capacity_kw"], one["allocations"]) == (2, [allocations[1]])
        both = certificates.reservation_facts(organization, allocations[0].reservation, NOON)
        assert (both["capacity_kw"], both["allocations"]) == (7, allocations)

    def test_count_what_is_his_on_that_day_alone(self, client, organization):
        (allocation,) = allocate(organization, make_project(5), 5)
        client.post(
            address(organization, "allocations/cancel/"), {"allocation": allocation.public_id}
        )
        after = NOON + timedelta(days=30)
        days = (after - timedelta(days=1), after)
        amounts = [
            certificates.allocation_facts(organization, allocation, day)["capacity_kw"]
            for day in days
        ]
        assert amounts == [5, 0]

    def test_there_is_none_of_what_brought_nothing(self, client, organization):
        reservation = hold(organization, make_project(5), 5)
        name = f"reservations/{reservation.public_id}/certificate/"
        assert client.get(address(organization, name)).status_code == 404
