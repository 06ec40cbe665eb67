"""Contestants in turns, and the lines that say how they compare."""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from bench.contestants import document
from bench.server import ROOT, Server

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = int(os.environ.get("ROUND_SECONDS", "1"))  # of work in each round
ACCOUNTS = 200


class Entrant(Protocol):
    """One who takes part."""

    name: str

    def work(self, verb: str, processes: int, *, is_hot: bool) -> float:
        """Work for one round and return how much was done in a second."""

    def spent(self) -> int:
        """Return what was charged so far, by the entrant's own books."""


@dataclass
class Hosted:
    """A contestant in a program of its own."""

    name: str
    pipe: subprocess.Popen[str]
    done: int = 0

    def ask(self, **question: Any) -> Any:
        """Ask the program one thing."""
        print(json.dumps(question), file=self.pipe.stdin, flush=True)
        line = self.pipe.stdout.readline() if self.pipe.stdout else ""
        said = json.loads(line or '{"error": "it ended"}')
        if "error" in said:
            raise RuntimeError(f"{self.name}: {said['error']}")
        return said["answer"]

    def work(self, verb: str, processes: int, *, is_hot: bool) -> float:
        """Work for one round and return how much was done in a second."""
        said = self.ask(verb=verb, processes=processes, seconds=SECONDS, is_hot=is_hot)
        self.done += said["done"]
        return said["done"] / said["seconds"]

    def spent(self) -> int:
        """Return what was charged so far, by the contestant's own books."""
        return self.ask(verb="spent")


@contextmanager
def hosted(
    name: str,
    url: str,
    *,
    module: str = "",
    python: str | Path = sys.executable,
    accounts: int = ACCOUNTS,
    env: Mapping[str, str] | None = None,
) -> Iterator[Hosted]:
    """Start a contestant's program, prepare it, and end it."""
    command = [str(python), "-m", "bench.host", module or f"bench.contestants.{name}", url]
    with subprocess.Popen(
        [*command, str(accounts)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {}), "PYTHONPATH": str(ROOT)},
    ) as program:
        entrant = Hosted(name, program)
        entrant.ask(verb="prepare")
        yield entrant
        program.stdin.close()  # it cleans up and ends


@dataclass
class Pgbench:
    """The document's function, called by pgbench."""

    server: Server
    url: str
    name: str = "document_002"
    done: int = 0

    def work(self, verb: str, processes: int, *, is_hot: bool) -> float:
        """Let so many clients call for one round; `verb` is one of the scripts below."""
        account = "0" if is_hot else f"random(0, {ACCOUNTS - 1})"
        place = document.ACCOUNT.format(":n")
        call = document.CALL.format(place, "gen_random_uuid()::text")
        each, script = 1, f"\\set n {account}\n{call};\n"
        if verb == "charge_in_one_transaction":
            each, place = 500, place if is_hot else document.ACCOUNT.format(f"i % {ACCOUNTS}")
            call = document.CALL.format(place, "gen_random_uuid()::text")
            ordered = "generate_series(0, 499) AS i"
            script = f"\\set n {account}\n{call.replace('SELECT', 'SELECT sum(')}) FROM {ordered};"
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            return each * self._run(file.name, processes, each)

    def _run(self, script: str, clients: int, each: int) -> float:
        address = urlsplit(self.url)
        ran = subprocess.run(
            [
                *(str(self.server.pgbench), "-n", "-M", "prepared", "-f", script),
                *("-c", str(clients), "-j", str(min(clients, 2)), "-T", str(SECONDS)),
                *("-h", address.hostname, "-p", str(address.port), "-U", address.username),
                address.path.lstrip("/"),
            ],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PGPASSWORD": unquote(address.password or "")},
        )
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip() or "pgbench failed")
        self.done += each * int(re.search(r"actually processed: (\d+)", ran.stdout)[1])
        return float(re.search(r"tps = ([\d.]+)", ran.stdout)[1])

    def spent(self) -> int:
        """Return what was charged so far."""
        return document.Contestant(self.url).spent()


@contextmanager
def the_document(server: Server) -> Iterator[Entrant]:
    """Enter the function of document 002, by pgbench if there is one."""
    with server.database("document") as url:
        if server.pgbench is None:
            with hosted("document_002", url, module="bench.contestants.document") as entrant:
                yield entrant
        else:
            document.Contestant(url).prepare(ACCOUNTS)
            yield Pgbench(server, url)


@dataclass
class Contest:
    """Some entrants, ours first, and the lines about them."""

    server: Server
    entrants: Sequence[Entrant]
    out: dict[str, str] = field(default_factory=dict)  # who gave up, and why

    def compare(
        self,
        name: str,
        verbs: dict[str, str],
        processes: int,
        *,
        is_hot: bool = False,
        aim: str = "none",
    ) -> None:
        """
        Let them take turns, and print a line for each rival.

        `verbs` says who does what; `aim` is the ratio that was hoped for, and binds nobody.
        """
        rates: dict[str, list[float]] = {}
        present = [one for one in self.entrants if one.name in verbs and one.name not in self.out]
        for number in range(-1, ROUNDS):
            if number == 0:  # the round before only warmed up
                rates.clear()
                self.server.analyze()
            turn = number % len(present)  # nobody is always first
            for entrant in [*present[turn:], *present[:turn]]:
                if entrant.name in self.out:
                    continue
                try:
                    rate = entrant.work(verbs[entrant.name], processes, is_hot=is_hot)
                except RuntimeError as problem:
                    if entrant is self.entrants[0]:
                        raise  # nobody is left to compare with
                    self.out[entrant.name] = str(problem).strip().splitlines()[-1]
                    print(f"{name} rival={entrant.name} failed={self.out[entrant.name]}")
                else:
                    rates.setdefault(entrant.name, []).append(rate)
        mine = self.entrants[0].name
        for entrant in present[1:]:
            if entrant.name not in self.out:
                said = line(name, mine, rates[mine], entrant.name, rates[entrant.name])
                print(f"{said} aim={aim}", flush=True)

    def check(self) -> None:
        """
        Hold what was counted against what the entrants' books say.

        :raises SystemExit: if somebody did not do what was timed.
        """
        wrong = [
            f"{one.name} did {one.done} and its books say {spent}"
            for one in self.entrants
            if one.name not in self.out and one.done != (spent := one.spent())
        ]
        if wrong:
            sys.exit("; ".join(wrong))


def line(name: str, us: str, ours: list[float], rival: str, theirs: list[float]) -> str:
    """Return the comparison as one line; the ratio is that of the medians, per second."""
    mine, other = statistics.median(ours), statistics.median(theirs)
    return (
        f"{name} {us}={mine:.0f} rival={rival} theirs={other:.0f} ratio={mine / other:.2f}"
        f" noise={noise(ours)}/{noise(theirs)}"
    )


def noise(rates: list[float]) -> str:
    """Return how far the rounds lie apart: half the span, in percent of the median."""
    return f"±{50 * (max(rates) - min(rates)) / statistics.median(rates):.0f}%"
