"""Refusals of corrections."""

from apps.core.errors import DomainError


class PreviewOutdated(DomainError):
    """What was shown is no longer what would be posted."""

    code = "preview_outdated"
    title = "Something has moved since"
    message = "The wallet has moved since the preview. Look at a new one, and confirm that."
    status = 409


class SecondPersonNeeded(DomainError):
    """Who asks for a correction cannot be the one who agrees to it."""

    code = "second_person_needed"
    title = "Somebody else must decide"
    message = "You asked for this correction; somebody else must approve or reject it."
    status = 403


class CorrectionDecided(DomainError):
    """A correction is decided once, and in time."""

    code = "correction_decided"
    title = "The correction can no longer be decided"
    message = "This correction is {decision}. Ask for a new one."
    status = 409


class CorrectionDiffers(DomainError):
    """The same form was sent twice, with different contents."""

    code = "correction_differs"
    title = "The form was sent before"
    message = "This form was sent before with other values. Open a new one."
    status = 409
