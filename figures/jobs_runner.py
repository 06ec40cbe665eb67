"""
A runner that counts what it does in a file of its own, so that no table of ours is believed.

What an area's parameters name as `work` is one piece of work, whoever runs it and however often.
"""

import os
import resource
import signal
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.jobs.runners.protocol import ReportProgress, Result, RunFailed
from apps.jobs.runners.registry import RUNNERS

FIXED, METERED = "figure.fixed", "figure.metered"
BEGUN, DONE, FAILED, KILLED = "begun", "done", "failed", "killed"
MEGABYTE = 1024 * 1024
WIDTH, HEIGHT = 64, 48  # pixels of what is made: one megapixel, as megapixels are begun
HELD_MEGAPIXELS = 2  # that it could need at the most


@dataclass(frozen=True)
class Run:
    """One line of the file."""

    work: str
    pid: int  # of the worker
    end: str  # or the beginning


@dataclass(frozen=True)
class Runs:
    """The file in which every run is counted."""

    file: Path

    def note(self, work: str, end: str) -> None:
        """Add a line, which is there even if this process is killed with its next step."""
        line = f"{work} {os.getpid()} {end}\n".encode()
        flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY
        opened = os.open(self.file, flags, 0o600)
        os.write(opened, line)
        os.close(opened)

    def all(self) -> list[Run]:
        """Return every line, in order."""
        if not self.file.exists():
            return []
        lines = (line.split() for line in self.file.read_text().splitlines())
        return [Run(work, int(pid), end) for work, pid, end in lines]

    def done(self) -> Counter[str]:
        """Return how often each work was done to its end."""
        return Counter(run.work for run in self.all() if run.end == DONE)

    def busy(self) -> set[int]:
        """Return the workers that are in the middle of something, those that died there too."""
        last = {run.pid: run.end for run in self.all()}
        return {pid for pid, end in last.items() if end == BEGUN}


class Counted:
    """Does as its parameters say, and writes it down."""

    operation = FIXED
    name = "Counted"
    description = "Does as it is told."

    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    def check(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Take whatever is asked."""
        return dict(parameters)

    def result_size(
        self, parameters: Mapping[str, Any], width: int, height: int
    ) -> tuple[int, int]:
        """Return more than is needed in the end."""
        return HELD_MEGAPIXELS * 1000, 1000

    def label(self, parameters: Mapping[str, Any]) -> str:
        """Say what it was told."""
        return str(parameters["deed"])

    def run(
        self, picture: bytes, parameters: Mapping[str, Any], report_progress: ReportProgress
    ) -> Result:
        """Succeed, fail, run out of memory or die, after a while."""
        work, deed = parameters["work"], parameters["deed"]
        before = {run.end for run in self.runs.all() if run.work == work}
        self.runs.note(work, BEGUN)
        time.sleep(parameters.get("seconds", 0))
        report_progress(50)
        if deed == "killed_first" and KILLED not in before:
            self.runs.note(work, KILLED)
            os.kill(os.getpid(), signal.SIGKILL)  # as the system does when memory runs out
        if deed == "memory":
            self.runs.note(work, FAILED)
            _use_up_memory()
        if deed == "bad" or (deed == "bad_first" and FAILED not in before):
            self.runs.note(work, FAILED)
            raise RunFailed("figure", "It was told to fail.")
        self.runs.note(work, DONE)
        return Result(picture, "image/png", WIDTH, HEIGHT)


class CountedMetered(Counted):
    """The same, at a price for each megapixel."""

    operation = METERED


def register(file: str | Path) -> Runs:
    """Let this process count in this file whatever it runs."""
    runs = Runs(Path(file))
    RUNNERS.update({FIXED: Counted(runs), METERED: CountedMetered(runs)})
    return runs


def works(runs: Iterable[Run], end: str) -> int:
    """Count runs that ended so."""
    return sum(run.end == end for run in runs)


def _use_up_memory() -> None:
    """Ask for more memory than this process may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 16 * MEGABYTE, hard))
    try:
        bytearray(256 * MEGABYTE)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
