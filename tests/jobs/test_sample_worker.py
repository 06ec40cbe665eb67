"""docs/guides/external_worker.py, which knows nothing of us, against the instance."""

import importlib.util
import threading
from email.message import Message
from io import BytesIO
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from apps.core.invariants import verify
from apps.jobs.models import GenerationArea
from tests.jobs.outside import make_external, make_worker_key, submit_outside
from tests.jobs.work import available, make_upload, picture
from tests.people import make_member, make_organization

SCRIPT = Path(__file__).parents[2] / "docs" / "guides" / "external_worker.py"
BOUND = 60  # seconds, after which something is broken; nothing waits for them


@pytest.fixture
def sample():
    """Return the program, read anew, so that no test finds it stopped."""
    spec = importlib.util.spec_from_file_location("external_worker", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def organization(transactional_db):
    make_external()
    return make_organization()


@pytest.fixture
def server(sample, organization, live_server):
    return sample.Server(live_server.url, make_worker_key()[1])


class TestTheSampleWorker:
    def test_does_all_that_waits_and_gives_back_what_it_cannot(self, organization, sample, server):
        good = submit_outside(organization, areas=2)
        developer = make_member(organization, "developer")
        blank = make_upload(organization, developer, picture(plain=True))
        bad = submit_outside(organization, upload=blank)

        assert sample.run(server, once=True) == 3

        for job, status in ((good, "completed"), (bad, "failed")):
            job.refresh_from_db()
            assert job.status == status
        assert available(organization) == 100 - 2 * 8
        assert bad.areas.get().error_code == "cannot_do"
        assert all(finding.failures == 0 for finding in verify())

    def test_says_why_it_cannot_do_it(self, organization, sample, server, monkeypatch):
        submit_outside(organization)
        gone = submit_outside(organization)
        gone.areas.update(upload=None)
        monkeypatch.setattr(sample, "work", lambda *_: b"no picture")

        sample.run(server, once=True)

        told = GenerationArea.objects.values_list("error_code", flat=True)
        assert sorted(told) == ["picture_gone", "result_refused"]
        assert gone.areas.get().error_message == "The picture is no longer kept."

    def test_takes_nothing_once_it_is_told_to_end(self, organization, sample, server):
        submit_outside(organization)
        sample.stopping.set()

        assert sample.run(server, once=True) == 0
        assert GenerationArea.objects.get().status == "pending"

    def test_gives_back_what_takes_too_long_when_it_is_told_to_end(
        self, organization, sample, server, monkeypatch
    ):
        submit_outside(organization)
        may_go_on = threading.Event()

        def take_long(*arguments) -> bytes:
            sample.stopping.set()
            may_go_on.wait(BOUND)
            raise sample.Lost

        monkeypatch.setattr(sample, "work", take_long)
        monkeypatch.setattr(sample, "PATIENCE", 0)

        sample.run(server, once=True)

        may_go_on.set()
        area = GenerationArea.objects.get()
        assert (area.status, area.claims) == ("pending", 1)

    def test_gives_back_what_it_breaks_on(self, organization, sample, server, monkeypatch):
        submit_outside(organization)
        monkeypatch.setattr(sample, "work", lambda *_: 1 / 0)

        sample.run(server, once=True)

        area = GenerationArea.objects.get()
        assert (area.status, area.error_code) == ("failed", "gave_up")
        assert available(organization) == 100

    def test_notices_that_its_claim_is_lost(self, organization, sample, server):
        submit_outside(organization)
        _, body, _ = server.call("POST", sample.CLAIMS, {})
        claim = sample.json.loads(body) | {"lease_seconds": 0.01}
        server.call("POST", f"{sample.CLAIMS}/{claim['id']}/release", {})

        heartbeat = sample.Heartbeat(server, claim)
        heartbeat.start()

        assert heartbeat.is_lost.wait(BOUND)
        with pytest.raises(sample.Lost):
            heartbeat.report(50)


class TestItsCalls:
    """Without a server: what it makes of answers."""

    @pytest.fixture
    def slept(self, sample, monkeypatch) -> list[float]:
        slept: list[float] = []
        monkeypatch.setattr(sample.time, "sleep", slept.append)
        return slept

    def answer(self, sample, monkeypatch, *answers) -> None:
        left = list(answers)

        def urlopen(request, timeout):
            one = left.pop(0)
            if isinstance(one, OSError):
                raise one
            return one

        monkeypatch.setattr(sample.urllib.request, "urlopen", urlopen)

    def error(self, status: int, **headers: str) -> HTTPError:
        told = Message()
        for name, value in headers.items():
            told[name.replace("_", "-")] = value
        return HTTPError("http://test", status, "no", told, BytesIO(b"{}"))

    def test_are_sent_again_after_an_outage_a_limit_and_no_network(
        self, sample, slept, monkeypatch
    ):
        ok = BytesIO(b"{}")
        ok.status, ok.headers = 200, {}
        failures = [self.error(503), self.error(429, Retry_After="7"), URLError("no network")]
        self.answer(sample, monkeypatch, *failures, ok)

        assert sample.Server("http://test", "key").call("POST", "/x", {})[0] == 200
        assert slept == [1.0, 7.0, 4.0]

    @pytest.mark.parametrize(("status", "meaning"), [(409, "Lost"), (401, "Refused")])
    def test_that_are_refused_are_not_sent_again(self, sample, slept, monkeypatch, status, meaning):
        self.answer(sample, monkeypatch, self.error(status))

        with pytest.raises(getattr(sample, meaning)):
            sample.Server("http://test", "key").call("POST", "/x", {})
        assert slept == []

    def test_end_some_time(self, sample, slept, monkeypatch):
        self.answer(sample, monkeypatch, *(self.error(500) for _ in range(sample.TRIES)))

        with pytest.raises(sample.Unreachable):
            sample.Server("http://test", "key").call("POST", "/x", {})
        assert len(slept) == sample.TRIES
