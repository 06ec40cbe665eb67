"""Denied permissions: written down once, by whom and where, and never in a flood."""

import pytest
from django.contrib.auth.models import Permission

from apps.core import context
from apps.tenants.models import AuditLog
from apps.tenants.services import denials
from apps.tenants.services.denials import record_denial
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return make_organization(slug="acme")


def denied() -> list[AuditLog]:
    return list(AuditLog.objects.filter(result="denied").order_by("created_at", "id"))


def try_it(action="keys.view", organization=None, actor="user:usr_1", **facts):
    with context.acting(actor=actor):
        return record_denial(action=action, organization=organization, **facts)


class TestADenial:
    def test_on_a_page_is_written(self, organization):
        member = make_member(organization, "member")

        answer = signed_in(member, headers={"User-Agent": "Browser/1"}).get("/o/acme/keys/")

        (row,) = denied()
        assert answer.status_code == 403
        assert (row.actor, row.action) == (f"user:{member.public_id}", "keys.view")
        assert (row.organization, row.reason) == (organization, "GET o/<slug:slug>/keys/")
        assert (row.ip_address, row.user_agent) == ("127.0.0.1", "Browser/1")
        assert row.request_id == answer.headers["X-Request-ID"]

    def test_of_a_change_names_the_object(self, organization):
        key, _ = make_key(organization, make_member(organization, "developer"), "jobs:read")
        member = make_member(organization, "member")

        signed_in(member).post(f"/o/acme/keys/{key.public_id}/revoke/")

        (row,) = denied()
        assert (row.action, row.object_id) == ("keys.manage", key.public_id)

    def test_of_a_key_without_the_scope_names_key_and_maker(self, organization):
        maker = make_member(organization, "developer")
        key, secret = make_key(organization, maker, "jobs:read")

        problem_of(with_key(secret).get("/api/v1/keys"), 403)

        (row,) = denied()
        assert (row.actor, row.acting_as) == (f"key:{key.public_id}", f"user:{maker.public_id}")
        assert (row.action, row.reason) == ("keys.view", "GET api/v1/keys")

    def test_of_what_a_service_refuses_stands_after_its_rollback(self, organization):
        """The row is there although the deed's own transaction left nothing."""
        developer = make_member(organization, "developer")
        body = {"name": "Too much", "scopes": ["billing:write"]}

        answer = signed_in(developer).post("/api/v1/keys", body, "application/json")

        (row,) = denied()
        assert problem_of(answer, 403, "scope_not_held")
        assert row.action == "scope_not_held"
        assert not AuditLog.objects.filter(action="api_key.create").exists()

    def test_in_the_staff_api_is_written_and_looks_like_nothing(self, organization):
        owner = make_member(organization, "owner")

        answer = signed_in(owner).get("/api/v1/staff/corrections")

        (row,) = denied()
        assert problem_of(answer, 404, "not_found")
        assert row.actor == f"user:{owner.public_id}"
        assert row.organization is None

    def test_at_the_door_of_the_back_office_is_written(self, organization):
        answer = signed_in(make_member(organization, "owner")).get("/admin/")

        (row,) = denied()
        assert answer.status_code == 302
        assert (row.action, row.organization) == ("admin.open", None)

    def test_inside_the_back_office_is_written(self):
        staff = make_person(is_staff=True)

        answer = signed_in(staff).get("/admin/tenants/auditlog/")

        (row,) = denied()
        assert answer.status_code == 403
        assert row.action == "admin.tenants_auditlog_changelist"

    def test_is_not_written_of_those_who_may(self, organization):
        staff = make_person(is_staff=True)
        staff.user_permissions.add(Permission.objects.get(codename="view_auditlog"))

        assert signed_in(staff).get("/admin/tenants/auditlog/").status_code == 200
        assert signed_in(staff).post("/admin/logout/").status_code in (200, 302)
        assert denied() == []

    @pytest.mark.parametrize(
        "address", ["/o/acme/keys/", "/api/v1/keys", "/admin/", "/admin/tenants/auditlog/"]
    )
    def test_is_not_written_of_visitors(self, organization, client, address):
        client.get(address)

        assert denied() == []

    def test_is_not_written_of_what_does_not_exist_for_them(self, organization):
        answer = signed_in(make_person()).get("/o/acme/keys/")

        assert answer.status_code == 404
        assert denied() == []


class TestAFlood:
    def test_of_the_same_denial_is_one_row(self, organization):
        client = signed_in(make_member(organization, "member"))

        codes = [client.get("/o/acme/keys/").status_code for _ in range(5)]

        assert codes == [403] * 5
        assert len(denied()) == 1

    def test_of_other_denials_ends_at_the_most_of_an_actor(self, organization, monkeypatch):
        monkeypatch.setattr(denials, "MOST_OF_ACTOR", 3)

        for number in range(6):
            try_it(organization=organization, object_id=f"thing_{number}", route="GET things")
        try_it(organization=organization, actor="user:usr_2")

        rows = denied()
        assert [row.actor for row in rows] == ["user:usr_1"] * 3 + ["user:usr_2"]
        assert [denials.LAST_OF_ACTOR in row.reason for row in rows] == [False, False, True, False]

    def test_by_many_actors_ends_at_the_most_of_an_organization(self, organization, monkeypatch):
        monkeypatch.setattr(denials, "MOST_OF_ORGANIZATION", 3)

        for number in range(6):
            try_it(organization=organization, actor=f"key:key_{number}")
        try_it(organization=make_organization())

        assert [row.organization == organization for row in denied()] == [True] * 3 + [False]

    def test_costs_one_query_once_it_is_over_the_most(
        self, organization, monkeypatch, django_assert_num_queries
    ):
        monkeypatch.setattr(denials, "MOST_OF_ACTOR", 1)
        try_it(organization=organization)

        with django_assert_num_queries(1):
            assert try_it("jobs.view", organization=organization) is None

    def test_is_written_again_after_the_time(self, organization, monkeypatch):
        monkeypatch.setattr(denials, "SAME_WITHIN", denials.SAME_WITHIN * 0)

        assert try_it(organization=organization)
        assert try_it(organization=organization)
