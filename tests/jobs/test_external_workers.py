"""The API for workers outside: what they may take, and what comes of it."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from django.db import ProgrammingError, connection, transaction
from django.db.models.functions import Now
from django.test import Client
from PIL import Image

from apps.core import scope
from apps.core.invariants import verify
from apps.core.walls import WEB
from apps.jobs.models import (
    Attempt,
    ExternalOperation,
    GenerationArea,
    GenerationJob,
    WorkerClaim,
    WorkerKey,
)
from apps.jobs.models.areas import MOST_CLAIMS
from apps.jobs.models.queues import CONCURRENCY
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.services import sweeping, worker_claims, worker_keys
from apps.jobs.services.claiming import LEASE
from apps.jobs.services.pictures import LARGEST_FILE, LARGEST_RESULT_FILE
from apps.jobs.services.worker_claims import digest_of
from apps.tenants.models import AuditLog, OutboxEvent
from tests.jobs.outside import (
    CLAIMS,
    OUTLINE,
    make_external,
    make_worker,
    make_worker_key,
    post,
    put,
    submit_outside,
    take,
)
from tests.jobs.work import available, lose_lease, picture
from tests.people import make_key, make_member, make_organization, with_key
from tests.problem_documents import problem_of
from tests.roles import role

pytestmark = pytest.mark.django_db
WHY = {"code": "no_lines", "message": "There are no lines in this picture."}


def is_sound() -> bool:
    return all(finding.failures == 0 for finding in verify())


def pass_deadline() -> None:
    GenerationJob.objects.update(deadline=Now() - timedelta(seconds=1))


@pytest.fixture
def organization():
    make_external()
    return make_organization()


@pytest.fixture
def worker(organization):
    return make_worker()


class TestClaiming:
    def test_tells_all_that_a_worker_needs(self, organization, worker):
        job = submit_outside(organization)

        claim = take(worker)

        area = job.areas.get()
        assert claim == {
            "id": f"clm_{claim['id'][4:]}",
            "object": "claim",
            "area_id": area.public_id,
            "operation": OUTLINE,
            "parameters": {"strength": 1},
            "attempt_number": 1,
            "claims": 1,
            "picture_url": f"{CLAIMS}/{claim['id']}/picture",
            "lease_seconds": int(LEASE.total_seconds()),
            "lease_until": claim["lease_until"],
            "deadline": claim["deadline"],
        }
        assert (area.status, area.claim) == ("processing", WorkerClaim.read_id(claim["id"]))

    def test_answers_at_once_where_nothing_waits(self, worker):
        response = worker.post(CLAIMS, {}, content_type="application/json")

        assert (response.status_code, response.content) == (204, b"")
        assert int(response["Retry-After"]) > 0

    def test_takes_the_areas_of_every_organization_in_turn(self, organization, worker):
        other = make_organization()
        submit_outside(organization, areas=2)
        submit_outside(other)

        taken = [take(worker) for _ in range(3)]

        areas = {area.public_id: area.organization_id for area in GenerationArea.objects.all()}
        whose = [areas[claim["area_id"]] for claim in taken]
        assert sorted(whose[:2], key=str) == sorted([organization.pk, other.pk], key=str)

    def test_takes_no_more_of_an_organization_than_may_run(self, organization, worker):
        submit_outside(organization, areas=CONCURRENCY + 1)
        claims = [take(worker) for _ in range(CONCURRENCY)]

        assert worker.post(CLAIMS, {}, content_type="application/json").status_code == 204
        put(worker, claims[0], picture())
        assert take(worker)

    def test_is_for_the_operations_of_the_key_alone(self, organization, worker):
        make_external("image.other")
        submit_outside(organization, operation="image.other")

        asked = worker.post(
            CLAIMS, {"operations": ["image.other"]}, content_type="application/json"
        )

        assert problem_of(asked, 403)["code"] == "operation_not_allowed"
        assert worker.post(CLAIMS, {}, content_type="application/json").status_code == 204
        assert take(make_worker("image.other"))

    def test_leaves_what_is_built_in_by_now(self, organization, worker, monkeypatch):
        submit_outside(organization)
        monkeypatch.setitem(RUNNERS, OUTLINE, None)

        assert worker.post(CLAIMS, {}, content_type="application/json").status_code == 204

    def test_goes_on_with_what_is_no_longer_sold(self, organization, worker):
        submit_outside(organization)
        ExternalOperation.objects.update(is_active=False)

        assert take(worker)


class TestThePicture:
    def test_is_handed_out_while_it_is_claimed(self, organization, worker):
        job = submit_outside(organization)
        claim = take(worker)

        response = worker.get(claim["picture_url"])

        assert (response.status_code, response["Content-Type"]) == (200, "image/png")
        upload = job.areas.get().upload
        assert b"".join(response.streaming_content) == upload.file.open().read()

    def test_is_not_once_the_claim_is_lost(self, organization, worker):
        submit_outside(organization)
        claim = take(worker)
        lose_lease(GenerationArea.objects.get())

        assert problem_of(worker.get(claim["picture_url"]), 409)["code"] == "claim_lost"


class TestAHeartbeat:
    def test_keeps_the_area_and_tells_how_far_it_is(self, organization, worker):
        submit_outside(organization)
        claim = take(worker)
        GenerationArea.objects.update(claimed_until=Now())

        response = post(worker, claim, "heartbeat", {"progress": 40})

        area = GenerationArea.objects.get()
        assert (response.status_code, area.progress) == (200, 40)
        assert response.json()["lease_until"] > claim["lease_until"]

    def test_of_a_claim_that_another_has_is_refused(self, organization, worker):
        submit_outside(organization)
        claim = take(worker)
        lose_lease(GenerationArea.objects.get())
        take(make_worker())

        response = post(worker, claim, "heartbeat", {"progress": 40})

        assert problem_of(response, 409)["code"] == "claim_lost"
        assert GenerationArea.objects.get().progress == 0

    @pytest.mark.parametrize("is_swept", [False, True])
    def test_after_the_deadline_is_refused(self, organization, worker, is_swept):
        submit_outside(organization)
        claim = take(worker)
        pass_deadline()
        if is_swept:
            assert sweeping.fail_what_is_overdue() == 1

        assert problem_of(post(worker, claim, "heartbeat"), 409)["code"] == "claim_lost"

    @pytest.mark.parametrize("progress", [-1, 101, "much"])
    def test_with_progress_that_is_no_percent_is_refused(self, organization, worker, progress):
        submit_outside(organization)

        response = post(worker, take(worker), "heartbeat", {"progress": progress})

        assert problem_of(response, 400)["code"] == "validation_error"


class TestCompleting:
    def test_keeps_the_picture_and_the_payment(self, organization, worker):
        job = submit_outside(organization)

        response = put(worker, take(worker), picture(size=(30, 20)))

        job.refresh_from_db()
        area = job.areas.get()
        assert (response.status_code, response.json()["status"]) == (200, "completed")
        assert (job.status, area.result_width, area.result_height) == ("completed", 30, 20)
        assert available(organization) == 92
        assert OutboxEvent.objects.filter(event_type="job.completed").count() == 1
        assert is_sound()

    def test_strips_what_is_no_picture_from_it(self, organization, worker):
        job = submit_outside(organization)
        file = BytesIO()
        exif = Image.Exif()
        exif[0x010E] = "where it was made"
        Image.new("RGB", (30, 20)).save(file, "JPEG", exif=exif)

        put(worker, take(worker), file.getvalue())

        kept = default_storage.open(str(job.areas.get().result)).read()
        assert b"where it was made" not in kept

    def test_twice_with_the_same_picture_answers_the_same(self, organization, worker):
        submit_outside(organization)
        claim = take(worker)

        first, second = (put(worker, claim, picture()) for _ in range(2))

        assert (second.status_code, second.json()) == (200, first.json())
        assert available(organization) == 92
        folder = f"results/{organization.pk}"
        assert len(default_storage.listdir(folder)[1]) == 1

    def test_twice_with_another_picture_is_refused(self, organization, worker):
        job = submit_outside(organization)
        claim = take(worker)
        put(worker, claim, picture())

        response = put(worker, claim, picture(size=(5, 5)))

        assert problem_of(response, 409)["code"] == "claim_completed"
        assert job.areas.get().result_width == 64

    def test_after_the_lease_was_lost_is_refused_and_writes_nothing(self, organization, worker):
        job = submit_outside(organization)
        claim = take(worker)
        lose_lease(job.areas.get())

        late = put(worker, claim, picture())
        again = take(make_worker())
        later = put(worker, claim, picture())

        for response in (late, later):
            assert problem_of(response, 409)["code"] == "claim_lost"
        area = job.areas.get()
        assert (area.status, area.result.name, again["claims"]) == ("processing", "", 2)

    def test_after_the_deadline_is_refused(self, organization, worker):
        job = submit_outside(organization)
        claim = take(worker)
        pass_deadline()

        assert problem_of(put(worker, claim, picture()), 409)["code"] == "claim_lost"
        job.refresh_from_db()
        assert (job.status, available(organization)) == ("failed", 100)

    def test_captures_what_was_made_where_the_price_is_metered(self, organization):
        make_external("image.metered", metadata={"metered": "megapixel"}, most_pixels=3_000_000)
        submit_outside(organization, operation="image.metered")
        assert available(organization) == 100 - 3 * 8

        worker = make_worker("image.metered")
        put(worker, take(worker), picture(size=(1000, 1001)))

        assert available(organization) == 100 - 2 * 8
        assert is_sound()


def bomb() -> bytes:
    file = BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    return file.getvalue()


HOSTILE = {
    "empty": (b"", "picture_refused"),
    "no picture": (b"<svg onload=alert(1)>" * 50, "picture_refused"),
    "truncated": (picture(size=(200, 200))[:-300], "picture_refused"),
    "bomb": (bomb(), "picture_too_large"),
    "too many pixels": (picture(size=(1001, 1000), plain=True), "result_too_large"),
}


class TestALongResult:
    def test_may_have_more_bytes_than_an_upload(self, organization, worker):
        job = submit_outside(organization)

        assert put(worker, take(worker), picture() + b"\0" * LARGEST_FILE).status_code == 200
        assert job.areas.get().status == "completed"

    def test_is_refused_before_it_is_read(self, organization, worker):
        job = submit_outside(organization)
        address = f"{CLAIMS}/{take(worker)['id']}/result"
        head = {"CONTENT_LENGTH": str(LARGEST_RESULT_FILE + 1)}

        refused = worker.put(address, b"", content_type="image/png", **head)

        told = problem_of(refused, status=413)
        assert (told["code"], "up to 100 MB" in told["detail"]) == ("picture_too_large", True)
        assert job.areas.get().status == "processing"


class TestAHostileResult:
    @pytest.mark.parametrize(("content", "code"), HOSTILE.values(), ids=HOSTILE.keys())
    def test_is_refused_and_leaves_the_area_to_be_completed(
        self, organization, worker, content, code
    ):
        job = submit_outside(organization)
        claim = take(worker)

        refused = put(worker, claim, content)

        status = 413 if code == "picture_too_large" else 400
        assert problem_of(refused, status)["code"] == code
        area = job.areas.get()
        assert (area.status, area.result.name) == ("processing", "")
        assert put(worker, claim, picture()).status_code == 200
        assert available(organization) == 92


class TestFailing:
    def test_gives_all_back_exactly_once(self, organization, worker):
        job = submit_outside(organization)
        claim = take(worker)

        answers = [post(worker, claim, "fail", WHY) for _ in range(3)]

        job.refresh_from_db()
        area = job.areas.get()
        assert [one.json() for one in answers] == [
            {"id": claim["id"], "object": "claim", "status": "failed"}
        ] * 3
        assert (area.error_code, area.error_message) == (WHY["code"], WHY["message"])
        assert (job.status, job.refunded, available(organization)) == ("failed", 8, 100)
        assert is_sound()

    def test_that_can_be_tried_again_goes_on_with_the_same_attempt(self, organization, worker):
        job = submit_outside(organization)

        response = post(worker, take(worker), "fail", {**WHY, "is_retryable": True})
        again = take(worker)

        assert response.json()["status"] == "released"
        assert (again["attempt_number"], again["claims"]) == (1, 2)
        assert (Attempt.objects.count(), available(organization)) == (1, 92)
        assert put(worker, again, picture()).status_code == 200
        job.refresh_from_db()
        assert job.status == "completed"

    def test_too_often_ends_it(self, organization, worker):
        job = submit_outside(organization)

        for _ in range(MOST_CLAIMS):
            post(worker, take(worker), "fail", {**WHY, "is_retryable": True})

        assert job.areas.get().error_code == "gave_up"
        assert available(organization) == 100

    def test_after_the_lease_was_lost_is_refused(self, organization, worker):
        submit_outside(organization)
        claim = take(worker)
        lose_lease(GenerationArea.objects.get())

        assert problem_of(post(worker, claim, "fail", WHY), 409)["code"] == "claim_lost"
        assert WorkerClaim.objects.get().outcome == ""
        assert available(organization) == 92

    def test_after_it_was_completed_is_refused(self, organization, worker):
        submit_outside(organization)
        claim = take(worker)
        put(worker, claim, picture())

        assert problem_of(post(worker, claim, "fail", WHY), 409)["code"] == "claim_lost"

    @pytest.mark.parametrize(
        "body", [{}, {"code": "no_lines"}, {**WHY, "code": "<b>"}, {**WHY, "message": "x" * 501}]
    )
    def test_needs_a_code_and_a_sentence(self, organization, worker, body):
        submit_outside(organization)

        response = post(worker, take(worker), "fail", body)

        assert problem_of(response, 400)["code"] == "validation_error"


class TestReleasing:
    def test_lets_another_worker_have_it(self, organization, worker):
        submit_outside(organization)
        claim = take(worker)

        answers = [post(worker, claim, "release") for _ in range(2)]

        assert [one.json()["status"] for one in answers] == ["released"] * 2
        assert take(make_worker())["claims"] == 2
        assert available(organization) == 92


class TestADeadWorker:
    def test_loses_its_lease_and_the_job_goes_on_and_pays_nothing_more(self, organization, worker):
        job = submit_outside(organization)
        take(worker)

        lose_lease(job.areas.get())
        again = take(make_worker())

        assert (again["attempt_number"], again["claims"]) == (1, 2)
        assert available(organization) == 92
        assert Attempt.objects.count() == 1


class TestWhoMayCome:
    def test_is_nobody_without_a_workers_key(self, organization):
        submit_outside(organization)
        _, customers = make_key(organization, make_member(organization, "owner"), "jobs:write")
        _, secret = make_worker_key()

        for other in (Client(), with_key(customers), with_key(secret[:-1] + "~")):
            response = other.post(CLAIMS, {}, content_type="application/json")
            assert problem_of(response, 401)["code"] == "authentication_required"
        assert not WorkerClaim.objects.exists()

    def test_is_no_key_that_was_revoked_or_has_ended(self, organization):
        (revoked, first), (ended, second) = make_worker_key(), make_worker_key()
        submit_outside(organization)
        claim = take(with_key(first))
        worker_keys.revoke_worker_key(key=revoked)
        WorkerKey.objects.filter(pk=ended.pk).update(expires_at=Now() - timedelta(seconds=1))

        for secret in (first, second):
            answer = with_key(secret).post(CLAIMS, {}, content_type="application/json")
            assert answer.status_code == 401
        assert put(with_key(first), claim, picture()).status_code == 401
        assert AuditLog.objects.filter(action="worker_key.revoke").count() == 1

    def test_is_no_worker_anywhere_else(self, organization, worker):
        for address in ("/api/v1/jobs", "/api/v1/organization", "/api/v1/operations"):
            assert worker.get(address).status_code == 401

    def test_sees_no_claim_of_another_key(self, organization, worker):
        submit_outside(organization)
        claim = take(worker)
        other = make_worker()

        assert other.get(claim["picture_url"]).status_code == 404
        assert put(other, claim, picture()).status_code == 404
        for verb in ("heartbeat", "fail", "release"):
            assert post(other, claim, verb, WHY).status_code == 404
            assert post(worker, {"id": "clm_nonsense"}, verb, WHY).status_code == 404
        assert GenerationArea.objects.get().status == "processing"

    def test_notes_when_a_key_is_used(self, worker):
        worker.post(CLAIMS, {}, content_type="application/json")

        assert WorkerKey.objects.get().last_used_at is not None


class TestTheWall:
    def test_stands_between_the_web_and_the_keys(self, worker):
        denied = pytest.raises(ProgrammingError, match="permission denied")
        with role(WEB), denied, transaction.atomic():
            WorkerKey.objects.count()

    def test_is_opened_by_key_and_claim_together(self, organization, worker):
        submit_outside(organization)
        take(worker)
        claim = WorkerClaim.objects.get()
        key = WorkerKey.objects.get()
        stranger, _ = make_worker_key()
        other = make_organization()

        with role(WEB):
            with scope.opened_by("worker_claim", digest_of(key, claim.pk)):
                assert WorkerClaim.objects.count() == 1
            with scope.opened_by("worker_claim", digest_of(stranger, claim.pk)):
                assert not WorkerClaim.objects.exists()
            with scope.within(other.pk):
                assert not WorkerClaim.objects.exists()

    def test_is_passed_by_claiming_alone(self, organization, worker, monkeypatch):
        """Whatever follows runs in the role of the web, and in the claim's organization."""
        submit_outside(organization)
        claim = take(worker)
        seen = []

        def look(**kwargs) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('role')")
                seen.append((cursor.fetchone()[0], scope.current().organization_id))

        monkeypatch.setattr(worker_claims, "release", look)
        post(worker, claim, "release")

        assert seen == [(WEB, organization.pk)]
