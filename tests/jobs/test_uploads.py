"""Uploads: what is kept of a file, how much of them, listing and deleting."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.bodies import LARGEST_BODY
from apps.core.ids import encode, new_id
from apps.jobs.errors import UploadInUse, UploadNotFound, UploadQuotaReached
from apps.jobs.models import BlobUpload
from apps.jobs.services import changing, uploads
from apps.jobs.services.pictures import LARGEST_FILE
from apps.tenants.models import AuditLog
from tests.jobs import hostile
from tests.jobs.work import make_job, make_upload, picture, work_off
from tests.people import make_key, make_member, make_organization, signed_in, with_key
from tests.problem_documents import problem_of

UPLOADS = "/api/v1/uploads"


def send(client, content):
    file = SimpleUploadedFile("a.png", content, content_type="image/png")
    return client.post(UPLOADS, {"picture": file})


class TestStoreUpload:
    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\pictures\\holiday.png", "holiday.png"),
            ("a\x00b\r\n\u202egnp.exe", "abgnp.exe"),
            ("n" * 5000, "n" * 200),
            ("..", ".."),
            ("bild\udcff.png", "bild.png"),
        ],
    )
    def test_keeps_of_a_name_what_can_be_shown(self, organization, developer, name, kept):
        file = ContentFile(picture(), name=name)

        upload = uploads.store_upload(organization=organization, user=developer, file=file)

        assert upload.filename == kept
        assert upload.file.name == f"uploads/{organization.id}/{upload.id}.png"

    def test_keeps_the_same_picture_twice_each_with_its_date(self, organization, developer):
        first, second = (make_upload(organization, developer) for _ in range(2))

        assert (first.sha256, first.file.name) == (second.sha256, first.file.name)
        assert first.file.name != second.file.name

    def test_keeps_no_more_than_the_organization_may(self, organization, developer, settings):
        settings.UPLOAD_QUOTA_MB = 1
        first = make_upload(organization, developer)
        BlobUpload.objects.update(size=uploads.MEGABYTE)
        folder = f"uploads/{organization.id}"

        with pytest.raises(UploadQuotaReached, match="1 of 1 MB"):
            make_upload(organization, developer)

        assert len(first.file.storage.listdir(folder)[1]) == 1
        assert make_upload(make_organization(), developer), "others have room of their own"

    def test_leaves_no_file_if_the_room_is_gone_meanwhile(
        self, organization, developer, monkeypatch
    ):
        answers = iter([0, 10**12])
        monkeypatch.setattr(uploads.selectors, "kept_bytes", lambda organization: next(answers))

        with pytest.raises(UploadQuotaReached):
            make_upload(organization, developer)

        assert BlobUpload().file.storage.listdir(f"uploads/{organization.id}")[1] == []


class TestDeleteUpload:
    def test_deletes_row_and_file_and_says_who_did(self, organization, developer):
        upload = make_upload(organization, developer)

        uploads.delete_upload(upload=upload)

        assert not upload.file.storage.exists(upload.file.name)
        assert AuditLog.objects.get(action="upload.delete").object_id == upload.public_id

    def test_locks_the_picture_alone(self, organization, developer):
        upload = make_upload(organization, developer)

        with CaptureQueriesContext(connection) as asked:
            uploads.delete_upload(upload=upload)

        locks = [one["sql"] for one in asked if "FOR UPDATE" in one["sql"]]
        assert [sql.partition("FOR UPDATE")[2] for sql in locks] == [' OF "jobs_blobupload"']

    def test_waits_for_the_job_that_needs_it(self, organization, developer):
        job = make_job(organization, developer)
        upload = BlobUpload.objects.get()

        with pytest.raises(UploadInUse):
            uploads.delete_upload(upload=upload)
        assert upload.file.storage.exists(upload.file.name)
        changing.cancel_job(job=job)
        uploads.delete_upload(upload=upload)

        assert job.areas.get().upload is None

    def test_lets_no_job_begin_with_what_is_gone(self, organization, developer):
        upload = make_upload(organization, developer)
        gone = BlobUpload.objects.get(pk=upload.pk)
        uploads.delete_upload(upload=upload)

        with pytest.raises(UploadNotFound), uploads.transaction.atomic():
            uploads.hold_uploads(organization, [gone])


class TestTheApi:
    def test_keeps_lists_shows_and_deletes(self, client):
        made = send(client, picture())
        upload_id = made.json()["id"]
        place = f"{UPLOADS}/{upload_id}"

        listed = client.get(UPLOADS).json()["data"]
        shown = client.get(place).json()

        assert made.status_code == 201
        assert [one["id"] for one in listed] == [shown["id"]] == [upload_id]
        assert client.get(shown["url"]).status_code == 200
        assert client.delete(place).status_code == 204
        assert client.get(UPLOADS).json()["data"] == []
        assert client.delete(place).status_code == client.get(place).status_code == 404

    def test_says_413_of_too_many_bytes_before_it_reads_them(self, client):
        head = {"CONTENT_LENGTH": str(LARGEST_FILE * 2)}
        answer = client.post(UPLOADS, b"", content_type="multipart/form-data; boundary=b", **head)

        assert problem_of(answer, status=413)["code"] == "picture_too_large"

    @pytest.mark.parametrize("content", [b"\0" * (LARGEST_FILE + 1), hostile.png(40_001, 1000)])
    def test_says_413_of_too_many_bytes_and_pixels(self, client, content):
        assert problem_of(send(client, content), status=413)["code"] == "picture_too_large"

    def test_says_what_to_do_when_there_is_no_room(self, client, settings, developer, organization):
        settings.UPLOAD_QUOTA_MB = 1
        make_upload(organization, developer)
        BlobUpload.objects.update(size=uploads.MEGABYTE - 1)

        problem = problem_of(send(client, picture()), status=409)

        assert problem["code"] == "upload_quota_reached"
        assert "Delete some" in problem["detail"]

    def test_deletes_nothing_that_a_job_needs(self, client, organization, developer):
        make_job(organization, developer)
        upload = BlobUpload.objects.get()

        problem = problem_of(client.delete(f"{UPLOADS}/{upload.public_id}"), status=409)
        work_off()

        assert problem["code"] == "upload_in_use"
        assert client.delete(f"{UPLOADS}/{upload.public_id}").status_code == 204

    def test_knows_nothing_of_another_organizations(self, client):
        other = make_organization()
        theirs = make_upload(other, make_member(other, "developer")).public_id
        nobodys = encode("upl", new_id())

        answers = [
            answer
            for one in (theirs, nobodys)
            for answer in (client.get(f"{UPLOADS}/{one}"), client.delete(f"{UPLOADS}/{one}"))
        ]

        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.json()["detail"] for answer in answers}) == 1
        assert client.get(UPLOADS).json()["data"] == []
        assert BlobUpload.objects.count() == 1

    def test_asks_for_the_scope(self, organization, developer):
        upload = make_upload(organization, developer)
        _, token = make_key(organization, developer, "jobs:read")

        assert with_key(token).delete(f"{UPLOADS}/{upload.public_id}").status_code == 403

    def test_asks_as_often_for_many(self, client, organization, developer):
        def asked():
            make_upload(organization, developer)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(UPLOADS).status_code == 200
            return len(queries)

        asked()
        assert asked() == asked()


class TestThePage:
    def test_shows_what_is_kept_and_until_when(self, organization, developer):
        make_upload(organization, developer)
        client = signed_in(developer)

        page = client.get(f"/o/{organization.slug}/jobs/pictures/").content.decode()

        assert "picture.png" in page
        assert "Kept until" in page
        assert "of 1000.0" in page
        link = page.split('src="/api/v1/files/')[1].split('"')[0]
        assert client.get(f"/api/v1/files/{link}").status_code == 200

    def test_deletes_one(self, organization, developer):
        upload = make_upload(organization, developer)
        place = f"/o/{organization.slug}/jobs/pictures/"

        answer = signed_in(developer).post(f"{place}{upload.public_id}/delete/", follow=True)

        assert "The picture was deleted." in answer.content.decode()
        assert not BlobUpload.objects.exists()

    def test_says_why_one_cannot_be_deleted(self, organization, developer):
        make_job(organization, developer)
        upload = BlobUpload.objects.get()
        place = f"/o/{organization.slug}/jobs/pictures/{upload.public_id}/delete/"

        answer = signed_in(developer).post(place)

        assert answer.status_code == 409
        assert "Delete it once the job has ended" in answer.content.decode()

    @pytest.mark.parametrize("place", ["/o/{}/jobs/new/", "/api/v1/jobs"])
    def test_reads_nothing_of_what_nobody_takes(self, organization, developer, place):
        client = signed_in(developer)

        answer = client.post(place.format(organization.slug), CONTENT_LENGTH=str(LARGEST_BODY + 1))

        assert answer.status_code == 413
        assert "at most 201 MB" in answer.content.decode()

    def test_lets_readers_only_look(self, organization, developer):
        upload = make_upload(organization, developer)
        reader = signed_in(make_member(organization, "read-only"))
        place = f"/o/{organization.slug}/jobs/pictures/"

        assert "delete/" not in reader.get(place).content.decode()
        assert reader.post(f"{place}{upload.public_id}/delete/").status_code == 403
