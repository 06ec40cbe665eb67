"""The API of organizations: the caller's own, a new one, changes, and the walls around them."""

import pytest

from apps.rbac.services.founding import MOST_OWNED, found_organization
from apps.tenants.errors import OrganizationLimitReached
from apps.tenants.models import Organization
from apps.tenants.selectors import audit_log_of
from apps.tenants.services.organizations import update_organization
from tests.jobs.work import make_job, set_price
from tests.people import (
    make_key,
    make_member,
    make_organization,
    make_person,
    signed_in,
    with_key,
)
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db

MINE = "/api/v1/organizations"
JSON = "application/json"


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner, name="Acme")


@pytest.fixture
def api(owner, organization):
    return signed_in(owner)


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestTheList:
    def test_holds_those_of_the_caller(self, api, owner, organization):
        second = make_organization(owner=owner)
        make_organization()

        ids = [one["id"] for one in api.get(MINE).json()["data"]]

        assert ids == [second.public_id, organization.public_id]

    def test_of_a_key_holds_its_own(self, owner, organization):
        make_organization(owner=owner)
        _, token = make_key(organization, owner, "organization:read")

        ids = [one["id"] for one in with_key(token).get(MINE).json()["data"]]

        assert ids == [organization.public_id]

    def test_needs_somebody(self, client):
        assert client.get(MINE).status_code == 401
        assert client.post(MINE, {"name": "x"}, content_type=JSON).status_code == 401


class TestCreating:
    def test_makes_an_organization_without_a_trial(self, api, owner):
        answer = api.post(MINE, {"name": "Acme Labs"}, content_type=JSON)

        made = Organization.objects.get(slug="acme-labs")
        assert answer.status_code == 201
        assert answer["Location"] == f"{MINE}/{made.public_id}"
        assert owner.has_perm("organization.close", made)
        balance = api.get(
            "/api/v1/credits/balance", headers={"Coffer-Organization": made.public_id}
        )
        assert balance.json()["available"] == 0

    def test_refuses_a_slug_that_is_taken(self, api, organization):
        answer = api.post(MINE, {"name": "x", "slug": organization.slug}, content_type=JSON)

        assert code_of(answer) == (409, "slug_taken")

    def test_is_for_people_alone(self, owner, organization):
        _, token = make_key(organization, owner, "organization:write")

        answer = with_key(token).post(MINE, {"name": "x"}, content_type=JSON)

        assert code_of(answer) == (403, "permission_denied")
        assert Organization.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_ends_at_the_limit_however_many_ask_at_once(self, owner, monkeypatch):
        monkeypatch.setattr("apps.rbac.services.founding.MOST_OWNED", 3)
        assert MOST_OWNED > 3

        def found():
            try:
                found_organization(user=owner, name="One more")
            except OrganizationLimitReached:
                return False
            return True

        assert at_once([found] * 6).count(True) == 3
        assert Organization.objects.count() == 3


class TestOneOrganization:
    def test_is_read_by_id_slug_and_former_slug(self, api, organization):
        update_organization(organization=organization, slug="acme-ag")

        for name in (organization.public_id, "acme-ag", "acme"):
            body = api.get(f"{MINE}/{name}").json()
            assert (body["id"], body["slug"]) == (organization.public_id, "acme-ag")

    def test_of_others_looks_like_one_that_is_missing(self, api):
        other = make_organization(slug="other")
        update_organization(organization=other, slug="another")

        answers = [
            api.get(f"{MINE}/{name}").json()
            for name in (other.public_id, "another", "other", "nobody", "org_1", "org_" + "0" * 26)
        ]

        for answer in answers:
            del answer["request_id"], answer["instance"]
        assert [answer["status"] for answer in answers] == [404] * 6
        assert all(answer == answers[0] for answer in answers)

    def test_of_the_maker_is_closed_to_a_key_of_another(self, owner, organization):
        second = make_organization(owner=owner)
        _, token = make_key(organization, owner, "organization:read", "organization:write")
        client = with_key(token)

        assert client.get(f"{MINE}/{organization.slug}").status_code == 200
        assert client.get(f"{MINE}/{second.slug}").status_code == 404
        assert client.patch(f"{MINE}/{second.public_id}", {}, content_type=JSON).status_code == 404

    @pytest.mark.parametrize("named", [True, False])
    def test_changes_what_is_named(self, api, organization, named):
        address = f"{MINE}/acme" if named else "/api/v1/organization"
        changes = {
            "slug": "acme-ag",
            "billing_email": "bills@example.com",
            "time_zone": "Asia/Tokyo",
        }

        body = api.patch(address, changes, content_type=JSON).json()

        assert {name: body[name] for name in changes} == changes
        assert body["name"] == "Acme"
        entry = audit_log_of(organization).get(action="organization.update")
        assert (entry.before["slug"], entry.after["slug"]) == ("acme", "acme-ag")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("slug", "Not OK"),
            ("slug", "two--dashes"),
            ("time_zone", "Mars/Olympus"),
            ("billing_email", "no address"),
            ("website", "javascript:alert(1)"),
            ("name", ""),
        ],
    )
    def test_says_which_field_is_wrong(self, api, organization, field, value):
        answer = api.patch(f"{MINE}/acme", {field: value}, content_type=JSON)

        assert answer.status_code == 400
        assert field in str(answer.json())
        organization.refresh_from_db()
        assert (organization.name, organization.slug) == ("Acme", "acme")

    @pytest.mark.parametrize("field", ["max_users", "is_active", "is_personal", "closed_at"])
    def test_does_not_let_its_owner_change_what_is_not_his(self, api, organization, field):
        before = Organization.objects.values().get(pk=organization.pk)

        api.patch(f"{MINE}/acme", {field: 7}, content_type=JSON)

        assert Organization.objects.values().get(pk=organization.pk) == before

    def test_needs_the_permission_and_the_scope(self, organization, owner):
        member = signed_in(make_member(organization, "member"))
        _, token = make_key(organization, owner, "organization:read")
        change = {"name": "Ours"}

        for client in (member, with_key(token)):
            answer = client.patch(f"{MINE}/acme", change, content_type=JSON)
            assert answer.status_code == 403

        organization.refresh_from_db()
        assert organization.name == "Acme"


class TestClosingAndReopening:
    CLOSING = "/api/v1/organization/closing"

    def test_shows_what_is_left_and_closes(self, api, organization):
        shown = api.get(self.CLOSING).json()
        assert shown == {
            "object": "closing",
            "wallets": 1,
            "credits": 100,
            "held": 0,
            "debt": 0,
            "may_close": True,
            "reason": None,
            "explanation": "",
            "undo_days": 30,
        }

        answer = api.post(self.CLOSING, {"confirmation": "acme"}, content_type=JSON)

        assert answer.json()["status"] == "closed"
        assert api.get(f"{MINE}/acme").status_code == 404

    def test_says_before_anybody_types_that_a_job_is_under_way(self, api, organization, owner):
        set_price()
        make_job(organization, owner)

        shown = api.get(self.CLOSING).json()

        answer = api.post(self.CLOSING, {"confirmation": "acme"}, content_type=JSON)
        assert answer.status_code == 409
        assert shown["may_close"] is False
        assert (answer.status_code, shown["reason"]) == code_of(answer)
        assert shown["explanation"] == answer.json()["detail"]
        organization.refresh_from_db()
        assert organization.closed_at is None

    def test_is_refused_without_the_slug_typed(self, api, organization):
        answer = api.post(self.CLOSING, {"confirmation": "Acme Inc"}, content_type=JSON)

        assert code_of(answer) == (400, "not_confirmed")

    def test_is_for_owners_in_person(self, organization, owner):
        _, token = make_key(organization, owner, "organization:write")
        admin = signed_in(make_member(organization, "admin"))

        for client in (with_key(token), admin):
            answer = client.post(self.CLOSING, {"confirmation": "acme"}, content_type=JSON)
            assert answer.status_code == 403
        organization.refresh_from_db()
        assert organization.status == "active"

    def test_is_undone_by_its_owner_and_by_nobody_else(self, api, organization):
        admin = make_member(organization, "admin")
        api.post(self.CLOSING, {"confirmation": "acme"}, content_type=JSON)
        address = f"{MINE}/{organization.public_id}/reopen"

        for person in (admin, make_person()):
            answer = signed_in(person).post(address, {}, content_type=JSON)
            assert answer.status_code == 404
        assert api.post(address, {}, content_type=JSON).json()["status"] == "active"
        assert api.post(address, {}, content_type=JSON).status_code == 404


class TestOwnership:
    OFFERS = "/api/v1/organization/transfers"

    def offer(self, api, to):
        return api.post(self.OFFERS, {"to": to.public_id}, content_type=JSON)

    def test_is_offered_and_accepted(self, api, organization, owner):
        heir = make_member(organization, "member")
        offer = self.offer(api, heir)
        assert (offer.status_code, offer.json()["status"]) == (201, "pending")

        answer = signed_in(heir).post(f"{self.OFFERS}/{offer.json()['id']}/accept")

        assert answer.json()["status"] == "accepted"
        assert heir.has_perm("organization.close", organization)
        listed = api.get(self.OFFERS).json()["data"]
        assert [one["to_user"] for one in listed] == [heir.public_id]

    def test_is_not_taken_by_a_key_or_a_bystander(self, api, organization, owner):
        heir = make_member(organization, "developer")
        _, token = make_key(organization, heir, "organization:read")
        offer = self.offer(api, heir).json()["id"]
        bystander = signed_in(make_member(organization, "admin"))

        assert with_key(token).post(f"{self.OFFERS}/{offer}/accept").status_code == 403
        assert bystander.post(f"{self.OFFERS}/{offer}/accept").status_code == 404
        assert code_of(api.post(f"{self.OFFERS}/{offer}/accept")) == (409, "transfer_ended")

    def test_goes_to_no_stranger(self, api, organization):
        for person in (make_person(), make_organization()):
            answer = self.offer(api, person)
            assert code_of(answer) == (400, "not_a_member")

    def test_is_seen_by_no_other_organization(self, api, organization):
        offer = self.offer(api, make_member(organization, "member")).json()["id"]
        stranger = make_organization(owner=(other := make_person()))

        assert stranger.pk
        assert signed_in(other).get(f"{self.OFFERS}/{offer}").status_code == 404
        assert signed_in(other).post(f"{self.OFFERS}/{offer}/withdraw").status_code == 404

    def test_is_withdrawn_or_declined(self, api, organization):
        heir = make_member(organization, "member")
        first = self.offer(api, heir).json()["id"]
        assert code_of(self.offer(api, heir)) == (409, "transfer_pending")
        assert api.post(f"{self.OFFERS}/{first}/withdraw").json()["status"] == "withdrawn"
        second = self.offer(api, heir).json()["id"]

        answer = signed_in(heir).post(f"{self.OFFERS}/{second}/decline")

        assert answer.json()["status"] == "declined"
        assert not heir.has_perm("organization.close", organization)

    def test_is_given_up_beside_another_owner_alone(self, api, organization, owner):
        _, token = make_key(organization, owner, "organization:write")
        address = "/api/v1/organization/step-down"
        assert with_key(token).post(address).status_code == 403
        assert code_of(api.post(address)) == (409, "last_owner")
        make_member(organization, "owner")

        assert api.post(address).status_code == 204

        assert not owner.__class__.objects.get(pk=owner.pk).has_perm(
            "organization.close", organization
        )


class TestStaff:
    ALL = "/api/v1/staff/organizations"

    @pytest.fixture
    def staff(self):
        from apps.rbac.services.roles import assign_role, system_role

        person = make_person(is_staff=True)
        assign_role(user=person, role=system_role("account manager"), organization=None)
        return signed_in(person)

    def test_see_every_organization(self, staff, organization):
        other = make_organization()

        ids = [one["id"] for one in staff.get(self.ALL).json()["data"]]

        assert ids == [other.public_id, organization.public_id]
        assert staff.get(f"{self.ALL}/{other.public_id}").json()["slug"] == other.slug
        assert staff.get(f"{self.ALL}/org_1").status_code == 404

    def test_shut_one_out_and_let_it_in(self, staff, api, organization):
        address = f"{self.ALL}/{organization.public_id}"
        assert staff.post(f"{address}/deactivate", {}, content_type=JSON).status_code == 400

        reason = {"reason": "Abuse"}
        answer = staff.post(f"{address}/deactivate", reason, content_type=JSON)
        assert answer.json()["status"] == "deactivated"
        assert api.get(f"{MINE}/acme").status_code == 404

        staff.post(f"{address}/activate", reason, content_type=JSON)
        assert api.get(f"{MINE}/acme").status_code == 200
        assert audit_log_of(organization).filter(reason="Abuse").count() == 2

    def test_say_how_many_members_it_may_have(self, staff, organization):
        address = f"{self.ALL}/{organization.public_id}"

        for limit in (1, 0, None):
            staff.patch(address, {"max_users": limit}, content_type=JSON)
            organization.refresh_from_db()
            assert organization.max_users == (limit or (1 if limit == 0 else None))

        limits = audit_log_of(organization).filter(action="organization.limit")
        assert [one.after["max_users"] for one in limits] == [None, 1]

    def test_reopen_a_closed_one(self, staff, api, organization):
        api.post("/api/v1/organization/closing", {"confirmation": "acme"}, content_type=JSON)

        answer = staff.post(
            f"{self.ALL}/{organization.public_id}/reopen", {"reason": "Asked"}, content_type=JSON
        )

        assert answer.json()["status"] == "active"

    def test_are_the_only_ones_for_whom_it_exists(self, api, organization):
        address = f"{self.ALL}/{organization.public_id}"

        assert api.get(self.ALL).status_code == 404
        assert api.get(address).status_code == 404
        for verb in ("deactivate", "activate", "reopen"):
            answer = api.post(f"{address}/{verb}", {"reason": "x"}, content_type=JSON)
            assert answer.status_code == 404
        organization.refresh_from_db()
        assert organization.status == "active"
