"""`stripe trigger` of Stripe's own command line, for everything that it knows."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from time import monotonic, sleep

from figures.lines import Report
from figures.stripe_served import all_events, served
from tests.simulator.conformance.scenarios import KEY, Shop

PACKAGE = "@stripe/cli"
WAIT_SECONDS = 5
# Usage is sent to this host whatever `--api-base` says, so what it triggers never comes here.
ELSEWHERE = "https://meter-events.stripe.com"
LEAST = 100
# Names that say where something is from, or that are no event's own name.
SUFFIXES = (".eu", ".gb")
RENAMED = {
    "subscription.payment_failed": "invoice.payment_failed",
    "subscription.payment_succeeded": "invoice.payment_succeeded",
}


def stripe_cli_triggers(report: Report) -> None:
    """Trigger everything, one after another on one account, as a developer would."""
    if shutil.which("npm") is None and "STRIPE_CLI" not in os.environ:
        print("    stripe_cli_triggers: skipped, for there is neither npm nor STRIPE_CLI")
        return
    with tempfile.TemporaryDirectory() as folder, served() as shop:
        command = _command(Path(folder))
        names = _names(command)
        # Its customers have no card and its clocks go on for weeks: the account must leave
        # unpaid subscriptions past due, one of the choices that Stripe's settings have.
        shop.visit(f"{shop.url}/_sim/dunning", outcome="past_due")
        ran: list[str] = []
        with report.figure("stripe_cli_triggers", asked=LEAST) as figure:
            seen: set[str] = set()
            silent, elsewhere = [], []
            for name in names:
                error = _trigger(command, shop, name)
                if error is None:
                    ran.append(name)
                if error is not None and ELSEWHERE in error:
                    elsewhere.append((name, error))
                elif error is not None or not _is_told(shop, name, seen):
                    silent.append((name, error or "it ran, but the event was not emitted"))
                seen = {event.id for event in all_events(shop)}
            figure.examined = len(names)
            figure.failures = len(silent)
            told = len(names) - len(silent) - len(elsewhere)
            figure.ratio = f"{told}/{len(names)}"
            figure.control = "green" if _is_told(shop, "none.such", set()) else "red"
            print(f"    known={len(names)} ran={len(ran)} emitted={told}")
            for name, error in (*silent, *elsewhere):
                print(f"    {name}: {error}")
            print(f"    violations={len(set(shop.world.violations))} of {shop.world.examined}")
            for found in sorted(set(shop.world.violations))[:10]:
                print(f"        {found}")


def _command(folder: Path) -> list[str]:
    """Return how the command line is called; it is installed into the folder if need be."""
    if path := os.environ.get("STRIPE_CLI"):
        return [path]
    (folder / "package.json").write_text("{}")
    subprocess.run(
        ["npm", "install", PACKAGE, "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return [str(folder / "node_modules" / ".bin" / "stripe")]


def _run(command: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            [*command, *arguments],
            env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def _names(command: list[str]) -> list[str]:
    """Return every trigger that the command line knows."""
    told = _run(command, "trigger", "--help").stdout
    part = told.partition("Supported events:")[2].partition("Usage:")[0]
    return [line.strip() for line in part.splitlines() if line.strip()]


def _trigger(command: list[str], shop: Shop, name: str) -> str | None:
    """Trigger an event; return why it failed, if it did."""
    arguments = ("trigger", name, "--api-base", shop.url, "--api-key", KEY)
    done = _run(command, *arguments)
    if "goroutine " in done.stderr:  # it crashed by itself, as it does now and then
        done = _run(command, *arguments)
    said = f"{done.stdout}{done.stderr}"
    if done.returncode == 0 and "Trigger failed" not in said:
        return None
    start = said.find("{\n")
    try:
        message = json.loads(said[start : said.rindex("}") + 1])["error"]["message"]
    except (KeyError, ValueError):
        message = said.strip().splitlines()[-1] if said.strip() else "no word"
    return str(message)[:200]


def _is_told(shop: Shop, name: str, seen: set[str]) -> bool:
    """Say whether the event was emitted since; some come only after a moment."""
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    wanted = RENAMED.get(name, name)
    until = monotonic() + (0 if wanted == "none.such" else WAIT_SECONDS)
    while True:
        listed = shop.v1.events.list({"limit": 100, "type": wanted}).data
        if any(event.id not in seen for event in listed):
            return True
        if monotonic() >= until:
            return False
        sleep(0.1)
