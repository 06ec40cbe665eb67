"""
The program in which one contestant runs: `python -m bench.host MODULE URL ACCOUNTS`.

It needs nothing but Python, so that a rival's virtual environment can run it. It
prepares the contestant once, forks as many processes as are asked for, and lets them
work for some seconds at the same time. Questions and answers are lines of JSON on the
standard input and output; whatever the contestant prints goes to the standard error.
"""

import importlib
import json
import multiprocessing
import os
import random
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Protocol

Pick = Callable[[], int]  # an account, by its place
HOT = 0  # the place of the account that all want


class Contestant(Protocol):
    """What a module of `contestants` has as `Contestant`."""

    def prepare(self, accounts: int) -> None:
        """Make tables and so many funded accounts; leave no connection open."""

    def open(self) -> None:
        """Connect, in a process of its own."""

    def spent(self) -> int:
        """Return what was charged so far, by the contestant's own books."""

    def close(self) -> None:
        """Leave nothing behind."""


class Crew:
    """The processes of one contestant, forked when they are first needed."""

    def __init__(self, contestant: Contestant, accounts: int) -> None:
        self.contestant = contestant
        self.accounts = accounts
        self.pipes: list[Connection] = []

    def work(self, verb: str, *, processes: int, seconds: float, is_hot: bool) -> dict[str, Any]:
        """Let so many processes work at once; say what they did and how long it took."""
        while len(self.pipes) < processes:
            self._fork()
        crew = self.pipes[:processes]
        start = time.monotonic() + 0.02  # the system's one clock, so all start together
        for pipe in crew:
            pipe.send((verb, start, seconds, is_hot))
        answers = [pipe.recv() for pipe in crew]
        for answer in answers:
            if isinstance(answer, str):
                raise RuntimeError(answer)
        return {
            "done": sum(done for done, _ in answers),
            "seconds": max(ended for _, ended in answers) - start,
        }

    def _fork(self) -> None:
        ours, theirs = multiprocessing.Pipe()
        number = len(self.pipes)
        multiprocessing.get_context("fork").Process(
            target=serve, args=(self.contestant, theirs, self.accounts, number), daemon=True
        ).start()
        theirs.close()
        if (problem := ours.recv()) is not None:
            raise RuntimeError(problem)
        self.pipes.append(ours)


def serve(contestant: Contestant, pipe: Connection, accounts: int, number: int) -> None:
    """Work whenever asked to, until the host is gone."""
    rng = random.Random(number)
    try:
        contestant.open()
        pipe.send(None)
        while True:
            verb, start, seconds, is_hot = pipe.recv()
            pick = (lambda: HOT) if is_hot else (lambda: rng.randrange(accounts))
            work = getattr(contestant, verb)
            time.sleep(max(0, start - time.monotonic()))
            done, deadline = 0, start + seconds
            while time.monotonic() < deadline:
                done += work(pick)
            pipe.send((done, time.monotonic()))
    except EOFError:
        pass
    except Exception:
        pipe.send(traceback.format_exc())


def main(module: str, url: str, accounts: int) -> None:
    """Answer questions until there are no more."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    contestant = importlib.import_module(module).Contestant(url)
    crew = Crew(contestant, accounts)

    def answer(ask: dict[str, Any]) -> Any:
        verb = ask.pop("verb")
        if verb == "prepare":
            return contestant.prepare(accounts)
        if verb == "spent":
            return contestant.spent()
        return crew.work(verb, **ask)

    try:
        for line in sys.stdin:
            try:
                said = {"answer": answer(json.loads(line))}
            except Exception:
                said = {"error": traceback.format_exc()}
            print(json.dumps(said), file=answers)
    finally:
        contestant.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
