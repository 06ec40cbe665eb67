"""Refusals of holds."""

from apps.core.errors import DomainError


class HoldNotFound(DomainError):
    """The wallet has no hold with this reference."""

    code = "hold_not_found"
    title = "There is no such hold"
    message = "The wallet has no hold with the reference {reference}."
    status = 404


class HoldSettled(DomainError):
    """A hold ends once; what ended it was something else."""

    code = "hold_settled"
    title = "The hold has ended"
    message = "The hold {reference} has ended: it is {hold_status}."
    status = 409


class CaptureExceedsHold(DomainError):
    """More was to be captured than is held, and the hold's policy refuses that."""

    code = "capture_exceeds_hold"
    title = "More than was held"
    message = "The hold {reference} holds {held} credits; {asked} were to be captured."
    status = 409
