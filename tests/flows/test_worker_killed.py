"""A worker is killed in the middle of a job: the job is finished, and paid once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from apps.core.invariants import verify
from apps.credits.models import CreditTransaction
from apps.jobs.models import GenerationArea, GenerationJob
from apps.jobs.services import submission, sweeping
from apps.jobs.services.submission import AreaRequest
from tests.jobs.work import OPERATION, available, make_upload, picture, set_price
from tests.people import make_member, make_organization

ROOT = Path(__file__).parents[2]
LONG_WORK = 4096  # pixels: some seconds of work, time enough to be killed in


def environment() -> dict[str, str]:
    """Return an environment in which a worker works on this test's database."""
    database = connection.settings_dict
    address = (
        f"postgres://{database['USER']}:{quote(database['PASSWORD'])}"
        f"@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    return {**os.environ, "DATABASE_URL": address, "MEDIA_ROOT": str(settings.MEDIA_ROOT)}


def wait_for(is_true: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.05)


@pytest.fixture
def start_worker() -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    workers: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-c", "1"]
        worker = subprocess.Popen(
            [*command, "--loglevel", "WARNING", "--without-mingle", "--without-gossip"],
            cwd=ROOT,
            env=environment(),
            start_new_session=True,
        )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestAKilledWorker:
    def test_leaves_a_job_that_another_one_finishes(self, start_worker):
        set_price()
        organization = make_organization()
        user = make_member(organization, "developer")
        upload = make_upload(organization, user, picture(size=(640, 640)))
        worker = start_worker()
        job = submission.submit_job(
            organization=organization,
            user=user,
            operation=OPERATION,
            areas=[AreaRequest(upload, {"style": "newsprint", "size": LONG_WORK})],
        )
        jobs = GenerationJob.objects.filter(pk=job.pk)

        wait_for(jobs.filter(status="processing").exists)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        assert jobs.get().status == "processing"
        # Two minutes pass.
        GenerationArea.objects.update(claimed_until=Now() - timedelta(seconds=1))
        start_worker()
        assert sweeping.take_back_lost_claims() == 1
        wait_for(jobs.filter(status="completed").exists)

        assert GenerationArea.objects.get().claims == 2
        assert available(organization) == 95
        assert not CreditTransaction.objects.filter(transaction_type="refunded").exists()
        assert all(finding.failures == 0 for finding in verify())
