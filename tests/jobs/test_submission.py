"""Taking a job in, and cancelling it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.invariants import verify
from apps.credits.errors import InsufficientCredits, UnknownCreditEvent
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.grants import grant_credits
from apps.jobs.errors import (
    InvalidParameters,
    JobNotCancellable,
    UnknownOperation,
    UploadNotFound,
)
from apps.jobs.models import Attempt, BlobUpload, GenerationArea, GenerationJob
from apps.jobs.services import changing, expiring, submission
from apps.jobs.services.submission import AreaRequest
from apps.tenants.models import AuditLog
from tests.jobs.work import OPERATION, available, claim, make_job, make_upload, set_price
from tests.people import make_member, make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    set_price()
    return make_organization()


def submit(organization, **changes):
    user = make_member(organization, "developer")
    values = {
        "organization": organization,
        "user": user,
        "operation": OPERATION,
    }
    upload = changes.pop("upload", None) or make_upload(organization, user)
    parameters = changes.pop("parameters", {"style": "dusk"})
    areas = [AreaRequest(upload, parameters)]
    return submission.submit_job(**{**values, "areas": areas, **changes})


class TestSubmitJob:
    def test_charges_once_and_writes_the_job_down(self, organization):
        job = submit(organization)

        job.refresh_from_db()
        assert (job.status, job.cost, available(organization)) == ("pending", 5, 95)
        assert all(finding.failures == 0 for finding in verify())

    def test_says_that_the_trial_paid(self, organization):
        assert submit(organization).payment_type == "trial"

    def test_says_that_other_credits_paid_as_soon_as_one_did(self, organization):
        grant_credits(
            wallet=main_wallet(organization),
            amount=50,
            kind=Lot.Kind.PURCHASE,
            reference="payment:1",
            source="payment",
        )
        set_price(102)

        assert submit(organization).payment_type == "credits"

    def test_writes_nothing_when_the_organization_cannot_pay(self, organization):
        set_price(101)

        with pytest.raises(InsufficientCredits) as refusal, transaction.atomic():
            submit(organization)

        assert refusal.value.details["shortfall"] == 1
        assert not GenerationJob.objects.exists()
        assert not CreditTransaction.objects.filter(transaction_type="consumed").exists()

    def test_charges_nothing_for_what_is_free(self, organization):
        set_price(0)

        job = submit(organization)

        attempt = Attempt.objects.get(area__job=job)
        assert (attempt.charge_reference, attempt.cost, available(organization)) == ("", 0, 100)

    def test_keeps_the_price_of_its_day(self, organization):
        job = submit(organization)

        set_price(50)

        job.refresh_from_db()
        attempt = Attempt.objects.get(area__job=job)
        assert (job.cost, attempt.credit_event.credit_cost) == (5, 5)

    def test_refuses_an_operation_that_nobody_does(self, organization):
        with pytest.raises(UnknownOperation, match=r"image\.restyle"):
            submit(organization, operation="image.erase")

    def test_refuses_an_operation_without_a_price(self):
        with pytest.raises(UnknownCreditEvent):
            submit(make_organization())

    def test_refuses_parameters_that_the_operation_cannot_work_with(self, organization):
        with pytest.raises(InvalidParameters, match="style"):
            submit(organization, parameters={"style": "neon"})

    def test_refuses_a_picture_of_another_organization(self, organization):
        other = make_organization()
        upload = make_upload(other, make_member(other, "developer"))

        with pytest.raises(UploadNotFound):
            submit(organization, upload=upload)

    def test_refuses_a_picture_past_its_date(self, organization):
        upload = make_upload(organization, make_member(organization, "developer"))
        BlobUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        with pytest.raises(UploadNotFound):
            submit(organization, upload=upload)

    def test_leaves_an_audit_row(self, organization):
        job = submit(organization)

        assert AuditLog.objects.filter(action="job.submit", object_id=job.public_id).count() == 1


class TestCancelJob:
    def test_gives_the_credits_back(self, organization):
        job = changing.cancel_job(job=submit(organization))

        assert (job.status, available(organization)) == ("cancelled", 100)
        assert all(finding.failures == 0 for finding in verify())

    def test_refuses_a_second_time_and_gives_nothing_more(self, organization):
        job = changing.cancel_job(job=submit(organization))

        with pytest.raises(JobNotCancellable, match="cancelled"):
            changing.cancel_job(job=job)

        assert available(organization) == 100

    def test_refuses_what_a_worker_has_begun(self, organization):
        job = submit(organization)
        claim()

        with pytest.raises(JobNotCancellable, match="processing"):
            changing.cancel_job(job=job)

        assert available(organization) == 95


class TestTheCourseOfAJob:
    @pytest.mark.parametrize("status", ["pending", "processing", "failed"])
    def test_does_not_go_on_after_its_end(self, organization, status):
        job = changing.cancel_job(job=submit(organization))

        with pytest.raises(IntegrityError, match="cannot go from cancelled"), transaction.atomic():
            GenerationJob.objects.filter(pk=job.pk).update(status=status)

    def test_does_not_end_before_it_began(self, organization):
        job = submit(organization)

        with pytest.raises(IntegrityError, match="cannot go from pending to completed"):
            GenerationJob.objects.filter(pk=job.pk).update(status="completed")

    def test_needs_a_claim_while_it_runs(self, organization):
        job = submit(organization)

        with pytest.raises(IntegrityError, match="jobs_area_claimed_while_processing"):
            GenerationArea.objects.filter(job=job).update(status="processing")


class TestDeleteExpiredUploads:
    def test_deletes_file_and_row_past_their_date(self, organization):
        upload = make_upload(organization, make_member(organization, "developer"))
        BlobUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        assert expiring.delete_expired_uploads() == 1

        assert not BlobUpload.objects.exists()
        assert not upload.file.storage.exists(upload.file.name)

    def test_keeps_what_a_waiting_job_needs(self, organization):
        make_job(organization)
        BlobUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        assert expiring.delete_expired_uploads() == 0
