"""What a plan can give beside credits and seats: the keys of its features, declared once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.billing.errors import TermsRefused
from apps.billing.models import PlanVersion
from apps.credits.models import CreditEvent

SUPPORT = {
    "community": "Community support",
    "email": "Support by mail",
    "priority": "Priority support",
}
MOST_JOBS = 10_000


@dataclass(frozen=True)
class Feature:
    """One key: what it takes, how that is tested, and how people read it."""

    takes: str
    problem: Callable[[Any], str]  # what is wrong with a value; empty if nothing is
    sentence: Callable[[Any], str]


def _problem_of_operations(value: Any) -> str:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        return "give a list of names or categories of the price list."
    if len(set(value)) != len(value):
        return "each may stand there once."
    events = CreditEvent.objects.values_list("name", "category").distinct()
    known = sorted({word for pair in events for word in pair})
    if unknown := sorted(set(value) - set(known)):
        return f"the price list has no {', '.join(unknown)}. It has: {', '.join(known) or '–'}."
    return ""


def _problem_of_jobs(value: Any) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return "" if is_number and 1 <= value <= MOST_JOBS else f"give a number from 1 to {MOST_JOBS}."


def _problem_of_support(value: Any) -> str:
    is_known = isinstance(value, str) and value in SUPPORT
    return "" if is_known else f"give one of: {', '.join(SUPPORT)}."


FEATURES: dict[str, Feature] = {
    "unlimited_operations": Feature(
        "a list of names or categories of the price list that cost nothing",
        _problem_of_operations,
        lambda value: f"Free of credits: {', '.join(value)}",
    ),
    "max_concurrent_jobs": Feature(
        "how many jobs may run at once",
        _problem_of_jobs,
        lambda value: f"{value} {'job' if value == 1 else 'jobs'} at once",
    ),
    "support": Feature(
        f"one of: {', '.join(SUPPORT)}", _problem_of_support, lambda value: SUPPORT[value]
    ),
}


def check_features(features: Any) -> dict[str, Any]:
    """
    Return the features of a plan if each is known and has a value that it takes.

    :raises TermsRefused: for the first that is not, saying what is allowed.
    """
    if not isinstance(features, Mapping):
        raise TermsRefused(field="features", reason=f"give an object with: {features_allowed()}.")
    for key, value in features.items():
        if key not in FEATURES:
            raise TermsRefused(
                field="features", reason=f"{key} is not known. Allowed are: {features_allowed()}."
            )
        if problem := FEATURES[key].problem(value):
            raise TermsRefused(field="features", reason=f"{key}: {problem}")
    return dict(features)


def describe_features(
    features: Mapping[str, Any], descriptions: Mapping[str, str] | None = None
) -> list[str]:
    """
    Return the features as people read them, in the order in which they are declared.

    `descriptions` say in words what operations do, by their names in the price list.
    """
    said = dict(features)
    if operations := said.get("unlimited_operations"):
        words = descriptions or {}
        said["unlimited_operations"] = [words.get(one) or one for one in operations]
    return [one.sentence(said[key]) for key, one in FEATURES.items() if key in said]


def costs_nothing(version: PlanVersion, event: CreditEvent) -> bool:
    """Tell whether an event of the price list is one of the plan's unlimited operations."""
    return not event.features.isdisjoint(version.features.get("unlimited_operations", ()))


def features_allowed() -> str:
    """Return what features can be given, each key with what it takes."""
    return "; ".join(f"{key} ({one.takes})" for key, one in FEATURES.items())
