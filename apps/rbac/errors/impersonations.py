"""Refusals to staff who look in another's place."""

from apps.core.errors import DomainError


class CannotImpersonate(DomainError):
    """Nobody looks in the place of staff, of himself, or of who could not sign in."""

    code = "cannot_impersonate"
    title = "You cannot look in this person's place"
    message = (
        "Choose an active member of the organization who is not staff: nobody looks in the "
        "place of a colleague or of somebody who cannot sign in."
    )
    status = 403


class ReasonRequired(DomainError):
    """Customers read why somebody looked, so there is no look without it."""

    code = "reason_required"
    title = "Say why"
    message = "Give a reason of at least {letters} letters, and the ticket that asks for it."


class ImpersonationOver(DomainError):
    """The look has ended: by time, by hand, or because somebody lost his access."""

    code = "impersonation_over"
    title = "You look in nobody's place any more"
    message = "Looking in {person}'s place has ended: {cause}. Nothing was done."
    status = 403


class NotWhileImpersonating(DomainError):
    """What is the person's own or another organization's is not shown to staff in his place."""

    code = "not_while_impersonating"
    title = "This is not shown in another's place"
    message = (
        "You are looking in {person}'s place, which opens the pages of {organization} and "
        "nothing else. Stop looking to go on in your own name."
    )
    status = 403
