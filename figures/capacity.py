"""`make figures-8`: no kW of a plant is sold twice, and none that is free is refused."""

import sys

from figures.beside import beside
from figures.capacity_generation import generation_closes
from figures.capacity_guards import capacity_guards
from figures.capacity_payments import capacity_payments
from figures.capacity_races import races_for_money, races_for_nothing, races_without_guards
from figures.lines import Report, measure

MODULE = "figures.capacity"


def races(report: Report) -> None:
    """Race at both plants, beside each other."""
    with beside(report, MODULE, "races-for-nothing"):
        races_for_money(report)


def others(report: Report) -> None:
    """Measure all else, beside each other."""
    with beside(report, MODULE, "payments"):
        races_without_guards(report)
        generation_closes(report)
        capacity_guards(report)


WHOLE = {"races": races, "others": others}
PARTS = {
    "races": races,
    "races-for-money": races_for_money,
    "races-for-nothing": races_for_nothing,
    "controls": races_without_guards,
    "payments": capacity_payments,
    "generation": generation_closes,
    "guards": capacity_guards,
}

if __name__ == "__main__":
    measure(PARTS if sys.argv[1:] else WHOLE, sys.argv[1:])
