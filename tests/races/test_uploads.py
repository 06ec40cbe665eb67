"""Uploads and results that several want at once: real connections, real commits."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from apps.jobs.errors import UploadInUse, UploadNotFound, UploadQuotaReached
from apps.jobs.models import BlobUpload, GenerationArea, GenerationJob
from apps.jobs.services import expiring, submission, uploads
from apps.jobs.services.submission import AreaRequest
from tests.jobs.work import OPERATION, make_areas, make_upload, set_price, work_off
from tests.people import make_member, make_organization
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4


@pytest.fixture
def organization():
    set_price()
    return make_organization()


@pytest.fixture
def developer(organization):
    return make_member(organization, "developer")


class TestWorkersThatSweep:
    def test_delete_each_file_once(self, organization, developer):
        make_areas(organization, developer, plain=[False] * 6)
        for _ in range(7):
            make_upload(organization, developer)
        work_off()
        then = timezone.now() - timedelta(seconds=1)
        BlobUpload.objects.update(expires_at=then)
        GenerationArea.objects.update(result_expires_at=then)

        swept = at_once([lambda: expiring.delete_expired_uploads(limit=3)] * WORKERS)
        swept += at_once([lambda: expiring.delete_expired_results(limit=3)] * WORKERS)

        rest = expiring.delete_expired_uploads() + expiring.delete_expired_results()
        assert sum(swept) + rest == 8 + 6
        assert default_storage.listdir(f"uploads/{organization.id}")[1] == []
        assert default_storage.listdir(f"results/{organization.id}")[1] == []

    def test_compare_without_getting_in_each_others_way(self, organization, developer):
        make_areas(organization, developer)
        lost = make_upload(organization, developer)
        default_storage.delete(lost.file.name)

        at_once([expiring.compare_files] * WORKERS)

        assert BlobUpload.objects.count() == 1
        assert expiring.compare_files().lost == []


class TestAPictureThatIsDeletedAndSubmitted:
    @pytest.mark.parametrize("attempt", range(3))
    def test_is_one_or_the_other(self, organization, developer, attempt):
        upload = make_upload(organization, developer)

        def submit():
            try:
                submission.submit_job(
                    organization=organization,
                    user=developer,
                    operation=OPERATION,
                    areas=[AreaRequest(upload, {"style": "dusk"})],
                )
            except UploadNotFound:
                return "refused"
            return "submitted"

        def delete():
            try:
                uploads.delete_upload(upload=upload)
            except UploadInUse:
                return "refused"
            return "deleted"

        ends = at_once([submit, delete])

        assert set(ends) in ({"submitted", "refused"}, {"deleted", "refused"})
        assert GenerationJob.objects.count() == BlobUpload.objects.count()
        assert not GenerationArea.objects.filter(upload=None).exists()


class TestTheLastRoom:
    def test_is_given_once(self, organization, developer, monkeypatch):
        size = make_upload(organization, developer).size
        monkeypatch.setattr(uploads, "MEGABYTE", size * 2)
        monkeypatch.setattr(settings, "UPLOAD_QUOTA_MB", 1)

        def store():
            try:
                return make_upload(organization, developer).size
            except UploadQuotaReached:
                return 0

        assert sorted(at_once([store] * WORKERS)) == [0, 0, 0, size]
