"""Refusals of sandboxes and their clocks."""

from apps.core.errors import DomainError


class SandboxRefused(DomainError):
    """An organization cannot become a sandbox, or its clock cannot be moved there."""

    code = "sandbox_refused"
    title = "This is not possible with a sandbox"
    message = "{reason}"
    status = 409


class SandboxIsMoving(DomainError):
    """Its clock is on its way already."""

    code = "sandbox_is_moving"
    title = "The clock is on its way"
    message = "The clock is on its way to {to} already. Wait until it has arrived."
    status = 409
