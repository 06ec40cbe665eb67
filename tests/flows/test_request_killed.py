"""A web process is killed in the middle of a request: the repeat finds none or all of it."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from apps.core.models import IdempotencyKey
from apps.jobs.models import GenerationJob
from tests.jobs.work import OPERATION, available, make_upload, set_price
from tests.people import make_key, make_member, make_organization, with_key

ROOT = Path(__file__).parents[2]
JOBS = "/api/v1/jobs"
# Sends one request, and ends at once (as SIGKILL would end it) at a certain place.
PROCESS = """
import os, sys
import django
django.setup()
from apps.core import api, idempotency
from apps.jobs.services import submission
from tests.people import with_key

place, token, upload = sys.argv[1:]
store, submit = idempotency._store, submission.submit_job

def die(*args, **options):
    os._exit(9)

def die_after_store(*args):
    store(*args)
    os._exit(9)

if place == "before the effect":
    submission.submit_job = die
elif place == "before the answer is written":
    idempotency._store = die
elif place == "before commit":
    idempotency._store = die_after_store
elif place == "after commit":
    api.Response = die
with_key(token).post(
    "/api/v1/jobs",
    {"operation": "image.restyle", "parameters": {"style": "dusk"}, "upload_id": upload},
    content_type="application/json",
    headers={"Idempotency-Key": "key-1"},
)
"""


def environment() -> dict[str, str]:
    """Return an environment in which a process works on this test's database."""
    database = connection.settings_dict
    address = (
        f"postgres://{database['USER']}:{quote(database['PASSWORD'])}"
        f"@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    return {
        **os.environ,
        "DATABASE_URL": address,
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("place", "is_done"),
    [
        ("before the effect", False),
        ("before the answer is written", False),
        ("before commit", False),
        ("after commit", True),
    ],
)
def test_has_one_effect_when_it_is_repeated(place, is_done):
    set_price(5)
    organization = make_organization()
    developer = make_member(organization, "developer")
    token = make_key(organization, developer, "jobs:read", "jobs:write")[1]
    upload = make_upload(organization, developer).public_id

    killed = subprocess.run(
        [sys.executable, "-c", PROCESS, place, token, upload],
        cwd=ROOT,
        env=environment(),
        check=False,
    )

    assert killed.returncode == 9
    assert (GenerationJob.objects.count(), available(organization)) == (
        (1, 95) if is_done else (0, 100)
    )

    def repeat():
        return with_key(token).post(
            JOBS,
            {"operation": OPERATION, "parameters": {"style": "dusk"}, "upload_id": upload},
            content_type="application/json",
            headers={"Idempotency-Key": "key-1"},
        )

    if not is_done:
        assert repeat().status_code == 409  # the dead one's claim lasts for its lease
        IdempotencyKey.objects.update(locked_until=Now())
    answer = repeat()
    assert (answer.status_code, "Idempotent-Replayed" in answer) == (201, is_done)
    assert repeat().json() == answer.json()
    assert (GenerationJob.objects.count(), available(organization)) == (1, 95)
