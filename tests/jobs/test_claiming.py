"""Handing out work: in fair order, to one worker each, at a cost that does not grow."""

from datetime import timedelta
from itertools import groupby

import pytest
from django.db import connection
from django.db.models.functions import Now

from apps.credits.selectors import coverage
from apps.credits.selectors.coverage import Coverage
from apps.jobs.models import GenerationArea, GenerationJob, OrganizationQueue
from apps.jobs.models.queues import CONCURRENCY
from apps.jobs.services import claiming, running
from apps.jobs.services.claiming import LEASE, claim_area, renew_claim
from apps.jobs.services.ending import fail_area, give_back
from config.celery import app
from tests.jobs.work import claim, lose_lease, make_areas, make_job, set_price
from tests.people import make_organization

pytestmark = pytest.mark.django_db
HANDFUL = 40  # rows, whichever of the indexes the planner takes first


@pytest.fixture(autouse=True)
def _priced():
    set_price(0)


def done(area: GenerationArea) -> None:
    fail_area(area=area, claim=area.claim, code="test", message="Done")


class TestClaimArea:
    def test_takes_what_waits_longest_and_lets_the_job_begin(self):
        job = make_areas(make_organization())

        first, second = claim(), claim()

        job.refresh_from_db()
        assert [first.position, second.position] == [1, 2]
        assert (first.job, first.status, first.claims, first.worker) == (
            job,
            "processing",
            1,
            "test",
        )
        assert job.status == "processing"
        assert job.started_at is not None

    def test_finds_nothing_where_nothing_waits(self):
        assert claim() is None

    def test_leaves_what_the_worker_cannot_do(self):
        make_job(make_organization())

        assert claim_area(operations=["image.other"], worker="test") is None
        assert claim_area(operations=["image.other", "image.restyle"], worker="test")

    def test_leaves_what_another_has(self):
        make_job(make_organization())
        claim()

        assert claim() is None


class TestFairOrder:
    def test_one_with_many_does_not_keep_another_waiting(self):
        many, one = make_organization(name="Many"), make_organization(name="One")
        make_areas(many, plain=[False] * 8)
        job = make_job(one)

        order = []
        while area := claim():
            order.append(area.organization.name)
            done(area)

        job.refresh_from_db()
        assert order[:2] == ["Many", "One"]
        assert (order.count("Many"), order.count("One"), job.is_finished) == (8, 1, True)

    def test_takes_turns_as_long_as_both_have_something(self):
        for name in ("A", "B"):
            make_areas(make_organization(name=name), plain=[False] * 3)

        order = []
        while area := claim():
            order.append(area.organization.name)
            done(area)

        # Nobody is served twice while another waits.
        assert all(len(list(same)) == 1 for _, same in groupby(order))

    def test_goes_past_a_job_that_cannot_be_failed(self, monkeypatch):
        broken, job = make_job(make_organization()), make_job(make_organization())
        GenerationJob.objects.filter(pk=broken.pk).update(deadline=Now() - timedelta(seconds=1))
        monkeypatch.setattr(claiming, "end_areas", lambda *_: 1 / 0)

        assert claim().job == job
        assert broken.areas.get().status == "pending"


class TestConcurrency:
    def test_runs_no_more_at_once_than_is_allowed(self):
        make_areas(make_organization(), plain=[False] * (CONCURRENCY + 1))
        running_now = [claim() for _ in range(CONCURRENCY)]

        assert claim() is None
        done(running_now[0])
        assert claim() is not None

    def test_goes_on_with_another_organization(self):
        make_areas(make_organization(name="Full"), plain=[False] * (CONCURRENCY + 1))
        for _ in range(CONCURRENCY):
            claim()
        make_areas(make_organization(name="Free"), plain=[False, False])

        # The second time it is the turn of the one that is full, and has no room.
        assert [claim().organization.name for _ in range(2)] == ["Free", "Free"]

    def test_is_what_the_plan_says(self, monkeypatch):
        monkeypatch.setattr(coverage, "_providers", [lambda _: Coverage(concurrent_jobs=1)])
        organization = make_organization()
        make_areas(organization)

        assert claim() is not None
        assert claim() is None
        assert OrganizationQueue.objects.get(organization=organization).concurrency == 1

    def test_follows_a_plan_that_allows_less_than_before(self, monkeypatch):
        """The row still says four, so that the organization is found; its plan is asked then."""
        make_areas(make_organization())
        claim()
        monkeypatch.setattr(coverage, "_providers", [lambda _: Coverage(concurrent_jobs=1)])

        assert claim() is None


class TestTheCostOfAClaim:
    def test_is_a_handful_of_rows_whether_ten_or_ten_thousand_wait(self):
        organization = make_organization()
        job = make_areas(organization, plain=[False] * 10)
        assert self.rows_read_by_a_claim() < HANDFUL

        self.let_wait(job, 10_000)

        assert self.rows_read_by_a_claim() < HANDFUL

    def let_wait(self, job, count):
        """Let so many more areas wait behind it, and tell the planner of them."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH jobs AS (
                    INSERT INTO jobs_generationjob
                           (id, organization_id, user_id, wallet_id, operation_type, status,
                            deadline, payment_type, cost, refunded, area_count, completed_areas,
                            failed_areas, cancelled_areas, metadata, updated_at)
                    SELECT overlay(gen_random_uuid()::text PLACING 'f' FROM 1)::uuid,
                           organization_id, user_id, wallet_id, operation_type,
                           'pending', deadline, 'credits', 0, 0, 20, 0, 0, 0, '{}', now()
                      FROM jobs_generationjob, generate_series(1, %s / 20) WHERE id = %s
                    RETURNING *)
                INSERT INTO jobs_generationarea
                       (id, organization_id, job_id, position, operation_type, parameters, status,
                        attempt_number, price, payment_type, progress, claims, worker, result,
                        result_content_type, error_code, error_message, updated_at)
                SELECT overlay(gen_random_uuid()::text PLACING 'f' FROM 1)::uuid,
                       organization_id, id, place, operation_type, '{}',
                       'pending', 1, 0, 'credits', 0, 0, '', '', '', '', '', now()
                  FROM jobs, generate_series(1, 20) AS place
                """,
                [count, job.pk],
            )
            cursor.execute("ANALYZE jobs_generationarea, jobs_generationjob")

    def rows_read_by_a_claim(self) -> int:
        with connection.cursor() as cursor:
            # A table of three rows is read as a whole, and a hundred are not: that says nothing.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        before = self.rows_read()
        assert claim() is not None
        return self.rows_read() - before

    def rows_read(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))"
                "  FROM pg_stat_xact_user_tables WHERE relname LIKE 'jobs_%%'"
            )
            return int(cursor.fetchone()[0])


class TestTheLease:
    def test_ends_so_early_that_what_a_dead_worker_had_is_done_within_a_minute(self):
        sweep = app.conf.beat_schedule["Ring again for waiting jobs"]["schedule"]

        assert LEASE.total_seconds() + sweep <= 50  # the rest is for the work


class TestRenewClaim:
    @pytest.fixture
    def area(self):
        make_job(make_organization())
        return claim()

    def test_keeps_the_area_and_says_how_far_it_is(self, area):
        GenerationArea.objects.update(claimed_until=Now() - timedelta(seconds=1))

        assert renew_claim(area=area, claim=area.claim, progress=40)

        area.refresh_from_db()
        assert area.progress == 40
        assert GenerationArea.objects.filter(claimed_until__gt=Now()).exists()

    def test_is_never_done_before_the_result_is_there(self, area):
        renew_claim(area=area, claim=area.claim, progress=100)

        area.refresh_from_db()
        assert area.progress == 99

    def test_refuses_whoever_has_lost_it(self, area):
        lose_lease(area)
        second = claim()

        assert not renew_claim(area=area, claim=area.claim, progress=40)

        second.refresh_from_db()
        assert (second.progress, second.claim == area.claim) == (0, False)


class TestGiveBack:
    def test_lets_another_have_it_at_once(self):
        make_job(make_organization())
        area = claim()

        assert give_back(area=area, claim=area.claim)

        assert claim().pk == area.pk
        assert not give_back(area=area, claim=area.claim)

    def test_does_not_happen_for_a_claim_that_was_renewed_meanwhile(self):
        make_job(make_organization())
        area = claim()

        assert not give_back(area=area, claim=area.claim, is_lost=True)


def test_a_worker_runs_what_it_took():
    job = make_job(make_organization())

    assert running.work()
    assert not running.work()

    job.refresh_from_db()
    assert job.status == "completed"
