"""The jobs API."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.ids import encode, new_id
from apps.credits.selectors import main_wallet
from apps.credits.services.budgets import create_budget
from apps.jobs.models import GenerationJob
from tests.jobs.work import (
    OPERATION,
    available,
    make_areas,
    make_job,
    make_upload,
    picture,
    set_price,
    work_off,
)
from tests.people import make_key, make_member, make_organization, with_key
from tests.problem_documents import problem_of

JOBS = "/api/v1/jobs"


@pytest.fixture
def body(organization, developer):
    upload = make_upload(organization, developer)
    return {
        "operation": OPERATION,
        "parameters": {"style": "dusk"},
        "upload_id": upload.public_id,
    }


def submit(client, body, key=None):
    headers = {"Idempotency-Key": key or str(uuid4())}
    return client.post(JOBS, body, content_type="application/json", headers=headers)


class TestUploads:
    def test_keeps_a_picture(self, client):
        file = SimpleUploadedFile("a.png", picture(), content_type="image/png")

        answer = client.post("/api/v1/uploads", {"picture": file})

        assert answer.status_code == 201
        assert answer.json()["width"] == 64

    def test_refuses_what_is_no_picture(self, client):
        file = SimpleUploadedFile("a.png", b"no picture", content_type="image/png")

        problem = problem_of(client.post("/api/v1/uploads", {"picture": file}), status=400)

        assert problem["code"] == "picture_refused"


class TestSubmit:
    def test_answers_with_the_job_and_where_it_is(self, client, body, organization):
        answer = submit(client, body)

        job = answer.json()
        assert answer.status_code == 201
        assert answer["Retry-After"] == "2"
        assert answer["Location"] == f"{JOBS}/{job['id']}"
        assert (job["status"], job["cost"], available(organization)) == ("pending", 5, 95)

    def test_replays_the_same_key(self, client, body, organization):
        first, second = submit(client, body, "key-1"), submit(client, body, "key-1")

        assert second.json() == first.json()
        assert second["Idempotent-Replayed"] == "true"
        assert second["Location"] == first["Location"]
        assert available(organization) == 95

    def test_refuses_a_key_without_a_request_of_its_own(self, client, body):
        submit(client, body, "key-1")

        changed = {**body, "parameters": {"style": "meadow"}}

        assert (
            problem_of(submit(client, changed, "key-1"), status=422)["code"]
            == "idempotency_key_reused"
        )

    def test_asks_for_a_key(self, client, body, organization):
        answer = client.post(JOBS, body, content_type="application/json")

        assert problem_of(answer, status=400)["code"] == "idempotency_key_required"
        assert available(organization) == 100

    def test_tells_what_is_missing_and_writes_nothing(self, client, body, organization):
        set_price(120)

        problem = problem_of(submit(client, body), status=402)

        facts = {name: problem[name] for name in ("required", "available", "shortfall")}
        assert facts == {"required": 120, "available": 100, "shortfall": 20}
        assert not GenerationJob.objects.exists()

    def test_lets_a_refused_key_be_tried_again(self, client, body):
        set_price(120)
        submit(client, body, "key-1")
        set_price(1)

        assert submit(client, body, "key-1").status_code == 201

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"operation": "image.erase"}, "unknown_operation"),
            ({"parameters": {"style": "neon"}}, "invalid_parameters"),
            ({"parameters": {"style": "dusk", "size": -1}}, "invalid_parameters"),
            ({"parameters": 7}, "validation_error"),
            ({"upload_id": "upl_nothing"}, "upload_not_found"),
            ({"operation": None}, "validation_error"),
        ],
    )
    def test_says_what_is_wrong_and_charges_nothing(self, client, body, organization, change, code):
        problem = problem_of(submit(client, {**body, **change}), status=400)

        assert problem["code"] == code
        assert available(organization) == 100

    def test_treats_a_foreign_picture_like_none(self, client, body):
        other = make_organization()
        foreign = make_upload(other, make_member(other, "developer")).public_id
        missing = encode("upl", new_id())

        first = problem_of(submit(client, {**body, "upload_id": foreign}), status=400)
        second = problem_of(submit(client, {**body, "upload_id": missing}), status=400)

        assert first["detail"].replace(foreign, "") == second["detail"].replace(missing, "")


class TestSeveralAreas:
    @pytest.fixture
    def areas(self, organization, developer):
        uploads = [make_upload(organization, developer).public_id for _ in range(2)]
        return {
            "operation": OPERATION,
            "parameters": {"style": "dusk"},
            "areas": [
                {"upload_id": uploads[0]},
                {"upload_id": uploads[1], "parameters": {"style": "newsprint"}},
            ],
        }

    def test_take_from_the_job_what_they_do_not_say(self, client, areas, organization):
        job = submit(client, areas).json()

        assert [area["parameters"]["style"] for area in job["areas"]] == ["dusk", "newsprint"]
        assert [area["position"] for area in job["areas"]] == [1, 2]
        assert (job["cost"], job["area_count"], available(organization)) == (10, 2, 90)

    def test_show_each_how_it_ended(self, client, organization, developer):
        job = make_areas(organization, developer, plain=[True, False])
        work_off()

        found = client.get(f"{JOBS}/{job.public_id}").json()

        assert [area["status"] for area in found["areas"]] == ["failed", "completed"]
        assert [area["refunded"] for area in found["areas"]] == [5, 0]
        assert found["areas"][0]["error"]["code"] == found["error"]["code"] == "single_colour"
        assert found["areas"][0]["result_url"] is None
        assert found["areas"][1]["result_url"].startswith("/api/v1/files/area_")
        assert found["result_url"].startswith("/api/v1/files/area_")
        assert (found["status"], found["progress"], found["refunded"]) == ("completed", 100, 5)
        assert client.get(found["result_url"]).status_code == 200
        assert client.get(f"{JOBS}/{job.public_id}/areas/1/result").status_code == 409
        assert client.get(f"{JOBS}/{job.public_id}/areas/3/result").status_code == 404

    def test_are_quoted_together(self, client, areas):
        answer = client.post(f"{JOBS}/quote", areas, content_type="application/json").json()

        assert (answer["cost"], answer["area_count"], answer["available_after"]) == (10, 2, 90)

    @pytest.mark.parametrize("count", [0, 21])
    def test_are_from_one_to_twenty(self, client, areas, organization, count):
        areas["areas"] = areas["areas"][:1] * count

        assert problem_of(submit(client, areas), status=400)["code"] == "validation_error"
        assert available(organization) == 100

    def test_have_a_deadline(self, client, areas):
        job = GenerationJob.read_id(submit(client, {**areas, "time": 60}).json()["id"])

        made = GenerationJob.objects.get(pk=job)
        assert made.deadline < made.created_at + timedelta(hours=1)  # unsaid, it is twelve
        assert problem_of(submit(client, {**areas, "time": 59}), status=400)


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status=completed", ["completed"]),
            ("status=failed", ["failed"]),
            (f"operation={OPERATION}", ["failed", "completed"]),
            ("operation=image.other", []),
            ("created_from=2020-01-01T00:00:00Z", ["failed", "completed"]),
            ("created_before=2020-01-01T00:00:00Z", []),
            ("submitted_by=usr_nobody", []),
        ],
    )
    def test_leave_what_fits(self, client, organization, developer, query, found):
        make_job(organization, developer)
        make_job(organization, developer, plain=True)
        work_off()

        rows = client.get(f"{JOBS}?{query}").json()["data"]

        assert [row["status"] for row in rows] == found

    def test_by_who_submitted_it(self, client, organization, developer):
        make_job(organization)
        mine = make_job(organization, developer)

        rows = client.get(f"{JOBS}?submitted_by={developer.public_id}").json()["data"]

        assert [row["id"] for row in rows] == [mine.public_id]

    @pytest.mark.parametrize("query", ["status=done", "created_from=monday", "colour=red"])
    def test_that_mean_nothing_are_refused(self, client, query):
        assert client.get(f"{JOBS}?{query}").status_code == 400


class TestRetry:
    def retry(self, client, job, key):
        address = f"{JOBS}/{job.public_id}/retry"
        return client.post(
            address, content_type="application/json", headers={"Idempotency-Key": key}
        )

    def test_pays_again_once_for_one_key(self, client, organization, developer):
        job = make_job(organization, developer, plain=True)
        work_off()

        first, again = self.retry(client, job, "r-1"), self.retry(client, job, "r-1")

        assert (first.status_code, first.json()["status"]) == (202, "pending")
        assert first["Location"] == f"{JOBS}/{job.public_id}"
        assert again.json() == first.json()
        assert available(organization) == 95
        assert problem_of(self.retry(client, job, "r-2"), status=409)["code"] == "job_not_retryable"

    def test_is_for_those_who_may_submit(self, organization, developer):
        job = make_job(organization, developer, plain=True)
        work_off()
        _, token = make_key(organization, developer, "jobs:read")

        assert self.retry(with_key(token), job, "r-1").status_code == 403

    def test_lets_nobody_retry_for_another(self, client):
        foreign = make_job(make_organization(), plain=True)
        work_off()

        assert self.retry(client, foreign, "r-1").status_code == 404


class TestTheWalls:
    @pytest.mark.parametrize("suffix", ["", "/areas/1/result"])
    def test_show_nothing_of_another_organization(self, client, suffix):
        foreign = make_job(make_organization())
        work_off()
        missing = encode("job", new_id())

        theirs = client.get(f"{JOBS}/{foreign.public_id}{suffix}")
        nobodys = client.get(f"{JOBS}/{missing}{suffix}")

        assert (theirs.status_code, nobodys.status_code) == (404, 404)
        assert theirs.json()["detail"] == nobodys.json()["detail"]

    def test_let_nobody_cancel_for_another(self, client):
        foreign = make_job(make_organization())

        answer = client.post(
            f"{JOBS}/{foreign.public_id}/cancel",
            content_type="application/json",
            headers={"Idempotency-Key": "cancel-1"},
        )

        foreign.refresh_from_db()
        assert (answer.status_code, foreign.status) == (404, "pending")

    def test_ask_for_the_scope(self, organization, developer, body):
        _, token = make_key(organization, developer, "jobs:read")

        problem = problem_of(submit(with_key(token), body), status=403)

        assert "jobs:write" in json.dumps(problem)


class TestReading:
    def test_lists_newest_first_with_as_many_queries_for_more_rows(
        self, client, organization, developer
    ):
        jobs = [make_job(organization, developer)]
        with CaptureQueriesContext(
            connection,
        ) as few:
            client.get(JOBS)
        jobs += [make_job(organization, developer) for _ in range(4)]
        with CaptureQueriesContext(connection) as many:
            answer = client.get(JOBS)

        assert [row["id"] for row in answer.json()["data"]] == [
            job.public_id for job in reversed(jobs)
        ]
        assert len(many) <= len(few)

    def test_gives_the_result_once_there_is_one(self, client, organization, developer):
        job = make_job(organization, developer)
        assert problem_of(client.get(f"{JOBS}/{job.public_id}/areas/1/result"), status=409)

        work_off()

        answer = client.get(f"{JOBS}/{job.public_id}/areas/1/result")
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert b"".join(answer.streaming_content).startswith(b"\x89PNG")

    def test_quotes_without_writing(self, client, organization):
        answer = client.post(
            f"{JOBS}/quote", {"operation": OPERATION}, content_type="application/json"
        )

        assert answer.json() == {
            "object": "quote",
            "cost": 5,
            "area_count": 1,
            "is_metered": False,
            "is_covered": False,
            "available": 100,
            "available_after": 95,
            "is_affordable": True,
            "shortfall": 0,
            "reason": None,
        }

    def test_quotes_what_a_budget_would_refuse(self, client, organization):
        create_budget(wallet=main_wallet(organization), monthly_limit=4)

        answer = client.post(
            f"{JOBS}/quote", {"operation": OPERATION}, content_type="application/json"
        ).json()

        assert (answer["is_affordable"], answer["reason"]) == (False, "budget_exceeded")
        assert (answer["available"], answer["shortfall"]) == (100, 0)

    def test_lists_operations_with_styles_and_prices(self, client):
        (operation,) = client.get("/api/v1/operations").json()["data"]

        assert (operation["operation"], operation["cost"]) == (OPERATION, 5)
        assert {style["code"] for style in operation["styles"]} >= {"dusk", "newsprint"}


class TestCancel:
    def test_gives_the_credits_back_once(self, client, organization, developer):
        job = make_job(organization, developer)
        address = f"{JOBS}/{job.public_id}/cancel"

        first, again, late = (
            client.post(address, content_type="application/json", headers={"Idempotency-Key": key})
            for key in ("c-1", "c-1", "c-2")
        )

        assert first.json()["status"] == again.json()["status"] == "cancelled"
        assert problem_of(late, status=409)["code"] == "job_not_cancellable"
        assert available(organization) == 100
