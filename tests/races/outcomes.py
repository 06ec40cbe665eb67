"""What came of work that others were at as well."""

from collections.abc import Callable

from django.db import IntegrityError

from apps.core.errors import DomainError


def tried[T](work: Callable[[], T]) -> T | DomainError:
    """Return what came of it, or why nothing did."""
    try:
        return work()
    except DomainError as refusal:
        return refusal


def how(work: Callable[[], object]) -> type[Exception] | None:
    """Return what kind of refusal or error there was, or None."""
    try:
        work()
    except (AssertionError, DomainError, IntegrityError) as refusal:
        return type(refusal)
    return None


def code_of(work: Callable[[], object]) -> Callable[[], str]:
    """Return a function that does the work and returns "done", or the refusal's code."""

    def run() -> str:
        try:
            work()
        except DomainError as error:
            return error.code
        return "done"

    return run
