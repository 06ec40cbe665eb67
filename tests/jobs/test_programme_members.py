"""Members of a programme: they pay with their own credits, and see their own work alone."""

import pytest

from apps.core.errors import NotFound
from apps.credits import selectors
from apps.credits.errors import InsufficientCredits, NoWalletOfOwn
from apps.credits.models import Lot
from apps.credits.selectors import coverage
from apps.credits.selectors.coverage import Coverage
from apps.credits.services.grants import grant_credits
from apps.credits.services.holders import open_member_wallet, set_holder
from apps.jobs.errors import NotOwnJob
from apps.jobs.models import GenerationArea
from apps.jobs.services import changing
from apps.jobs.services.changing import retry_job
from apps.jobs.services.quotes import quote_job
from apps.rbac.services.roles import assign_role, system_role
from apps.rbac.services.sharing import share_object
from apps.tenants.models import AuditLog
from tests.jobs.work import OPERATION, make_job, make_upload, work_off
from tests.people import make_member, make_person, signed_in

CREDITS = 8  # one job of 5, and no other


@pytest.fixture
def guest(organization):
    guest = make_member(organization, "programme member")
    wallet = set_holder(wallet=open_member_wallet(organization=organization), user=guest)
    grant_credits(
        wallet=wallet, amount=CREDITS, kind=Lot.Kind.PARTNER, reference="award", source="partner"
    )
    return guest


@pytest.fixture
def own(organization, guest):
    return selectors.spending_wallet(organization, guest)


def available(wallet):
    return selectors.balance_of(wallet).available


class TestPaying:
    def test_is_done_from_his_own_wallet_alone(self, organization, guest, own):
        before = available(selectors.main_wallet(organization))

        job = make_job(organization, guest)

        assert (job.wallet, available(own)) == (own, CREDITS - 5)
        with pytest.raises(InsufficientCredits):
            make_job(organization, guest)
        assert available(selectors.main_wallet(organization)) == before

    def test_is_not_done_by_the_organizations_plan(self, organization, guest, own, monkeypatch):
        covers = Coverage(unlimited=frozenset({OPERATION}))
        monkeypatch.setattr(coverage, "_providers", [lambda _: covers])

        assert make_job(organization, guest).cost == 5
        assert make_job(organization).cost == 0
        quote = quote_job(organization=organization, operation=OPERATION, user=guest)
        assert (quote.cost, quote.is_affordable) == (5, False)

    def test_comes_back_when_the_job_fails(self, organization, guest, own):
        make_job(organization, guest, plain=True)

        work_off()

        assert available(own) == CREDITS

    def test_is_done_again_by_himself_alone(self, organization, guest, own, developer):
        job = make_job(organization, guest, plain=True)
        work_off()
        good = make_upload(organization, guest)
        GenerationArea.objects.filter(job=job).update(upload=good)

        client = signed_in(developer)
        answer = client.post(
            f"/api/v1/jobs/{job.public_id}/retry",
            content_type="application/json",
            headers={"Idempotency-Key": "theirs"},
        )
        assert answer.status_code == 404  # they do not even see it
        page = f"/o/{organization.slug}/jobs/{job.public_id}/"
        assert client.post(f"{page}retry/").status_code == 404
        with pytest.raises(NotOwnJob):
            retry_job(job=job, by=developer)
        assert available(own) == CREDITS
        assert signed_in(guest).get(page).context["can_retry"]

        retry_job(job=job, by=guest)
        assert available(own) == CREDITS - 5

    def test_is_refused_without_a_wallet_of_his_own(self, organization, guest, own):
        set_holder(wallet=own, user=None)

        with pytest.raises(NoWalletOfOwn):
            make_job(organization, guest)

    def test_is_quoted_from_his_own_wallet(self, organization, guest):
        quote = quote_job(organization=organization, operation=OPERATION, user=guest)

        assert (quote.available, quote.available_after) == (CREDITS, CREDITS - 5)


class TestWhatHeSees:
    @pytest.fixture
    def his(self, organization, guest):
        return make_job(organization, guest)

    @pytest.fixture
    def theirs(self, organization, developer):
        return make_job(organization, developer)

    def test_are_his_own_jobs_on_pages(self, organization, guest, his, theirs):
        work_off()
        client = signed_in(guest)
        address = f"/o/{organization.slug}/jobs/"

        shown = client.get(address)
        assert [one["id"] for one in shown.context["jobs"]] == [his.public_id]
        for path in ("", "status/", "areas/1/result/", "areas/1/original/"):
            assert client.get(f"{address}{his.public_id}/{path}").status_code == 200, path
            assert client.get(f"{address}{theirs.public_id}/{path}").status_code == 404, path
        for path in ("cancel/", "retry/"):
            assert client.post(f"{address}{theirs.public_id}/{path}").status_code == 404, path
        assert theirs.public_id not in client.get(f"{address}?format=csv").getvalue().decode()

    def test_are_his_own_jobs_by_api(self, organization, guest, his, theirs):
        work_off()
        client = signed_in(guest)

        (found,) = client.get("/api/v1/jobs").json()["data"]
        assert found["id"] == his.public_id
        for path in ("", "/areas/1/result"):
            assert client.get(f"/api/v1/jobs/{his.public_id}{path}").status_code == 200, path
            assert client.get(f"/api/v1/jobs/{theirs.public_id}{path}").status_code == 404, path
        for number, path in enumerate(("cancel", "retry")):
            answer = client.post(
                f"/api/v1/jobs/{theirs.public_id}/{path}", headers={"Idempotency-Key": f"k{number}"}
            )
            assert answer.status_code == 404, path

    def test_are_his_own_pictures(self, organization, guest, developer):
        his, theirs = make_upload(organization, guest), make_upload(organization, developer)
        client, pictures = signed_in(guest), f"/o/{organization.slug}/jobs/pictures/"

        (found,) = client.get("/api/v1/uploads").json()["data"]
        assert found["id"] == his.public_id
        assert client.get(f"/api/v1/uploads/{theirs.public_id}").status_code == 404
        assert client.delete(f"/api/v1/uploads/{theirs.public_id}").status_code == 404
        (shown,) = client.get(pictures).context["pictures"]
        assert shown["public_id"] == his.public_id
        assert client.post(f"{pictures}{theirs.public_id}/delete/").status_code == 404
        assert client.post(f"{pictures}{his.public_id}/delete/").status_code == 302

    def test_are_no_others_pictures_in_a_job(self, organization, guest, developer):
        upload = make_upload(organization, developer)
        client = signed_in(guest)
        body = {
            "operation": OPERATION,
            "parameters": {"style": "dusk"},
            "upload_id": upload.public_id,
        }

        answer = client.post(
            "/api/v1/jobs",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "upload_not_found")
        page = client.get(
            f"/o/{organization.slug}/jobs/quote/",
            {"operation": OPERATION, "upload_id": [upload.public_id] * 2},
        )
        assert page.context["quote"].area_count == 1  # the price of one: none can be used

    def test_are_no_files_of_others_by_a_link(self, organization, guest, developer):
        """A link that was made for him when he saw everything."""
        upload = make_upload(organization, developer)
        role = system_role("member")
        given = assign_role(user=guest, role=role, organization=organization)
        client = signed_in(guest)
        link = client.get(f"/api/v1/uploads/{upload.public_id}").json()["url"]
        assert client.get(link).status_code == 200

        given.delete()

        assert client.get(link).status_code == 404
        own = make_upload(organization, guest)
        link = client.get(f"/api/v1/uploads/{own.public_id}").json()["url"]
        assert client.get(link).status_code == 200

    def test_is_seen_by_nobody_else_on_pages(self, organization, guest, developer, his, theirs):
        """Not by who sees all jobs of the organization: partners see what the terms show."""
        work_off()
        partner = make_member(organization, "owner")
        client, address = signed_in(partner), f"/o/{organization.slug}/jobs/"

        shown = client.get(address)
        assert [one["id"] for one in shown.context["jobs"]] == [theirs.public_id]
        for path in ("", "status/", "areas/1/result/", "areas/1/original/"):
            assert client.get(f"{address}{theirs.public_id}/{path}").status_code == 200, path
            assert client.get(f"{address}{his.public_id}/{path}").status_code == 404, path
        for path in ("cancel/", "retry/"):
            assert client.post(f"{address}{his.public_id}/{path}").status_code == 404, path
        told = b"".join(client.get(f"{address}?format=csv").streaming_content).decode()
        assert theirs.public_id in told
        assert his.public_id not in told
        (picture,) = client.get(f"{address}pictures/").context["pictures"]
        assert picture["public_id"] == theirs.areas.get().upload.public_id

    def test_is_seen_by_nobody_else_by_api(self, organization, guest, his, theirs):
        work_off()
        client = signed_in(make_member(organization, "owner"))

        (found,) = client.get("/api/v1/jobs").json()["data"]
        assert found["id"] == theirs.public_id
        for path in ("", "/areas/1/result"):
            assert client.get(f"/api/v1/jobs/{his.public_id}{path}").status_code == 404, path
        upload = his.areas.get().upload
        (kept,) = client.get("/api/v1/uploads").json()["data"]
        assert kept["id"] == theirs.areas.get().upload.public_id
        assert client.get(f"/api/v1/uploads/{upload.public_id}").status_code == 404
        assert client.delete(f"/api/v1/uploads/{upload.public_id}").status_code == 404

    def test_is_seen_by_nobody_else_once_he_has_left(self, organization, guest, own, his):
        set_holder(wallet=own, user=None)
        client = signed_in(make_member(organization, "owner"))

        for kind in ("jobs", "uploads"):
            assert client.get(f"/api/v1/{kind}").json()["data"] == [], kind

    def test_is_no_file_for_others_by_a_link(self, organization, guest, developer, own):
        """A link that was made before the picture's owner became a member."""
        set_holder(wallet=own, user=None)
        upload = make_upload(organization, guest)
        client = signed_in(developer)
        link = client.get(f"/api/v1/uploads/{upload.public_id}").json()["url"]
        assert client.get(link).status_code == 200

        set_holder(wallet=own, user=guest)

        assert client.get(link).status_code == 404

    def test_is_shared_by_nobody_else(self, organization, his, theirs):
        owner = make_member(organization, "owner")
        friend = make_person(email="friend@elsewhere.test")

        share_object(
            by=owner, organization=organization, object_id=theirs.public_id, email=friend.email
        )
        with pytest.raises(NotFound):
            share_object(
                by=owner, organization=organization, object_id=his.public_id, email=friend.email
            )

    def test_is_told_by_no_log(self, organization, guest, his, theirs):
        """That he did something, as of everybody; not what, and not for how much."""
        for job in (his, theirs):
            changing.cancel_job(job=job)

        for action in ("job.submit", "job.cancel"):
            rows = dict(AuditLog.objects.filter(action=action).values_list("object_id", "after"))
            assert rows[his.public_id] == {}, action
            assert rows[theirs.public_id]["cost"] == 5, action

    def test_is_what_can_be_done(self, organization, guest):
        client = signed_in(guest)

        for path in ("operations", "styles"):
            assert client.get(f"/api/v1/{path}").status_code == 200, path
        quote = client.post(
            "/api/v1/jobs/quote", {"operation": OPERATION}, content_type="application/json"
        )
        assert quote.json()["available"] == CREDITS
        menu = client.get(f"/o/{organization.slug}/jobs/new/").content.decode()
        assert f'href="/o/{organization.slug}/jobs/"' in menu
