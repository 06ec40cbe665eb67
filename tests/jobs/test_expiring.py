"""What becomes of files: past their date, without a row, and rows without a file."""

import os
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from apps.jobs.errors import PictureGone, ResultGone
from apps.jobs.models import BlobUpload, GenerationArea
from apps.jobs.selectors import result_of
from apps.jobs.services import changing, expiring
from apps.jobs.services.uploads import forget_uploads_of
from apps.jobs.tasks import sweep_jobs
from apps.tenants.models import AuditLog
from tests.jobs.work import claim, make_job, make_upload, set_price, work_off
from tests.people import make_member, make_organization, signed_in

LONG_AGO = timedelta(days=2)
TICK = timedelta(milliseconds=1)
REFUSED = ClientError({}, "HeadObject")  # as a bucket refuses whatever it is asked


@pytest.fixture
def folder(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def organization(transactional_db, folder):
    set_price()
    return make_organization()


@pytest.fixture
def developer(organization):
    return make_member(organization, "developer")


@pytest.fixture
def done(organization, developer):
    """An area with a result."""
    job = make_job(organization, developer)
    work_off()
    return GenerationArea.objects.get(job=job)


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def age(folder):
    """Let every file be two days old."""
    then = (timezone.now() - LONG_AGO).timestamp()
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def past():
    """Let results and uploads be past their date."""
    then = timezone.now() - timedelta(minutes=1)
    for number, upload in enumerate(BlobUpload.objects.order_by("id")):  # the oldest first
        BlobUpload.objects.filter(pk=upload.pk).update(expires_at=then + number * TICK)
    GenerationArea.objects.filter(result_expires_at__isnull=False).update(result_expires_at=then)


class TestResults:
    def test_are_kept_until_a_date(self, done, settings):
        kept = done.result_expires_at - done.completed_at

        assert abs(kept - timedelta(days=settings.RESULT_DAYS)) < timedelta(minutes=1)
        assert expiring.delete_expired_results() == 0

    def test_go_with_their_file_when_they_are_past_it(self, done):
        past()

        assert expiring.delete_expired_results() == 1

        done.refresh_from_db()
        assert done.result_gone_at is not None
        assert not default_storage.exists(str(done.result))
        assert expiring.delete_expired_results() == 0

    def test_say_so_afterwards(self, done, organization, developer):
        client = signed_in(developer)
        here = f"/o/{organization.slug}/jobs/{done.job.public_id}/"
        assert "Kept until" in client.get(here).content.decode()
        past()
        done.refresh_from_db()

        with pytest.raises(ResultGone, match="Submit the job again"):
            result_of(done)

        assert client.get(f"{here}areas/1/result/").status_code == 410
        assert "No longer kept" in client.get(here).content.decode()

    def test_and_uploads_go_by_the_clock(self, done, folder):
        past()

        sweep_jobs()

        assert files(folder) == []


class TestUploads:
    def test_of_a_job_that_runs_stay(self, organization, developer, folder):
        make_job(organization, developer)
        assert claim()
        past()

        assert expiring.delete_expired_uploads() == 0
        assert len(files(folder)) == 1

    def test_of_a_job_that_has_ended_go_and_the_job_stays(self, done, organization):
        past()

        assert expiring.delete_expired_uploads() == 1

        done.refresh_from_db()
        assert done.upload is None

    def test_cannot_be_tried_again_without(self, organization, developer):
        job = make_job(organization, developer, plain=True)
        work_off()
        past()
        expiring.delete_expired_uploads()

        with pytest.raises(PictureGone):
            changing.retry_job(job=job, by=job.user)

    def test_of_which_many_are_due_go_in_batches(self, organization, developer):
        for _ in range(3):
            make_upload(organization, developer)
        past()

        assert [expiring.delete_expired_uploads(limit=2) for _ in range(3)] == [2, 1, 0]

    def test_that_a_job_needs_do_not_keep_others_waiting(self, organization, developer):
        make_job(organization, developer)
        make_upload(organization, developer)
        past()

        assert expiring.delete_expired_uploads(limit=1) == 1

    def test_of_a_person_who_is_erased_go(self, organization, developer, folder):
        make_upload(organization, developer)
        other = make_upload(organization, make_member(organization, "developer"))

        forget_uploads_of(user=developer)
        expiring.delete_expired_uploads()

        assert files(folder) == [Path(other.file.name).name]


class TestCompareFiles:
    def orphan(self, organization):
        return default_storage.save(f"uploads/{organization.id}/orphan.png", ContentFile(b"a"))

    def test_finds_nothing_where_all_is_well(self, done, folder):
        age(folder)

        found = expiring.compare_files()

        assert (found.files, found.orphans, found.lost) == (2, [], [])
        assert len(files(folder)) == 2

    def test_deletes_files_without_a_row(self, done, organization, folder):
        orphan = self.orphan(organization)
        age(folder)

        assert expiring.compare_files().orphans == [orphan]

        assert not default_storage.exists(orphan)
        assert len(files(folder)) == 2

    def test_leaves_a_file_alone_whose_row_may_be_on_its_way(self, organization):
        orphan = self.orphan(organization)

        assert expiring.compare_files().orphans == []
        assert default_storage.exists(orphan)

    @pytest.mark.parametrize("error", [FileNotFoundError(), REFUSED], ids=["disk", "bucket"])
    def test_goes_on_where_a_file_went_meanwhile(self, organization, monkeypatch, error):
        orphan = self.orphan(organization)

        def look(name):
            default_storage.delete(name)
            raise error

        monkeypatch.setattr(default_storage, "get_modified_time", look)

        assert expiring.compare_files() == expiring.Comparison(files=1)
        assert not default_storage.exists(orphan)

    def test_does_not_take_a_storage_that_fails_for_a_file_that_is_gone(
        self, organization, monkeypatch
    ):
        orphan = self.orphan(organization)

        def look(name):
            raise REFUSED

        monkeypatch.setattr(default_storage, "get_modified_time", look)

        with pytest.raises(ClientError):
            expiring.compare_files()
        assert default_storage.exists(orphan)

    def test_goes_on_where_a_row_went_meanwhile(self, organization, developer, monkeypatch):
        upload = make_upload(organization, developer)
        default_storage.delete(str(upload.file))

        def look(name):
            BlobUpload.objects.filter(pk=upload.pk).delete()
            return False

        monkeypatch.setattr(default_storage, "exists", look)

        assert expiring.compare_files().lost == []

    def test_leaves_alone_what_is_not_ours(self, organization, folder):
        default_storage.save("uploads/elsewhere/a.png", ContentFile(b"a"))
        default_storage.save("exports/a.zip", ContentFile(b"a"))
        age(folder)

        assert expiring.compare_files().orphans == []
        assert len(files(folder)) == 2

    def test_deletes_a_result_whose_row_says_that_it_is_gone(self, done, folder):
        GenerationArea.objects.update(result_gone_at=timezone.now())
        age(folder)

        assert expiring.compare_files().orphans == [str(done.result)]

    def test_marks_what_has_lost_its_file(self, done, organization):
        upload = done.upload
        default_storage.delete(str(upload.file))
        default_storage.delete(str(done.result))

        found = expiring.compare_files()

        done.refresh_from_db()
        assert set(found.lost) == {upload.public_id, done.public_id}
        assert (done.upload, BlobUpload.objects.count()) == (None, 0)
        assert done.result_gone_at is not None
        told = AuditLog.objects.filter(action__endswith=".lost")
        assert set(told.values_list("action", flat=True)) == {"upload.lost", "result.lost"}
        assert expiring.compare_files().lost == []

    def test_lets_a_job_find_out_itself_that_its_picture_is_lost(self, organization, developer):
        job = make_job(organization, developer)
        upload = BlobUpload.objects.get()
        default_storage.delete(str(upload.file))

        expiring.compare_files()
        assert BlobUpload.objects.count() == 1
        work_off()

        job.refresh_from_db()
        assert (job.status, job.refunded) == ("failed", job.cost)

    def test_only_tells_on_a_dry_run(self, done, organization, folder):
        orphan = self.orphan(organization)
        default_storage.delete(str(done.result))
        age(folder)
        before, out = files(folder), StringIO()

        call_command("sweep_files", "--dry-run", stdout=out)

        assert files(folder) == before
        assert GenerationArea.objects.get().result_gone_at is None
        told = out.getvalue().splitlines()
        assert told[:2] == [f"orphan {orphan}", f"lost {done.public_id}"]
        assert told[2] == "files=2 orphans=1 lost=1 (nothing was changed)"

    def test_is_a_command_that_deletes_what_is_past_its_date_as_well(self, done, folder):
        past()
        out = StringIO()

        call_command("sweep_files", stdout=out)

        assert files(folder) == []
        assert out.getvalue() == "uploads=1 results=1\nfiles=0 orphans=0 lost=0\n"
