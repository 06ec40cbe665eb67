"""Files that break off, lie or hide: each is taken or refused, and none breaks anything."""

import os
import random
import resource
import tempfile
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Sum
from django.test import Client
from PIL import Image

from apps.jobs.errors import PictureRefused
from apps.jobs.models import GenerationJob
from apps.jobs.services import uploads
from apps.jobs.services.pictures import LARGEST_PICTURE, Picture
from apps.tenants.models import Organization, User
from figures.lines import SEED, Report, scaled
from figures.walls import quiet
from tests.database import migrated_database
from tests.jobs import hostile
from tests.jobs.work import OPERATION, available, set_price, work_off
from tests.people import make_key, make_member, make_organization, with_key
from tests.roles import web_role_for_requests

FILES = 2400
ASKED = 2000
BY_API = 12  # of so many files one goes through the API and on into a job
MEMORY = 1024 * 1024  # KiB that the process may grow by: some copies of the largest picture
ALLOWED = {201, 400, 409, 413}


def main() -> None:
    """Print the figure alone."""
    report = Report()
    with migrated_database(), web_role_for_requests():
        uploads_fuzzed(report)
    report.end()


def uploads_fuzzed(report: Report) -> None:
    """Give all files to the service, some to the API; then let an inspector trust the header."""
    warnings.simplefilter("ignore")  # Pillow tells of each oddity that it meets
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(settings, "MEDIA_ROOT", Path(folder)),
        mock.patch.object(settings, "UPLOAD_QUOTA_MB", 100_000),
        quiet(),
        report.figure("uploads_fuzzed", asked=scaled(ASKED)) as figure,
    ):
        place = Place()
        before = memory()
        for number, (name, content) in enumerate(files(scaled(FILES))):
            figure.examined += 1
            problem = place.give(name, content, by_api=number % BY_API == 0)
            if problem:
                figure.failures += 1
                print(f"    {name[:60]!r}: {problem}")
        figure.failures += place.unfair_charges()
        figure.failures += int(memory() - before > MEMORY)
        # Of a service that refuses all, or takes all, this would show nothing.
        figure.failures += int(not figure.examined * 0.1 < place.taken < figure.examined * 0.9)
        with mock.patch.object(uploads, "inspect", trusting):
            noticed = [place.keep_lie(name, content) for name, content in hostile.lying().items()]
        figure.control = "red" if any(noticed) else "green"
        print(f"    kept by an inspector that trusts, and noticed: {sum(map(bool, noticed))}")


def files(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents: all that are known to be bad, then damage to those that work."""
    by = random.Random(SEED)
    good = [*hostile.plain().values(), *hostile.telling().values()]
    made = [*hostile.lying().values(), *good, *polyglots(good)]
    # Broken off at every place where a file says something, and at some of all others.
    cuts = [one[:end] for one in good for end in (*range(1, 41, 3), len(one) // 2, len(one) - 1)]
    made += cuts
    while len(made) < count:
        made.append(hostile.damaged(by.choice(good), by))
    for content in made:
        yield by.choice((*hostile.NAMES, "a.png", "a.jpeg", "a.html")), content


def polyglots(good: list[bytes]) -> list[bytes]:
    """Return files that are two things at once."""
    page, archive = b"<html><script>alert(1)</script>", b"PK\x03\x04" + b"\0" * 60
    return [one + page for one in good] + [page + one for one in good[:3]] + [good[0] + archive]


class Place:
    """An organization that uploads, and what it has left."""

    def __init__(self) -> None:
        set_price(1)
        self.organization: Organization = make_organization()
        self.user: User = make_member(self.organization, "developer")
        _, token = make_key(self.organization, self.user, "jobs:read", "jobs:write")
        self.client: Client = with_key(token)
        self.client.raise_request_exception = False
        self.credits = available(self.organization)
        self.taken = 0

    def give(self, name: str, content: bytes, *, by_api: bool = False) -> str:
        """Give a file in; return what is wrong with the answer, or nothing."""
        if by_api:
            return self.send(name, content)
        try:
            filename, kept = self.keep(name, content)
            problem = unsound(kept)
        except PictureRefused:
            return ""
        except Exception as error:  # what the fuzz looks for
            return repr(error)
        self.taken += 1
        return problem or unsafe(filename)

    def keep(self, name: str, content: bytes) -> tuple[str, bytes]:
        """Store a file for a moment; return what it is called then, and what was kept of it."""
        with transaction.atomic():
            upload = uploads.store_upload(
                organization=self.organization,
                user=self.user,
                file=ContentFile(content, name=name),
            )
            kept = default_storage.open(str(upload.file)).read()
            transaction.set_rollback(True)
        default_storage.delete(str(upload.file))
        return upload.filename, kept

    def keep_lie(self, name: str, content: bytes) -> str:
        """Return what is seen to be wrong with what was kept; that something breaks is no proof."""
        try:
            return unsound(self.keep(name, content)[1])
        except Exception:  # Pillow's own, or the database's: neither says what was kept
            return ""

    def send(self, name: str, content: bytes) -> str:
        """Send the file to the API, and submit a job with what came of it."""
        answer = self.client.post("/api/v1/uploads", **form(name, content))
        if answer.status_code not in ALLOWED:
            return f"status {answer.status_code}"
        is_kept = answer.status_code == 201
        body = {
            "operation": OPERATION,
            "parameters": {"style": "dusk"},
            "upload_id": answer.json()["id"] if is_kept else "upl_none",
        }
        job = self.client.post(
            "/api/v1/jobs",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": str(uuid4())},
        )
        return "" if job.status_code == (201 if is_kept else 400) else f"job {job.status_code}"

    def unfair_charges(self) -> int:
        """Work on what was submitted; return how many credits were kept for what has no result."""
        work_off()
        jobs = GenerationJob.objects.filter(organization=self.organization)
        done = jobs.aggregate(done=Sum("completed_areas", default=0))["done"]
        return abs(self.credits - available(self.organization) - done)


def form(name: str, content: bytes) -> dict[str, Any]:
    """Return a form with the file, its name as it is, and a type that says something else."""
    head = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="'
    written = name.encode(errors="surrogateescape")
    body = head + written + b'"\r\nContent-Type: text/html\r\n\r\n' + content + b"\r\n--b--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=b"}


def unsound(content: bytes) -> str:
    """Return what is wrong with a picture that was kept: each must be small, whole and plain."""
    with Image.open(BytesIO(content)) as kept:
        if kept.width * kept.height > LARGEST_PICTURE:
            return "more pixels than are taken"
        kept.load()
        if getattr(kept, "n_frames", 1) != 1 or kept.getexif() or hostile.SECRET in content:
            return "something beside its pixels was kept"
    return ""


def unsafe(filename: str) -> str:
    """Return what is wrong with a name that was kept."""
    is_plain = filename.isprintable() and "/" not in filename and len(filename) <= 200
    return "" if is_plain else f"kept as {filename!r}"


def trusting(content: bytes) -> Picture:
    """Believe the header of a file: the control, in which something must be noticed."""
    try:
        with Image.open(BytesIO(content)) as opened:
            kind = str(opened.format)
            return Picture(content, f"image/{kind.lower()}", kind.lower(), *opened.size)
    except OSError as error:
        raise PictureRefused(problem="This is no picture.") from error


def memory() -> int:
    """Return the most memory that this process has had, in KiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if os.uname().sysname == "Darwin" else peak


if __name__ == "__main__":
    main()
