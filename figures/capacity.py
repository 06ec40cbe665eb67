"""`make figures-8`: no kW of a plant is sold twice, and none that is free is refused."""

import sys

from figures.capacity_generation import generation_closes
from figures.capacity_guards import capacity_guards
from figures.capacity_payments import capacity_payments
from figures.capacity_races import capacity_races
from figures.lines import measure

PARTS = {
    "races": capacity_races,
    "guards": capacity_guards,
    "payments": capacity_payments,
    "generation": generation_closes,
}

if __name__ == "__main__":
    measure(PARTS, sys.argv[1:])
