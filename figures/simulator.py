"""`make figures-4`: the stand-in for Stripe beside Stripe's own client, tools and description."""

import sys

from figures.lines import measure
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

if __name__ == "__main__":
    measure(PARTS, sys.argv[1:])
