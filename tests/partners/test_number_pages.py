"""Overview, statements and their API: whose they are, what they show, and who may see them."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import ids
from apps.core.clock import database_now
from apps.partners.models import PartnerTerms
from apps.partners.selectors import member_numbers, statements
from apps.partners.services.programmes import Terms
from tests.partners.awarding import give, make_active_member, spend
from tests.partners.programme import make_members, make_programme
from tests.people import make_key, make_member, make_organization, signed_in, with_key

pytestmark = pytest.mark.django_db
API = "/api/v1/partner"


@pytest.fixture
def partner():
    """A programme whose member Ada has used 30 of 100, and whose member Ben has an offer of 7."""
    partner = make_programme(credits=1000)
    ada = make_active_member(partner)
    [ben] = make_members(partner, "ben@example.com")
    give(ada, 100)
    give(ben, 7)
    spend(ada, 30)
    return partner


@pytest.fixture
def organization(partner):
    return partner.organization


@pytest.fixture
def client(organization):
    return signed_in(make_member(organization, "owner"))


@pytest.fixture
def api(organization):
    owner = make_member(organization, "owner")
    return with_key(make_key(organization, owner, "partners:read")[1])


def page_of(organization, name):
    return f"/o/{organization.slug}/programme/{name}/"


def this_month(organization):
    first = statements.day_of(organization, database_now())
    return f"{first:%Y-%m}"


def rows_of(response):
    return list(csv.DictReader(io.StringIO(b"".join(response).decode())))


class TestTheOverview:
    def test_shows_pool_members_and_usage(self, client, organization):
        page = client.get(page_of(organization, "overview"))
        assert page.status_code == 200
        dashboard = page.context["dashboard"]
        assert (dashboard.pool.bought, dashboard.pool.allocated, dashboard.pool.left) == (
            *(1000, 107, 893),
        )
        assert (dashboard.members.used, dashboard.members.offered) == (30, 7)
        assert b"ada@example.com" in page.content
        assert page.context["chart"].bars[-1].total == 30

    def test_is_drawn_by_the_chosen_unit(self, client, organization):
        page = client.get(page_of(organization, "overview"), {"unit": "month"})
        assert len(page.context["chart"].bars) == 12
        page = client.get(page_of(organization, "overview"), {"unit": "century"})
        assert len(page.context["chart"].bars) == 30

    def test_filters_and_orders_members(self, client, organization):
        def shown(**query):
            page = client.get(page_of(organization, "overview"), query)
            return [one.email for one in page.context["members"]]

        assert shown(sort="left") == ["ada@example.com", "ben@example.com"]
        assert shown(sort="last_used") == ["ada@example.com", "ben@example.com"]
        assert shown(status="invited") == ["ben@example.com"]
        assert shown(q="ADA") == ["ada@example.com"]
        assert set(shown(sort="nonsense")) == {"ada@example.com", "ben@example.com"}

    def test_goes_on_where_the_page_before_ended(self, client, organization, monkeypatch):
        monkeypatch.setattr("apps.partners.pages.overview.PAGE_SIZE", 1)
        for sort in member_numbers.SORTS:
            first = client.get(page_of(organization, "overview"), {"sort": sort})
            second = client.get(first.context["next_url"])
            emails = [page.context["members"][0].email for page in (first, second)]
            assert sorted(emails) == ["ada@example.com", "ben@example.com"]
            assert second.context["next_url"] is None

    def test_is_a_file_of_all_members(self, client, organization):
        answer = client.get(page_of(organization, "overview"), {"format": "csv"})
        name = f'{organization.slug}-programme-numbers.csv"'
        assert answer["Content-Disposition"].endswith(name), "that of members has other columns"
        rows = rows_of(answer)
        assert list(rows[0]) == member_numbers.COLUMNS
        found = {row["email"]: (row["awarded"], row["used"], row["left"]) for row in rows}
        assert found == {"ada@example.com": ("100", "30", "70"), "ben@example.com": ("7", "0", "7")}

    def test_asks_as_often_for_many_members_as_for_few(self, client, partner, organization):
        def queries():
            with CaptureQueriesContext(connection) as found:
                assert client.get(page_of(organization, "overview")).status_code == 200
            return len(found)

        queries()  # what is asked once for each session
        few = queries()
        for member in make_members(partner, *(f"{number}@example.com" for number in range(15))):
            give(member, 1)
        assert queries() == few

    def test_is_where_the_menu_leads(self, client, organization):
        answer = client.get(f"/o/{organization.slug}/programme/")
        assert answer.url == page_of(organization, "overview")


class TestTheStatements:
    def test_of_the_programme(self, client, organization):
        page = client.get(page_of(organization, "statements"))
        statement = page.context["statement"]
        assert (statement.pool.closing, statement.members.closing, statement.count) == (893, 77, 2)
        assert b"ben@example.com" in page.content

    def test_go_on_where_the_page_before_ended(self, client, organization, monkeypatch):
        monkeypatch.setattr("apps.partners.pages.statements.PAGE_SIZE", 1)
        first = client.get(page_of(organization, "statements"))
        second = client.get(first.context["next_url"])
        lines = [page.context["statement"].lines[0].email for page in (first, second)]
        assert lines == ["ada@example.com", "ben@example.com"]
        assert second.context["next_url"] is None

    def test_as_files(self, client, organization):
        here = page_of(organization, "statements")
        rows = rows_of(client.get(here, {"format": "csv"}))
        assert [row["line"] for row in rows] == ["pool", "member", "member", "members"]
        pdf = client.get(here, {"format": "pdf"})
        assert pdf["Content-Type"] == "application/pdf"
        assert pdf.content.startswith(b"%PDF")

    def test_of_a_member(self, client, partner, organization):
        ada = partner.members.get(email="ada@example.com")
        page = client.get(page_of(organization, f"statements/{ada.public_id}"))
        assert page.context["statement"].line.closing == 70
        assert b"By the terms of the programme you see sums" in page.content
        rows = rows_of(
            client.get(page_of(organization, f"statements/{ada.public_id}"), {"format": "csv"})
        )
        assert {row["line"] for row in rows} == {"opening", "sum", "closing"}
        pdf = client.get(page_of(organization, f"statements/{ada.public_id}"), {"format": "pdf"})
        assert pdf.content.startswith(b"%PDF")

    def test_of_a_member_with_history_where_the_terms_show_it(self):
        partner = make_programme(credits=100, terms=Terms(privacy=PartnerTerms.Privacy.FULL))
        ada = make_active_member(partner)
        give(ada, 10)
        spend(ada, 3)
        client = signed_in(make_member(partner.organization, "owner"))
        page = client.get(page_of(partner.organization, f"statements/{ada.public_id}"))
        assert [one.what for one in page.context["movements"]] == ["awarded", "used"]
        assert b"Movements" in page.content

    def test_another_programmes_member_is_not_found(self, client, api, organization):
        [theirs] = make_members(make_programme(), "ada@example.com")
        address = page_of(organization, f"statements/{theirs.public_id}")
        missing = ids.encode(theirs.PREFIX, ids.new_id())
        assert client.get(address).status_code == 404
        for member_id in (theirs.public_id, missing):
            answer = api.get(f"{API}/statements/{member_id}", {"month": "2026-11"})
            assert answer.status_code == 404


class TestTheApi:
    def test_tells_how_the_callers_programme_stands(self, api, partner):
        found = api.get(f"{API}/dashboard", {"unit": "month"}).json()
        assert found["partner"] == partner.public_id
        assert found["pool"] == {
            "bought": 1000,
            "allocated": 107,
            "returned": 0,
            "used": 0,
            "lapsed": 0,
            "corrected": 0,
            "left": 893,
            "expiring": 0,
        }
        assert (found["members"]["used"], found["members"]["left"]) == (30, 77)
        assert found["members_by_status"] == {"invited": 1, "active": 1}
        assert found["usage"][-1]["credits"] == 30
        assert len(found["usage"]) == 12

    @pytest.mark.parametrize("name", ["partner", "partnerId", "partner_id"])
    def test_takes_no_partner_from_the_query(self, api, name):
        # Document 004 took it from there, and so showed anybody's.
        other = make_programme(credits=5)
        answer = api.get(f"{API}/dashboard", {name: other.public_id})
        assert answer.status_code == 400
        assert other.public_id not in answer.content.decode()

    def test_lists_members_a_page_at_a_time_in_each_order(self, api):
        for sort in member_numbers.SORTS:
            first = api.get(f"{API}/dashboard/members", {"sort": sort, "limit": 1}).json()
            following = {"sort": sort, "limit": 1, "cursor": first["next_cursor"]}
            second = api.get(f"{API}/dashboard/members", following).json()
            emails = [page["data"][0]["email"] for page in (first, second)]
            assert sorted(emails) == ["ada@example.com", "ben@example.com"]
            assert not second["has_more"]

    def test_tells_numbers_of_each_member(self, api):
        [ada] = api.get(f"{API}/dashboard/members", {"search": "ada"}).json()["data"]
        told = [ada[name] for name in ("awarded", "used", "returned", "left")]
        assert told == [100, 30, 0, 70]
        assert len(ada["last_used_on"]) == len("2026-11-22")  # the day, and not the moment
        rows = rows_of(api.get(f"{API}/dashboard/members.csv", {"status": "invited"}))
        assert [row["email"] for row in rows] == ["ben@example.com"]

    def test_statements(self, api, partner, organization):
        month = {"month": this_month(organization)}
        found = api.get(f"{API}/statements", month).json()
        assert (found["pool"]["closing"], found["members"]["closing"]) == (893, 77)
        assert found["member_count"] == 2
        ada = partner.members.get(email="ada@example.com")
        own = api.get(f"{API}/statements/{ada.public_id}", month).json()
        assert (own["sums"]["closing"], own["shows_history"], own["movements"]) == (70, False, [])
        lines = rows_of(api.get(f"{API}/statements", month | {"format": "csv"}))
        assert [row["line"] for row in lines] == ["pool", "member", "member", "members"]
        for address in (f"{API}/statements", f"{API}/statements/{ada.public_id}"):
            pdf = api.get(address, month | {"format": "pdf"})
            assert pdf.content.startswith(b"%PDF")
        assert api.get(f"{API}/statements").status_code == 400
        for beyond in ("9999-12", "0001-01"):
            assert api.get(f"{API}/statements", {"month": beyond}).status_code == 400

    def test_says_that_there_is_no_programme(self):
        organization = make_organization()
        owner = make_member(organization, "owner")
        api = with_key(make_key(organization, owner, "partners:read")[1])
        for address in ("dashboard", "dashboard/members", "statements?month=2026-11"):
            answer = api.get(f"{API}/{address}")
            assert (answer.status_code, answer.json()["code"]) == (409, "not_a_partner")
