"""Links to pictures and results: for whom they work, until when, and what they tell."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
import structlog
from django.test import Client
from django.utils import timezone
from time_machine import travel

from apps.jobs.models import BlobUpload, GenerationArea
from apps.rbac.services.keys import revoke_key
from apps.rbac.services.members import leave
from config.logs import hide_links
from tests.jobs.work import make_job, make_upload, work_off
from tests.people import make_member, make_organization, signed_in

UPLOADS = "/api/v1/uploads"


def link_of(client, upload):
    return client.get(f"{UPLOADS}/{upload.public_id}").json()["url"]


def result_link(client, job):
    work_off()
    return client.get(f"/api/v1/jobs/{job.public_id}").json()["result_url"]


def status(link, client=None):
    return (client or Client()).get(link).status_code


class TestALinkOfAKey:
    def test_needs_nothing_else(self, client, organization, developer):
        upload = make_upload(organization, developer)

        answer = Client().get(link_of(client, upload))

        assert answer.status_code == 200
        assert (
            b"".join(answer.streaming_content) == upload.file.storage.open(upload.file.name).read()
        )

    def test_leads_to_a_result(self, client, organization, developer):
        answer = Client().get(result_link(client, make_job(organization, developer)))

        assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")

    def test_ends_when_it_says(self, client, organization, developer):
        body = client.get(f"{UPLOADS}/{make_upload(organization, developer).public_id}").json()
        ends = datetime.fromisoformat(body["url_expires_at"])

        assert timedelta(0) <= ends - timezone.now() - timedelta(minutes=15) <= timedelta(minutes=1)
        with travel(ends - timedelta(seconds=2)):
            assert status(body["url"]) == 200
        with travel(ends + timedelta(seconds=1)):
            assert status(body["url"]) == 404

    def test_ends_with_the_picture(self, client, organization, developer):
        upload = make_upload(organization, developer)
        soon = timezone.now() + timedelta(minutes=2)
        BlobUpload.objects.update(expires_at=soon)

        body = client.get(f"{UPLOADS}/{upload.public_id}").json()

        assert datetime.fromisoformat(body["url_expires_at"]) == soon

    def test_opens_nothing_else(self, client, organization, developer):
        one, other = (make_upload(organization, developer) for _ in range(2))
        link = link_of(client, one)

        assert status(link.replace(one.public_id, other.public_id)) == 404

    @pytest.mark.parametrize("change", [lambda link: link[:-1], lambda link: link + "A"])
    def test_cannot_be_changed(self, client, organization, developer, change):
        assert status(change(link_of(client, make_upload(organization, developer)))) == 404

    @pytest.mark.parametrize("link", ["", "?link=", "?link=cof_link_", "?link=cof_link_a:b"])
    def test_is_needed(self, organization, developer, link):
        upload = make_upload(organization, developer)

        assert status(f"/api/v1/files/{upload.public_id}{link}") == 404

    def test_ends_with_the_key(self, client, key_and_token, organization, developer):
        link = link_of(client, make_upload(organization, developer))

        revoke_key(key=key_and_token[0])

        assert status(link) == 404

    def test_ends_when_its_maker_leaves(self, client, organization, developer):
        link = link_of(client, make_upload(organization, developer))

        leave(organization=organization, user=developer)

        assert status(link) == 404

    def test_ends_with_the_file(self, client, organization, developer):
        link = result_link(client, make_job(organization, developer))
        GenerationArea.objects.update(result_gone_at=timezone.now())

        assert status(link) == 404


class TestALinkOfAPerson:
    @pytest.fixture
    def link(self, organization, developer):
        return link_of(signed_in(developer), make_upload(organization, developer))

    def test_opens_in_his_session(self, link, developer):
        assert status(link, signed_in(developer)) == 200

    def test_opens_for_nobody_else(self, link, organization):
        colleague = make_member(organization, "developer")
        stranger = make_member(make_organization(), "owner")

        assert status(link) == 404
        assert status(link, signed_in(colleague)) == 404
        assert status(link, signed_in(stranger)) == 404

    def test_opens_in_no_other_organization(self, organization, developer):
        other = make_organization()
        theirs = make_upload(other, make_member(other, "developer"))
        link = link_of(signed_in(developer), make_upload(organization, developer))
        mine = urlsplit(link).path.rpartition("/")[2]

        assert status(link.replace(mine, theirs.public_id), signed_in(developer)) == 404

    def test_ends_when_he_leaves(self, link, organization, developer):
        leave(organization=organization, user=developer)

        assert status(link, signed_in(developer)) == 404

    def test_shows_the_gallery(self, organization, developer):
        client = signed_in(developer)
        job = make_job(organization, developer)
        work_off()

        page = client.get(f"/o/{organization.slug}/jobs/{job.public_id}/").content.decode()

        links = [part.split('"')[0] for part in page.split('src="')[1:] if "/files/" in part[:40]]
        assert len(links) == 2
        assert {status(link, client) for link in links} == {200}


class TestWhatIsAnswered:
    def test_is_kept_nowhere_and_run_nowhere(self, client, organization, developer):
        upload = make_upload(organization, developer)
        BlobUpload.objects.update(filename='a"; x=y.html')

        answer = Client().get(link_of(client, upload))

        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Type"] == "image/png"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["Content-Disposition"] == r'inline; filename="a\"; x=y.html"'

    def test_leaves_no_link_in_the_logs(self, client, organization, developer):
        link = link_of(client, make_upload(organization, developer))
        event = hide_links(None, "info", {"request": f"GET {link}", "code": 200})

        token = link.partition("cof_link_")[2]
        assert len(token) > 40
        assert event["request"].endswith("?link=cof_link_…")
        assert structlog.processors.JSONRenderer()(None, "info", event).count(token) == 0
