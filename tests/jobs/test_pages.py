"""The customer's pages of jobs."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.credits import selectors
from apps.credits.services.budgets import create_budget
from apps.jobs.models import BlobUpload, GenerationArea, GenerationJob
from apps.jobs.services import running
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
from tests.people import make_member, make_organization, signed_in


@pytest.fixture
def developer(organization):
    return make_member(organization, "developer", full_name="Dee")


@pytest.fixture
def client(developer):
    return signed_in(developer)


def form(content: bytes | None = None, **changes) -> dict[str, object]:
    values = {
        "operation": OPERATION,
        "style": "dusk",
        "idempotency_key": str(uuid4()),
        "seen_cost": "5",
        "picture": SimpleUploadedFile("a.png", picture() if content is None else content),
    }
    return {**values, **changes}


def address(organization, rest: str = "") -> str:
    return f"/o/{organization.slug}/jobs/{rest}"


class TestSubmit:
    def test_shows_price_and_what_is_left_before(self, client, organization):
        page = client.get(address(organization, "new/")).content.decode()

        assert "Available after" in page
        assert ">95<" in page

    def test_leads_to_the_job(self, client, organization):
        answer = client.post(address(organization, "new/"), form())

        job = GenerationJob.objects.get()
        assert answer["Location"] == address(organization, f"{job.public_id}/")
        assert available(organization) == 95

    def test_makes_one_job_of_two_clicks(self, client, organization):
        key = str(uuid4())

        first = client.post(address(organization, "new/"), form(idempotency_key=key))
        second = client.post(address(organization, "new/"), form(idempotency_key=key))

        assert first["Location"] == second["Location"]
        assert (GenerationJob.objects.count(), available(organization)) == (1, 95)

    def test_tells_what_is_missing_and_keeps_the_picture(self, client, organization):
        set_price(120)

        answer = client.post(address(organization, "new/"), form(seen_cost="120"))

        page = answer.content.decode()
        assert answer.status_code == 402
        assert "120" in page
        assert "20" in page
        assert BlobUpload.objects.get().public_id in page
        assert not GenerationJob.objects.exists()

    @pytest.mark.parametrize("seen", ["4", "", "five"])
    def test_shows_a_price_that_was_not_seen_and_submits_nothing(self, client, organization, seen):
        answer = client.post(address(organization, "new/"), form(seen_cost=seen))

        page = answer.content.decode()
        assert answer.status_code == 200
        assert "Nothing has started yet" in page
        assert 'name="seen_cost" value="5"' in page
        assert BlobUpload.objects.get().public_id in page
        assert not GenerationJob.objects.exists()

    def test_says_that_the_budget_is_used_up(self, client, organization):
        create_budget(wallet=selectors.main_wallet(organization), monthly_limit=4)

        answer = client.post(address(organization, "new/"), form())

        assert answer.status_code == 402
        assert "0 of this month&#x27;s budget of 4 are used" in answer.content.decode()
        assert not GenerationJob.objects.exists()

    def test_takes_the_kept_picture_on_the_next_try(self, client, organization):
        set_price(120)
        client.post(address(organization, "new/"), form(seen_cost="120"))
        set_price(5)
        kept = BlobUpload.objects.get().public_id

        answer = client.post(address(organization, "new/"), form(picture="", upload_id=kept))

        assert answer.status_code == 302
        assert GenerationArea.objects.get().upload.public_id == kept

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"picture": ""}, "Choose a picture."),
            ({"picture": SimpleUploadedFile("a.png", b"text")}, "This is no picture."),
            ({"style": "neon"}, "Choose a style."),
            ({"operation": "image.erase"}, "Choose an operation."),
            ({"idempotency_key": ""}, "required"),
        ],
    )
    def test_shows_each_error_where_it_can_be_mended(self, client, organization, changes, text):
        answer = client.post(address(organization, "new/"), form(**changes))

        assert answer.status_code == 422
        assert text in answer.content.decode()
        assert available(organization) == 100

    def test_is_for_those_who_may(self, organization):
        answer = signed_in(make_member(organization, "read-only")).get(
            address(organization, "new/")
        )

        assert answer.status_code == 403

    def test_quotes_the_choice(self, client, organization):
        page = client.get(address(organization, f"quote/?operation={OPERATION}"))

        assert b"Available after" in page.content
        assert b'name="seen_cost" value="5"' in page.content


class TestSeveralPictures:
    def pictures(self, count=2):
        return [SimpleUploadedFile(f"{number}.png", picture()) for number in range(count)]

    def test_are_shown_with_their_price_before_anything_is_charged(self, client, organization):
        answer = client.post(address(organization, "new/"), form(picture=self.pictures()))

        page = answer.content.decode()
        assert answer.status_code == 200
        assert "for 2 pictures" in page
        assert ">90<" in page
        assert all(upload.public_id in page for upload in BlobUpload.objects.all())
        assert not GenerationJob.objects.exists()
        assert available(organization) == 100

    def test_become_one_job_with_a_style_for_each(self, client, organization):
        client.post(address(organization, "new/"), form(picture=self.pictures()))
        kept = [upload.public_id for upload in BlobUpload.objects.order_by("id")]

        answer = client.post(
            address(organization, "new/"),
            form(picture="", upload_id=kept, area_style=["newsprint", "meadow"], seen_cost="10"),
        )

        assert answer.status_code == 302
        areas = GenerationArea.objects.order_by("position")
        assert [area.upload.public_id for area in areas] == kept
        assert [area.parameters["style"] for area in areas] == ["newsprint", "meadow"]
        assert available(organization) == 90

    def test_are_quoted_together_when_the_choice_changes(self, client, organization):
        client.post(address(organization, "new/"), form(picture=self.pictures()))
        kept = "&".join(f"upload_id={one.public_id}" for one in BlobUpload.objects.all())

        page = client.get(address(organization, f"quote/?operation={OPERATION}&style=dusk&{kept}"))

        assert b"for 2 pictures" in page.content

    def test_are_kept_up_to_the_one_that_is_refused(self, client, organization):
        pictures = [*self.pictures(1), SimpleUploadedFile("b.png", b"text")]

        answer = client.post(address(organization, "new/"), form(picture=pictures))

        page = answer.content.decode()
        assert answer.status_code == 422
        assert "This is no picture." in page
        assert f'name="upload_id" value="{BlobUpload.objects.get().public_id}"' in page

    def test_are_at_most_twenty(self, client, organization):
        answer = client.post(address(organization, "new/"), form(picture=self.pictures(21)))

        assert answer.status_code == 422
        assert "at most 20 pictures" in answer.content.decode()
        assert not BlobUpload.objects.exists()

    def test_with_a_style_that_is_none_are_refused(self, client, organization):
        client.post(address(organization, "new/"), form(picture=self.pictures()))
        kept = [upload.public_id for upload in BlobUpload.objects.order_by("id")]

        answer = client.post(
            address(organization, "new/"),
            form(picture="", upload_id=kept, area_style=["newsprint", "neon"]),
        )

        assert answer.status_code == 400
        assert "areas.2.style" in answer.content.decode()
        assert not GenerationJob.objects.exists()


class TestTheJobsPage:
    def test_shows_each_picture_as_far_as_it_is(self, client, organization, developer):
        job = make_areas(organization, developer, plain=[True, False])
        running.work()

        page = client.get(address(organization, f"{job.public_id}/status/")).content.decode()

        assert "1 of 2 pictures failed" in page
        assert "Waiting for a free worker" in page
        assert "+5 refunded" in page
        assert 'name="csrfmiddlewaretoken"' in page  # what waits can be cancelled

    def test_leads_to_each_charge_and_refund(self, client, organization, developer):
        job = make_areas(organization, developer, plain=[True, False])
        work_off()

        page = client.get(address(organization, f"{job.public_id}/")).content.decode()

        assert page.count("in the ledger") == 3
        assert page.count("/api/v1/files/") == 3
        assert page.count("areas/2/result/") == 1  # to download

    def test_tries_again_what_failed(self, client, organization, developer):
        job = make_areas(organization, developer, plain=[True, False])
        work_off()
        here = address(organization, f"{job.public_id}/")
        assert "Retry 1 picture" in client.get(here).content.decode()

        answer = client.post(f"{here}retry/", follow=True)

        assert "tried again, for 5 credits" in answer.content.decode()
        job.refresh_from_db()
        assert (job.status, available(organization)) == ("processing", 90)

    def test_offers_no_retry_to_those_who_may_not_submit(self, organization, developer):
        job = make_job(organization, developer, plain=True)
        work_off()
        reader = signed_in(make_member(organization, "read-only"))
        here = address(organization, f"{job.public_id}/")

        assert "retry/" not in reader.get(here).content.decode()
        assert reader.post(f"{here}retry/").status_code == 403

    def test_asks_again_later_and_later_until_it_is_done(self, client, organization, developer):
        job = make_job(organization, developer)
        here = address(organization, f"{job.public_id}/status/")

        first = client.get(here).content.decode()
        later = client.get(f"{here}?look=5").content.decode()
        work_off()
        done = client.get(here).content.decode()

        assert "load delay:1s" in first
        assert "load delay:8s" in later
        assert "load delay" not in done

    def test_works_without_scripts(self, client, organization, developer):
        job = make_job(organization, developer)

        page = client.get(address(organization, f"{job.public_id}/")).content.decode()

        assert '<noscript><meta http-equiv="refresh"' in page

    def test_shows_refund_and_reason_of_a_failed_job(self, client, organization, developer):
        job = make_job(organization, developer, plain=True)
        work_off()

        page = client.get(address(organization, f"{job.public_id}/")).content.decode()

        assert "single colour" in page
        assert "Refunded 5 credits" in page

    def test_cancels_what_waits(self, client, organization, developer):
        job = make_job(organization, developer)

        client.post(address(organization, f"{job.public_id}/cancel/"))

        job.refresh_from_db()
        assert (job.status, available(organization)) == ("cancelled", 100)

    @pytest.mark.parametrize("rest", ["", "status/", "areas/1/result/", "areas/1/original/"])
    def test_does_not_exist_for_others(self, client, organization, rest):
        foreign = make_job(make_organization())
        work_off()

        answer = client.get(address(organization, f"{foreign.public_id}/{rest}"))

        assert answer.status_code == 404

    @pytest.mark.parametrize("rest", ["areas/1/result/", "areas/1/original/"])
    def test_hands_out_pictures_as_pictures(self, client, organization, developer, rest):
        job = make_job(organization, developer)
        work_off()

        answer = client.get(address(organization, f"{job.public_id}/{rest}"))

        assert answer["Content-Type"] == "image/png"
        assert "sandbox" in answer["Content-Security-Policy"]


class TestTheList:
    def test_filters(self, client, organization, developer):
        make_job(organization, developer)
        make_job(organization, developer, plain=True)
        work_off()

        found = client.get(address(organization, "?status=failed")).content.decode()
        none = client.get(address(organization, "?status=cancelled")).content.decode()

        assert found.count('<th scope="row"') == 1
        assert "Nothing matches these filters" in none

    def test_filters_the_days_of_whoever_looks(self, organization, developer):
        make_job(organization, developer)
        late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)  # the first of April in Berlin
        GenerationJob.objects.update(created_at=late)
        client = signed_in(make_member(organization, "developer", time_zone="Europe/Berlin"))
        for query, found in (
            ("from_date=2026-04-01", 1),
            ("to_date=2026-03-31", 0),
            ("to_date=9999-12-31", 1),
        ):
            page = client.get(address(organization, f"?{query}")).content.decode()
            assert page.count('<th scope="row"') == found, query

    def test_asks_as_often_for_many_kept_pictures(self, client, organization, developer):
        place = address(organization, "quote/")

        def asked(count):
            uploads = [make_upload(organization, developer) for _ in range(count)]
            query = "&".join(f"upload_id={one.public_id}&area_style=dusk" for one in uploads)
            with CaptureQueriesContext(connection) as queries:
                client.get(f"{place}?operation={OPERATION}&style=dusk&{query}")
            return len(queries)

        asked(1)
        assert asked(1) == asked(8)

    def test_goes_on_to_the_next_page_with_its_filters(self, client, organization, monkeypatch):
        monkeypatch.setattr("apps.jobs.pages.views.PAGE_SIZE", 1)
        jobs = [make_job(organization) for _ in range(2)]

        first = client.get(address(organization, "?status=pending")).content.decode()

        assert f"?status=pending&amp;before={jobs[1].public_id}" in first

    def test_is_exported_as_csv(self, client, organization, developer):
        job = make_areas(organization, developer, plain=[True, False])
        work_off()

        answer = client.get(address(organization, "?format=csv"))

        head, row = b"".join(answer.streaming_content).decode().splitlines()
        assert head.startswith("id,operation,status,areas,completed,failed")
        assert row.startswith(f"{job.public_id},{OPERATION},completed,2,1,1,0,10,5,trial,Dee,")

    def test_costs_the_same_with_more_rows(self, client, organization, developer):
        make_job(organization, developer)
        with CaptureQueriesContext(connection) as few:
            client.get(address(organization))
        for _ in range(5):
            make_job(organization, developer)
        with CaptureQueriesContext(connection) as many:
            page = client.get(address(organization)).content.decode()

        assert page.count("<tr>") > 5
        assert len(many) <= len(few)
