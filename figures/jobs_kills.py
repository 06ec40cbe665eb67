"""
Coffer's own workers on a Valkey of their own: killed, out of memory, and all messages lost.

Leases, sweeps and the beat are as in production. What has not ended a minute after the last
blow counts as a failure.
"""

import time
from collections.abc import Callable

from apps.jobs.models import GenerationArea
from figures.jobs_plant import Plant, plant
from figures.jobs_runner import DONE, FAILED, FIXED, KILLED, works
from figures.jobs_shop import unfinished
from figures.lines import Report, scaled
from figures.running import wait_until

CHILDREN, WHOLE, OUT_OF_MEMORY = 50, 10, 10  # blows of each kind
LOSSES = 5  # of all messages
OF_CONTROL = 4  # children that are killed
HEALED_SECONDS = 60


def killed_workers(report: Report) -> None:
    """Kill children and whole workers, and let memory run out, in any order."""
    blows: list[Callable[[Plant], object]] = [Plant.kill_child] * scaled(CHILDREN)
    blows += [Plant.kill_all] * scaled(WHOLE)
    blows += [Plant.run_out_of_memory] * scaled(OUT_OF_MEMORY)
    with report.figure("jobs_of_killed_workers", asked=len(blows)) as figure:
        with plant() as works_on:
            works_on.shop.chance.shuffle(blows)
            for blow in blows:
                blow(works_on)
                figure.examined += 1
            wait_until(lambda: killed_themselves(works_on) == scaled(OUT_OF_MEMORY))
            figure.failures = heal(works_on)
        with plant(control="paying_anew", operations=[FIXED]) as careless:
            for _ in range(OF_CONTROL):
                careless.kill_child(in_the_middle=True)
            # As long as it takes: how soon it is healed is not what is looked for here.
            wait_until(lambda: careless.shop.charged_again() > 0 or not unfinished())
            doubled = careless.shop.charged_again()
        figure.control = "red" if doubled else "green"
        print(f"    charged again without the key of the attempt: {doubled} attempts")


def flushed_redis(report: Report) -> None:
    """Take all messages from the broker while areas wait and run."""
    with report.figure("jobs_of_flushed_redis", asked=scaled(LOSSES)) as figure:
        with plant() as works_on:
            for _ in range(scaled(LOSSES)):
                works_on.lose_all_messages()
                figure.examined += 1
            figure.failures = heal(works_on)
        with plant(control="never_ringing_again") as careless:
            careless.lose_all_messages()
            heal(careless)
            left = unfinished()
        figure.control = "red" if left else "green"
        print(f"    unfinished where the sweep does not ring again: {left}")


def killed_themselves(works_on: Plant) -> int:
    """Count the children that were killed because memory ran out."""
    return works(works_on.shop.runs.all(), KILLED)


def heal(works_on: Plant) -> int:
    """Let a minute pass, or less if all has ended; return what is not as it must be."""
    began = time.monotonic()
    waiting, running = (
        GenerationArea.objects.filter(status=status).count() for status in ("pending", "processing")
    )
    while unfinished() and time.monotonic() < began + HEALED_SECONDS:
        time.sleep(0.2)
    seconds = time.monotonic() - began
    runs = works_on.shop.runs
    print(
        f"    when it was healed: {waiting} waiting, {running} running; {seconds:.0f} s later:"
        f" {unfinished()}; areas done={len(runs.done())} failed={works(runs.all(), FAILED)}"
        f" out of memory={killed_themselves(works_on)}"
        f" done again={works(runs.all(), DONE) - len(runs.done())}"
    )
    return works_on.shop.failures()
