"""How quick the simulator is beside a bare echo, and how much it holds."""

import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from figures.lines import Report, scaled
from simulator.__main__ import make_world
from simulator.core.api import handle
from simulator.core.http import Request
from simulator.core.server import Server
from tests.simulator.conformance.scenarios import KEY

HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
FORM = "email=jenny%40example.com&name=Jenny&metadata%5Borg%5D=7"
SLOWEST = 0.05  # of the echo's requests a second
MOST_SECONDS = 120
MOST_MEGABYTES = 1024


class Threaded(ThreadingMixIn, WSGIServer):
    """wsgiref, a thread for each connection."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Says nothing of requests."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def speed(report: Report) -> None:
    """Measure requests a second of both, a connection for each, in processes of their own."""
    count = scaled(2000)
    with report.figure("requests_per_second", asked=count) as figure:
        rates = {}
        for name, serve in (("echo", _serve_echo), ("simulator", _serve_simulator)):
            rates[name] = _rate(serve, count, is_kept=False)
        figure.examined = count
        figure.ratio = f"{rates['simulator'] / rates['echo']:.2f}"
        figure.failures = int(rates["simulator"] < SLOWEST * rates["echo"])
        kept = _rate(_serve_simulator, count, is_kept=True)
        print(
            f"    POST /v1/customers: {rates['simulator']:.0f} a second, {kept:.0f} over one "
            f"connection; a WSGI echo of the same body: {rates['echo']:.0f}"
        )


def memory(report: Report) -> None:
    """Make 100,000 customers in a fresh process."""
    count = scaled(100_000)
    with report.figure("customers_in_memory", asked=count) as figure:
        context = multiprocessing.get_context("spawn")
        queue = context.Queue()
        process = context.Process(target=_fill, args=(count, queue))
        process.start()
        found = queue.get(timeout=900)
        process.join()
        figure.examined = found["made"]
        if count >= 100_000:
            figure.failures += found["seconds"] > MOST_SECONDS
            figure.failures += found["megabytes"] > MOST_MEGABYTES
        figure.failures += found["found"] != 1
        print(
            f"    {count:,} customers: {found['seconds']:.1f} s to make, {found['megabytes']:.0f} "
            f"MB; one read in {found['read']:.2f} ms, a page in {found['page']:.2f} ms, one found "
            f"by its metadata in {found['search']:.1f} ms"
        )


def _serve_echo(queue: Any) -> None:
    def echo(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    server = make_server("127.0.0.1", 0, echo, Threaded, Quiet)
    queue.put(server.server_address[1])
    server.serve_forever(0.1)


def _serve_simulator(queue: Any) -> None:
    server = Server(make_world())
    queue.put(server.server_address[1])
    server.serve()


def _rate(serve: Callable[[Any], None], count: int, *, is_kept: bool) -> float:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=serve, args=(queue,), daemon=True)
    process.start()
    port = queue.get(timeout=60)
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    began = time.perf_counter()
    for _ in range(count):
        connection.request("POST", "/v1/customers", FORM, HEADERS)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise AssertionError(f"status {answer.status}")
        if not is_kept:
            connection.close()
    seconds = time.perf_counter() - began
    process.terminate()
    process.join()
    return count / seconds


def _megabytes() -> float:
    """Return what this process holds now, or has held at most where that is not told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _fill(count: int, queue: Any) -> None:
    world = make_world()
    before = _megabytes()
    began = time.perf_counter()
    for number in range(count):
        form = f"email=c{number}%40example.com&name=Customer&metadata%5Borg%5D={number}"
        answer = handle(world, _request("POST", "/v1/customers", form))
        if answer.status != 200:
            break
    seconds = time.perf_counter() - began
    last = json.loads(answer.body)["id"]
    query = f"query=metadata%5B%27org%27%5D%3A%27{count // 2}%27"
    read, _ = _timed(world, f"/v1/customers/{last}", "")
    page, _ = _timed(world, "/v1/customers", "limit=100")
    search, found = _timed(world, "/v1/customers/search", query)
    queue.put(
        {
            "made": len(world.store.kinds["customer"].rows),
            "seconds": seconds,
            "megabytes": _megabytes() - before,
            "read": read,
            "page": page,
            "search": search,
            "found": len(found["data"]),
        }
    )


def _timed(world: Any, path: str, query: str) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = handle(world, _request("GET", path, query=query))
    return (time.perf_counter() - began) * 1000, json.loads(answer.body)


def _request(method: str, path: str, body: str = "", query: str = "") -> Request:
    return Request(method, path, query, body, {"authorization": f"Bearer {KEY}"})
