"""Where files are kept: the settings of a bucket, and the links that it signs. No network."""

from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from botocore.awsrequest import AWSResponse
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.test import override_settings
from django.utils import timezone
from time_machine import travel

from apps.core import scope
from apps.core.checks import files_are_private
from apps.core.files import StoredFile, bucket_address, handed_out
from apps.core.links import link_to
from config.storage import MOST_LINK_MINUTES, bucket, origin_of

FILE = StoredFile("results/one.png", "image/png", 'a"b.png')
NOTHING = SimpleNamespace(read=bytes, stream=lambda *args, **options: iter([b""]))
MOST_SIGNED_SECONDS = 7 * 24 * 60 * 60  # by S3
SECRET = "not-for-any-link"


def settings_of(endpoint="", **options):
    storage = bucket(
        name="coffer-files",
        endpoint=endpoint,
        region="eu-central-1",
        key_id="AKIAEXAMPLE",
        secret=SECRET,
    )
    storage["OPTIONS"].update(options)
    return {"STORAGE": "s3", "STORAGES": {**storages.backends, "default": storage}}


@pytest.fixture(params=["", "https://minio.example:9000"], ids=["aws", "another"])
def in_bucket(request):
    with override_settings(**settings_of(request.param)):
        yield


class TestABucket:
    def test_signs_links_that_end_and_say_what_comes(self, in_bucket):
        link = urlsplit(bucket_address(FILE, seconds=300))

        told = {name: value for name, (value,) in parse_qs(link.query).items()}
        assert told["X-Amz-Expires"] == "300"
        assert told["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
        assert told["response-content-type"] == "image/png"
        assert told["response-content-disposition"] == r'inline; filename="a\"b.png"'
        assert told["response-cache-control"] == "private, no-store"
        assert SECRET not in link.geturl()

    def test_signs_the_longest_link_that_may_be_set(self, in_bucket, settings):
        settings.LINK_MINUTES = MOST_LINK_MINUTES
        somebody = scope.Scope(user_id=UUID(int=1))

        with travel("2026-11-21T12:00:01Z", tick=False), scope.entered(somebody):
            link = link_to(
                FILE,
                file_id="upl_1",
                address="",
                organization_id=UUID(int=2),
                until=timezone.now() + timedelta(days=30),
            )

        assert link is not None
        (seconds,) = parse_qs(urlsplit(link.url).query)["X-Amz-Expires"]
        assert int(seconds) == MOST_SIGNED_SECONDS - 1

    def test_is_named_to_the_browser(self, in_bucket):
        link = bucket_address(FILE, seconds=300)

        assert link.startswith(origin_of(settings.STORAGES["default"]))

    def test_hands_its_files_out_itself(self, in_bucket):
        answer = handed_out(FILE)

        assert answer.status_code == 302
        assert "response-content-disposition=attachment" in answer["Location"]
        assert (answer["Cache-Control"], answer["Referrer-Policy"]) == (
            "private, no-store",
            "no-referrer",
        )

    def test_is_told_nothing_that_would_open_a_file(self, in_bucket):
        sent = []

        def answer(request, **details):
            sent.append(request)
            return AWSResponse(request.url, 404 if request.method == "HEAD" else 200, {}, NOTHING)

        default_storage.connection.meta.client.meta.events.register("before-send.s3", answer)

        assert default_storage.save("uploads/a.png", ContentFile(b"a")) == "uploads/a.png"
        assert [request.method for request in sent] == ["HEAD", "PUT"]
        assert "x-amz-acl" not in {name.lower() for name in sent[1].headers}
        assert sent[1].headers["Content-Type"] == b"image/png"


class TestTheCheck:
    @pytest.mark.usefixtures("in_bucket")
    def test_finds_nothing(self):
        assert files_are_private() == []

    def test_finds_nothing_on_a_disk(self):
        assert files_are_private() == []

    @pytest.mark.parametrize(
        ("endpoint", "options", "found"),
        [
            ("http://minio.example", {}, "storage.E1"),
            ("", {"secret_key": None}, "storage.E2"),
            ("", {"default_acl": "public-read"}, "storage.E3"),
            ("", {"querystring_auth": False}, "storage.E3"),
        ],
    )
    def test_finds_what_lets_others_read(self, endpoint, options, found):
        with override_settings(**settings_of(endpoint, **options)):
            assert [problem.id for problem in files_are_private()] == [found]
