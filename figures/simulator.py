"""`make figures-4`: the stand-in for Stripe beside Stripe's own client, tools and description."""

import sys

from figures.lines import Report
from figures.stripe_chaos import chaos
from figures.stripe_cli import stripe_cli_triggers
from figures.stripe_conformance import conformance
from figures.stripe_mirror import djstripe_mirrored
from figures.stripe_speed import memory, speed

PARTS = {
    "conformance": conformance,
    "cli": stripe_cli_triggers,
    "mirror": djstripe_mirrored,
    "chaos": chaos,
    "speed": speed,
    "memory": memory,
}


def main(chosen: list[str]) -> None:
    """Print every figure of the simulator, or those of the parts that are named."""
    report = Report()
    for name, part in PARTS.items():
        if not chosen or name in chosen:
            part(report)
    report.end()


if __name__ == "__main__":
    main(sys.argv[1:])
