"""The page, the API and the back office of waiting lists."""

import csv
import io

import pytest

from apps.capacity.models import WaitlistEntry
from apps.capacity.selectors.waiting import WAITING_COLUMNS
from apps.capacity.services.waiting import leave
from apps.core import ids
from tests.capacity.lines import free, full_project, offered, statuses, wait
from tests.people import (
    make_key,
    make_member,
    make_organization,
    make_person,
    signed_in,
    with_key,
)

pytestmark = pytest.mark.django_db
LIST = "/api/v1/waiting-list"


@pytest.fixture
def owner(acme):
    return make_member(acme, "owner")


@pytest.fixture
def client(owner):
    return signed_in(owner)


@pytest.fixture
def api(acme, owner):
    return with_key(make_key(acme, owner, "capacity:read", "capacity:write")[1])


def post(api, path, body=None, key=None):
    headers = {"Idempotency-Key": key or str(ids.new_id())}
    return api.post(path, body or {}, content_type="application/json", headers=headers)


class TestTheApi:
    def test_joins_once_for_a_key_and_tells_the_position(self, api, owner):
        project, _ = full_project(5)
        wait(make_organization(), project, 5)
        body = {"project": project.code, "capacity_kw": "5", "max_overshoot_kw": "1"}
        first, second = (post(api, LIST, body, key="once") for _ in range(2))

        assert (first.status_code, first.json()) == (201, second.json())
        told = first.json()
        assert (told["status"], told["position"], told["max_overshoot_kw"]) == (
            "waiting",
            2,
            "1.000",
        )
        assert api.get(first["Location"]).json() == told
        (listed,) = api.get(LIST).json()["data"]
        assert listed == told
        assert WaitlistEntry.objects.get(organization__name="Acme", user=owner).requested_kw == 5

    def test_tells_of_an_offer_and_declines_it(self, api, acme):
        entry = offered(acme, 5)
        told = api.get(f"{LIST}/{entry.public_id}").json()

        assert (told["status"], told["position"], told["offered_kw"]) == ("offered", None, "5.000")
        assert told["reservation"] == entry.reservation.public_id
        assert told["offer_expires_at"] == "2026-11-23T12:00:00Z"
        assert post(api, f"{LIST}/{entry.public_id}/leave").json()["status"] == "declined"

    def test_sends_newcomers_to_the_list(self, api):
        project, allocations = full_project(5)
        wait(make_organization(), project, 5)
        free(allocations)
        answer = post(api, "/api/v1/allocations", {"project": project.code, "capacity_kw": "5"})

        assert (answer.status_code, answer.json()["code"]) == (409, "others_wait")

    def test_asks_no_more_for_more_entries(self, api, acme, django_assert_max_num_queries):
        wait(acme, full_project(1)[0], 1)
        api.get(LIST)
        with django_assert_max_num_queries(50) as one:
            api.get(LIST)
        for _ in range(2):
            wait(acme, full_project(1)[0], 1)
        with django_assert_max_num_queries(len(one)):
            assert len(api.get(LIST).json()["data"]) == 3


class TestThePage:
    def address(self, acme, rest=""):
        return f"/o/{acme.slug}/capacity/waiting/{rest}"

    def test_joins_shows_the_position_and_leaves(self, client, acme):
        project, _ = full_project(5)
        form = {"project": project.code, "capacity_kw": "5", "mode": "fifo"}
        joined = client.post(self.address(acme), form, follow=True)

        assert "You wait for" in joined.content.decode()
        assert "Next in line" in joined.content.decode()
        entry = joined.context["entries"][0]["entry"]
        again = client.post(self.address(acme), form)
        assert (again.status_code, "already" in again.content.decode()) == (409, True)
        assert list(again.context["form"].errors) == ["project"]
        left = client.post(self.address(acme, f"{entry.public_id}/leave/"), follow=True)
        assert "You do not wait any more." in left.content.decode()
        assert statuses(entry) == ["withdrawn"]
        beyond = client.post(self.address(acme), {**form, "capacity_kw": "500"})
        (told,) = beyond.context["form"].errors["capacity_kw"]
        assert "say that less will do (allow_partial)" in told

    def test_shows_an_offer_and_declines_it(self, client, acme):
        entry = offered(acme, 5)
        page = client.get(self.address(acme)).content.decode()
        assert f"reservations/{entry.reservation.public_id}/" in page
        assert 'data-countdown="172800"' in page
        left = client.post(self.address(acme, f"{entry.public_id}/leave/"), follow=True)

        assert "The offer is declined." in left.content.decode()
        assert statuses(entry) == ["declined"]

    def test_is_a_file_too(self, client, acme):
        entry = offered(acme, 5)
        answer = client.get(self.address(acme), {"format": "csv"})
        (row,) = csv.DictReader(io.StringIO(b"".join(answer).decode()))

        assert list(row) == WAITING_COLUMNS
        assert (row["status"], row["offered_kw"]) == ("offered", "5.000")
        assert row["reservation"] == entry.reservation.public_id

    def test_shows_no_forms_to_who_may_not_reserve(self, acme):
        entry = wait(acme, full_project(5)[0], 5)
        page = signed_in(make_member(acme, "read-only")).get(self.address(acme)).content.decode()

        assert "Next in line" in page
        assert f"{entry.public_id}/leave/" not in page
        assert 'name="capacity_kw"' not in page


class TestStaff:
    def test_see_who_waits_and_how_many(self, acme):
        project, _ = full_project(5)
        wait(acme, project, 5)
        leave(entry=wait(make_organization(name="Gone"), project, 5))
        staff = signed_in(make_person(is_staff=True, is_superuser=True))
        lists = staff.get("/admin/capacity/waitlistentry/?status__exact=waiting")
        projects = staff.get(f"/admin/capacity/project/?q={project.code}")

        assert [one.organization for one in lists.context["cl"].result_list] == [acme]
        assert [one.waiting_count for one in projects.context["cl"].result_list] == [1]
