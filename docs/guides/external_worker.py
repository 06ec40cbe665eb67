#!/usr/bin/env python3
"""
A worker for Coffer that runs wherever it likes: `image.outline`, as an example.

    COFFER_URL=https://coffer.example COFFER_WORKER_KEY=cof_work_… python3 external_worker.py

It needs Python 3.12 and Pillow, and nothing of Coffer. With `--once` it ends when nothing is
left to do. SIGTERM and SIGINT let it finish what it has, or give it back if that takes more
than 20 seconds; a second one ends it at once, and the area goes to another worker when its
lease is over. To do something else, change `work`.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from io import BytesIO
from typing import Any

from PIL import Image, ImageFilter, ImageOps

CLAIMS = "/api/v1/worker/claims"
TRIES = 6  # of a call that meets an outage, a limit, or no network
LONGEST_PAUSE = 30.0  # seconds
PATIENCE = 20.0  # seconds that a claim has left, once we are told to end

stopping = threading.Event()


class Lost(Exception):
    """The claim is another's by now, or over: nothing that we make of it is of use."""


class CannotDo(Exception):
    """This picture cannot be worked on; the customer reads why, and pays nothing."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Refused(Exception):
    """The server does not take what we sent, and never will."""


class Unreachable(Exception):
    """All tries have failed: whatever we have, another worker gets when its lease is over."""


class Server:
    """Sends calls, again if need be: every call of this API may be repeated."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self.key = key

    def call(
        self, method: str, path: str, body: bytes | dict[str, Any] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        """
        Return status, body and headers of an answer.

        :raises Lost: for 409.
        :raises Refused: for any other refusal.
        :raises Unreachable: when all tries have failed.
        """
        pause, why = 1.0, ""
        for _ in range(TRIES):
            try:
                request = self._request(method, path, body)
                with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                    return answer.status, answer.read(), dict(answer.headers)
            except urllib.error.HTTPError as error:
                why = f"{error.code} {error.read().decode(errors='replace')[:300]}"
                if error.code == 409:
                    raise Lost(why) from error
                if error.code != 429 and error.code < 500:
                    raise Refused(why) from error
                wanted = float(error.headers.get("Retry-After") or pause)
            except OSError as error:  # no network, no answer, or half of one
                why, wanted = str(error), pause
            time.sleep(min(wanted, LONGEST_PAUSE))
            pause = min(pause * 2, LONGEST_PAUSE)
        raise Unreachable(f"No answer in {TRIES} tries: {why}")

    def _request(
        self, method: str, path: str, body: bytes | dict[str, Any] | None
    ) -> urllib.request.Request:
        headers = {"Authorization": f"Bearer {self.key}"}
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        elif body is not None:
            headers["Content-Type"] = "image/png"
        return urllib.request.Request(self.url + path, body, headers, method=method)  # noqa: S310


class Heartbeat(threading.Thread):
    """Keeps an area while it is worked on, and notices when it is lost."""

    def __init__(self, server: Server, claim: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.server, self.claim = server, claim
        self.progress = 0
        self.is_over = threading.Event()
        self.is_lost = threading.Event()

    def run(self) -> None:
        """Beat three times in each lease."""
        while not self.is_over.wait(self.claim["lease_seconds"] / 3):
            try:
                path = f"{CLAIMS}/{self.claim['id']}/heartbeat"
                self.server.call("POST", path, {"progress": self.progress})
            except (Lost, Refused, Unreachable) as error:
                log(f"{self.claim['id']} is lost: {error}")
                self.is_lost.set()
                return

    def report(self, progress: int) -> None:
        """
        Say how far the work is, in percent.

        :raises Lost: if it is of no use to go on.
        """
        self.progress = progress
        if self.is_lost.is_set():
            raise Lost


def work(picture: bytes, parameters: dict[str, Any], heartbeat: Heartbeat) -> bytes:
    """
    Return a picture: the outlines of another, as PNG.

    :raises CannotDo: if there is nothing to outline.
    """
    with Image.open(BytesIO(picture)) as opened:
        image = ImageOps.grayscale(opened)
    darkest, lightest = image.getextrema()
    if darkest == lightest:
        raise CannotDo("cannot_do", "The picture has a single colour: nothing to outline.")
    for step in range(parameters["strength"]):
        heartbeat.report(step * 100 // parameters["strength"])
        image = ImageOps.autocontrast(image.filter(ImageFilter.CONTOUR))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def fetch(server: Server, claim: dict[str, Any]) -> bytes:
    """
    Return the picture to work on.

    :raises CannotDo: if it was deleted since.
    """
    try:
        return server.call("GET", claim["picture_url"])[1]
    except Refused as error:
        log(f"{claim['id']}: {error}")
        raise CannotDo("picture_gone", "The picture is no longer kept.") from error


def deliver(server: Server, claim: dict[str, Any], result: bytes) -> None:
    """
    Send what was made.

    :raises CannotDo: if it is not taken.
    """
    try:
        server.call("PUT", f"{CLAIMS}/{claim['id']}/result", result)
    except Refused as error:
        log(f"{claim['id']}: {error}")
        message = "The result was not one that could be kept."
        raise CannotDo("result_refused", message) from error


def do(server: Server, claim: dict[str, Any]) -> None:
    """Work on an area, and say how it ended."""
    heartbeat = Heartbeat(server, claim)
    heartbeat.start()
    try:
        result = work(fetch(server, claim), claim["parameters"], heartbeat)
        deliver(server, claim, result)
        log(f"{claim['id']} is completed")
    except CannotDo as error:
        fail(server, claim, error.code, str(error))
    except (Lost, Unreachable) as error:
        log(f"{claim['id']} is lost: {error}")
    except Exception as error:  # whatever breaks here, another worker is to try it
        log(f"{claim['id']} broke: {error!r}")
        fail(server, claim, "worker_broke", type(error).__name__, is_retryable=True)
    finally:
        heartbeat.is_over.set()


def fail(
    server: Server, claim: dict[str, Any], code: str, message: str, *, is_retryable: bool = False
) -> None:
    """Say that it cannot be done: by nobody, or by us."""
    why = {"code": code, "message": message, "is_retryable": is_retryable}
    end(server, claim, "fail", why)


def end(server: Server, claim: dict[str, Any], verb: str, body: dict[str, Any]) -> None:
    """Give an area up, in whichever way; if that comes too late, it is another's already."""
    try:
        server.call("POST", f"{CLAIMS}/{claim['id']}/{verb}", body)
    except (Lost, Refused, Unreachable) as error:
        log(f"{claim['id']}: {error}")
    log(f"{claim['id']}: {verb}")


def do_or_release(server: Server, claim: dict[str, Any]) -> None:
    """Work on an area; told to end, give it back if it takes too long."""
    worker = threading.Thread(target=do, args=(server, claim), daemon=True)
    worker.start()
    while worker.is_alive() and not stopping.is_set():
        worker.join(0.2)
    worker.join(PATIENCE)
    if worker.is_alive():
        end(server, claim, "release", {})


def run(server: Server, *, once: bool) -> int:
    """Claim and work until we are told to end; return how many areas were taken."""
    taken = 0
    while not stopping.is_set():
        status, body, headers = server.call("POST", CLAIMS, {})
        if status == 200:
            taken += 1
            do_or_release(server, json.loads(body))
        elif once:
            break
        else:
            stopping.wait(float(headers.get("Retry-After") or 5))
    return taken


def stop(number: int, frame: object) -> None:
    """End soon; at once, when asked again."""
    signal.signal(number, signal.SIG_DFL)
    stopping.set()


def log(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="A worker for Coffer.")
    parser.add_argument("--once", action="store_true", help="end when nothing is left to do")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server = Server(os.environ["COFFER_URL"], os.environ["COFFER_WORKER_KEY"])
    try:
        log(f"Areas taken: {run(server, once=options.once)}")
    except (Lost, Refused, Unreachable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
