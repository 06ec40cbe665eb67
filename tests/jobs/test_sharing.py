"""One job, shared with one person outside: what he sees, and all that he does not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm

from apps.core import scope
from apps.core.errors import NotFound, PermissionDenied
from apps.core.walls import WEB
from apps.jobs import selectors
from apps.jobs.models import GenerationJob
from apps.rbac.errors import ExpiryInThePast, SharePersonUnknown, ShareWithMember
from apps.rbac.models import Share
from apps.rbac.selectors import shared_objects
from apps.rbac.selectors.sharing import is_shared_with, shares_with
from apps.rbac.services.roles import assign_role, system_role
from apps.rbac.services.sharing import revoke_share, share_object
from apps.tenants.models import AuditLog, Organization, User
from tests.jobs.work import make_job, set_price, work_off
from tests.people import (
    make_key,
    make_member,
    make_organization,
    make_person,
    signed_in,
    with_key,
)
from tests.roles import role


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(transactional_db, owner):
    set_price()
    return make_organization(owner=owner, name="Acme Renderings")


@pytest.fixture
def job(organization, owner):
    made = make_job(organization, owner)
    work_off()
    return GenerationJob.objects.get(pk=made.pk)


@pytest.fixture
def guest(transactional_db):
    return make_person(email="guest@example.com")


def share(by: User, job: GenerationJob, **changes) -> Share:
    values = {"email": "Guest@Example.com", "object_id": job.public_id}
    return share_object(by=by, organization=job.organization, **(values | changes))


def end(shared: Share) -> None:
    """Let the share be over, as time would."""
    Share.objects.filter(pk=shared.pk).update(expires_at=datetime(2026, 1, 1, tzinfo=UTC))


class TestShareObject:
    def test_lets_the_person_see_that_job(self, owner, job, guest):
        share(owner, job)

        assert list(shared_objects(guest, GenerationJob)) == [job]
        assert guest.has_perm("jobs.view_generationjob", job)
        assert not guest.has_perm("jobs.change_generationjob", job)

    def test_is_not_shown_to_staff_who_look_in_the_persons_place_elsewhere(self, owner, job, guest):
        share(owner, job)
        guest.only_in = make_organization(owner=guest).pk

        assert not shared_objects(guest, GenerationJob).exists()
        assert not shares_with(guest).exists()
        assert not is_shared_with(guest, job)

    def test_gives_nothing_in_the_organization(self, owner, job, guest):
        share(owner, job)

        assert guest.get_all_permissions(job.organization) == set()

    def test_writes_an_audit_row_without_the_address(self, owner, job, guest):
        shared = share(owner, job)

        row = AuditLog.objects.get(action="share.create")
        assert row.object_id == job.public_id
        assert row.after == {
            "share": shared.public_id,
            "user": guest.public_id,
            "expires_at": None,
        }

    def test_takes_the_new_expiry_when_shared_again(self, owner, job, guest):
        first = share(owner, job)
        ends = datetime(2099, 1, 1, tzinfo=UTC)

        again = share(owner, job, expires_at=ends)

        assert again.pk == first.pk
        assert Share.objects.get().expires_at == ends
        assert AuditLog.objects.get(action="share.update").before["expires_at"] is None

    @pytest.mark.parametrize("role", ["billing manager", "member", "read-only"])
    def test_is_for_those_who_may_share(self, job, guest, role):
        with pytest.raises(PermissionDenied):
            share(make_member(job.organization, role), job)

    def test_is_not_for_who_cannot_see_it_himself(self, owner, job, guest):
        key, _ = make_key(job.organization, owner, "shares:write")

        with pytest.raises(PermissionDenied):
            share(owner, job, key=key)

    def test_is_not_for_who_shares_elsewhere(self, job, guest):
        stranger = make_person()
        elsewhere = make_organization(owner=stranger)

        with pytest.raises(NotFound):
            share_object(
                by=stranger, organization=elsewhere, object_id=job.public_id, email=guest.email
            )

    @pytest.mark.parametrize("other", ["org", "upl", "x", ""])
    def test_refuses_what_cannot_be_shared(self, owner, job, guest, other):
        with pytest.raises(NotFound):
            share(owner, job, object_id=f"{other}_{job.public_id.partition('_')[2]}")

    def test_refuses_who_has_no_account(self, owner, job):
        with pytest.raises(SharePersonUnknown):
            share(owner, job, email="nobody@example.com")

    def test_refuses_members(self, owner, job, guest):
        assign_role(user=guest, role=system_role("member"), organization=job.organization)

        with pytest.raises(ShareWithMember):
            share(owner, job)

    def test_refuses_a_time_that_has_passed(self, owner, job, guest):
        with pytest.raises(ExpiryInThePast):
            share(owner, job, expires_at=datetime(2026, 1, 1, tzinfo=UTC))


class TestTheEnd:
    def test_comes_when_it_is_taken_back(self, owner, job, guest):
        shared = share(owner, job)

        revoke_share(by=owner, share=shared)
        revoke_share(by=owner, share=shared)

        assert not shared_objects(guest, GenerationJob).exists()
        assert not User.objects.get(pk=guest.pk).has_perm("jobs.view_generationjob", job)
        assert AuditLog.objects.filter(action="share.revoke").count() == 1

    def test_comes_when_it_expires(self, owner, job, guest):
        end(share(owner, job))

        assert not shared_objects(guest, GenerationJob).exists()
        assert not guest.has_perm("jobs.view_generationjob", job)

    def test_comes_when_the_organization_is_closed(self, owner, job, guest):
        share(owner, job)
        Organization.objects.filter(pk=job.organization_id).update(is_active=False)

        assert not shared_objects(guest, GenerationJob).exists()
        assert not guest.has_perm("jobs.view_generationjob", job)

    def test_is_not_the_end_of_another_share(self, owner, job, guest):
        other = make_person()
        shared = share(owner, job)
        share(owner, job, email=other.email)

        revoke_share(by=owner, share=shared)

        assert list(shared_objects(other, GenerationJob)) == [job]

    def test_can_be_followed_by_a_new_share(self, owner, job, guest):
        revoke_share(by=owner, share=share(owner, job))

        share(owner, job)

        assert list(shared_objects(guest, GenerationJob)) == [job]
        assert Share.objects.count() == 2


class TestSharedObjects:
    def test_are_one_query_however_many(self, owner, job, guest):
        share(owner, job)
        share(owner, make_job(job.organization, owner))
        list(shared_objects(guest, GenerationJob))

        with CaptureQueriesContext(connection) as asked:
            found = list(shared_objects(guest, GenerationJob))

        assert len(found) == 2
        assert len(asked) == 1

    def test_need_guardian_and_the_share(self, owner, job, guest):
        assign_perm("view_generationjob", guest, job)

        assert not shared_objects(guest, GenerationJob).exists()
        assert not guest.has_perm("jobs.view_generationjob", job)

    def test_are_no_more_for_a_superuser(self, owner, job):
        root = make_person(is_superuser=True, is_staff=True)

        assert not shared_objects(root, GenerationJob).exists()
        with pytest.raises(NotFound):
            selectors.shared_job(root, job.pk)


class TestTheSecondWall:
    """What the database shows to the web for a guest, with no filter of ours in between."""

    def seen(self, guest) -> dict[str, int]:
        tables = {
            "jobs_generationjob": "true",
            "rbac_share": "true",
            "tenants_organization": "true",
            "credits_wallet": "true",
        }
        with scope.entered(scope.Scope(user_id=guest.pk)), role(WEB), connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"SELECT count(*) FROM {table}")
                tables[table] = cursor.fetchone()[0]
        return tables

    def test_shows_that_job_and_nothing_else(self, owner, job, guest):
        make_job(job.organization, owner)
        share(owner, job)
        share(owner, job, email=make_person().email)

        assert self.seen(guest) == {
            "jobs_generationjob": 1,
            "rbac_share": 1,
            "tenants_organization": 1,
            "credits_wallet": 0,
        }

    @pytest.mark.parametrize("how", ["revoked", "expired"])
    def test_hides_the_job_when_it_is_over(self, owner, job, guest, how):
        shared = share(owner, job)

        revoke_share(by=owner, share=shared) if how == "revoked" else end(shared)

        seen = self.seen(guest)
        assert (seen["jobs_generationjob"], seen["tenants_organization"]) == (0, 0)


class TestWhatTheGuestSees:
    def test_is_the_job_on_a_page_of_his(self, owner, job, guest):
        share(owner, job)
        client = signed_in(guest)

        listed = client.get("/shared/").content.decode()
        page = client.get(f"/shared/jobs/{job.public_id}/")
        picture = client.get(f"/shared/jobs/{job.public_id}/areas/1/result/")

        assert f"/shared/jobs/{job.public_id}/" in listed
        assert "Acme Renderings" in listed
        assert page.status_code == 200
        assert owner.email not in page.content.decode()
        assert picture["Content-Type"] == "image/png"
        assert b"".join(picture.streaming_content).startswith(b"\x89PNG")

    def test_is_the_job_by_api(self, owner, job, guest):
        share(owner, job)
        client = signed_in(guest)

        (listed,) = client.get("/api/v1/shared").json()["data"]
        shown = client.get(f"/api/v1/shared/jobs/{listed['object_id']}").json()
        picture = client.get(shown["result_url"])

        assert listed["organization"] == "Acme Renderings"
        assert shown["id"] == job.public_id
        assert not {"cost", "submitted_by", "upload_id", "payment_type"} & shown.keys()
        assert b"".join(picture.streaming_content).startswith(b"\x89PNG")

    def test_is_nothing_else(self, owner, job, guest):
        share(owner, job)
        other = make_job(job.organization, owner)
        slug, client = job.organization.slug, signed_in(guest)
        make_organization(owner=guest)

        for address in (
            f"/shared/jobs/{other.public_id}/",
            f"/shared/jobs/{other.public_id}/areas/1/result/",
            f"/api/v1/shared/jobs/{other.public_id}",
            f"/api/v1/shared/jobs/{other.public_id}/areas/1/result",
            f"/api/v1/jobs/{job.public_id}",
            f"/api/v1/jobs/{job.public_id}/areas/1/result",
            f"/o/{slug}/jobs/",
            f"/o/{slug}/jobs/{job.public_id}/",
            f"/o/{slug}/jobs/{job.public_id}/areas/1/result/",
            f"/o/{slug}/jobs/{job.public_id}/original/",
            f"/o/{slug}/shared/",
        ):
            assert client.get(address).status_code == 404, address

    def test_looks_as_if_it_did_not_exist_to_others(self, owner, job, guest):
        share(owner, job)
        client = signed_in(make_person())
        missing = GenerationJob().public_id

        answers = [
            client.get(f"/api/v1/shared/jobs/{public_id}").json()
            for public_id in (job.public_id, missing, "job_x", "x")
        ]

        for body in answers:
            assert body["status"] == 404
            body.pop("instance"), body.pop("request_id")
        assert all(body == answers[0] for body in answers)

    @pytest.mark.parametrize("how", ["revoked", "expired"])
    def test_ends_with_the_next_request(self, owner, job, guest, how):
        shared, client = share(owner, job), signed_in(guest)
        addresses = [
            f"/shared/jobs/{job.public_id}/",
            f"/shared/jobs/{job.public_id}/areas/1/result/",
            f"/api/v1/shared/jobs/{job.public_id}",
            f"/api/v1/shared/jobs/{job.public_id}/areas/1/result",
        ]
        assert {client.get(address).status_code for address in addresses} == {200}

        revoke_share(by=owner, share=shared) if how == "revoked" else end(shared)

        assert {client.get(address).status_code for address in addresses} == {404}
        assert client.get("/api/v1/shared").json()["data"] == []

    def test_is_not_for_keys(self, owner, job, guest):
        share(owner, job)
        home = make_organization(owner=guest)
        _, secret = make_key(home, guest, "jobs:read")

        assert with_key(secret).get(f"/api/v1/shared/jobs/{job.public_id}").status_code == 403

    def test_asks_for_sign_in(self, owner, job, guest):
        share(owner, job)
        client = Client()

        assert client.get(f"/shared/jobs/{job.public_id}/").status_code == 302
        assert client.get(f"/api/v1/shared/jobs/{job.public_id}").status_code == 401


class TestTheOrganizationsPage:
    def address(self, job, rest: str = "") -> str:
        return f"/o/{job.organization.slug}/shared/{rest}"

    def test_is_reached_from_the_job(self, owner, job):
        page = signed_in(owner).get(f"/o/{job.organization.slug}/jobs/{job.public_id}/")

        link = f"{self.address(job)}?object={job.public_id}"
        assert link in page.content.decode()
        assert f'value="{job.public_id}"' in signed_in(owner).get(link).content.decode()

    def test_shares_and_takes_back(self, owner, job, guest):
        client = signed_in(owner)
        form = {"object_id": job.public_id, "email": guest.email, "lifetime": "7"}

        assert client.post(self.address(job), form).status_code == 302
        made = Share.objects.get()
        left = made.expires_at - made.created_at
        assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
        assert guest.email in client.get(self.address(job)).content.decode()

        client.post(self.address(job, f"{made.public_id}/revoke/"))
        assert Share.objects.get().revoked_at is not None
        assert "Taken back" in client.get(self.address(job)).content.decode()

    def test_says_on_the_field_what_is_wrong(self, owner, job):
        form = {"object_id": job.public_id, "email": "nobody@example.com", "lifetime": ""}

        answer = signed_in(owner).post(self.address(job), form)

        assert answer.status_code == 400
        assert "email" in answer.context["form"].errors

    def test_shows_those_who_may_only_look_no_form(self, owner, job, guest):
        made, reader = share(owner, job), make_member(job.organization, "read-only")
        client = signed_in(reader)

        assert client.get(self.address(job)).context["form"] is None
        assert client.post(self.address(job), {}).status_code == 403
        assert client.post(self.address(job, f"{made.public_id}/revoke/")).status_code == 403

    def test_does_not_know_shares_of_others(self, owner, job, guest):
        made, stranger = share(owner, job), make_person()
        home = make_organization(owner=stranger)

        answer = signed_in(stranger).post(f"/o/{home.slug}/shared/{made.public_id}/revoke/")

        assert answer.status_code == 404
        assert Share.objects.get().revoked_at is None

    def test_goes_on_with_older_ones(self, owner, job, guest, monkeypatch):
        monkeypatch.setattr("apps.rbac.pages.sharing.PAGE_SIZE", 2)
        people = [make_person() for _ in range(3)]
        for person in people:
            share(owner, job, email=person.email)
        client = signed_in(owner)

        first = client.get(self.address(job))
        second = client.get(first.context["next_url"])

        shown = [
            entry["share"].user for page in (first, second) for entry in page.context["shares"]
        ]
        assert shown == people[::-1]
        assert second.context["next_url"] is None

    def test_asks_as_many_questions_for_many_as_for_one(self, owner, job, guest):
        share(owner, job)
        client = signed_in(owner)
        client.get(self.address(job))
        with CaptureQueriesContext(connection) as few:
            client.get(self.address(job))
        for _ in range(4):
            share(owner, job, email=make_person().email)

        with CaptureQueriesContext(connection) as many:
            client.get(self.address(job))

        assert len(many) == len(few) <= 15


class TestTheApi:
    def test_shares_lists_and_takes_back(self, owner, job, guest):
        _, secret = make_key(job.organization, owner, "shares:read", "shares:write", "jobs:read")
        client = with_key(secret)
        body = {"object_id": job.public_id, "email": guest.email}

        made = client.post("/api/v1/shares", body, "application/json")
        assert made.status_code == 201
        assert client.get(made["Location"]).json()["object_id"] == job.public_id
        (listed,) = client.get("/api/v1/shares").json()["data"]
        assert listed["is_active"]

        ended = client.post(f"/api/v1/shares/{listed['id']}/revoke").json()
        assert not ended["is_active"]

    def test_does_not_know_shares_of_others(self, owner, job, guest):
        made, stranger = share(owner, job), make_person()
        make_organization(owner=stranger)
        client = signed_in(stranger)

        assert client.get(f"/api/v1/shares/{made.public_id}").status_code == 404
        assert client.post(f"/api/v1/shares/{made.public_id}/revoke").status_code == 404
        assert Share.objects.get().revoked_at is None


class TestTheAdmin:
    @pytest.fixture
    def root(self, transactional_db):
        return signed_in(make_person(is_staff=True, is_superuser=True))

    def test_shares_and_takes_back(self, root, job, guest):
        form = {"shared_id": job.public_id, "email": guest.email}
        root.post("/admin/rbac/share/add/", form)
        assert list(shared_objects(guest, GenerationJob)) == [job]

        made = Share.objects.get()
        assert guest.email in root.get("/admin/rbac/share/").content.decode()
        assert root.get(f"/admin/rbac/share/{made.pk}/change/").status_code == 200
        chosen = {"action": "take_back", "_selected_action": [str(made.pk)]}
        root.post("/admin/rbac/share/", chosen)
        assert not shared_objects(guest, GenerationJob).exists()

    def test_says_what_is_wrong(self, root, owner, job):
        form = {"shared_id": "job_x", "email": owner.email}
        answer = root.post("/admin/rbac/share/add/", form)
        assert "shared_id" in answer.context["adminform"].form.errors

        form = {"shared_id": job.public_id, "email": owner.email}
        answer = root.post("/admin/rbac/share/add/", form, follow=True)
        assert "belongs to the organization" in answer.content.decode()
        assert not Share.objects.exists()
