"""Refusals of lots."""

from apps.core.errors import DomainError


class LotExpiresTooEarly(DomainError):
    """A lot must end after it begins, and after now."""

    code = "lot_expires_too_early"
    title = "The lot would be dead at birth"
    message = (
        "A lot must expire after it begins and in the future; this one expires at {expires_at}."
    )
    status = 400


class LotNotFound(DomainError):
    """The wallet has no such lot of credits."""

    code = "lot_not_found"
    title = "There is no such lot"
    message = "The wallet has no such lot of credits."
    status = 404


class LotHasLess(DomainError):
    """A lot does not hold what was asked of it; what is held in holds is not in it."""

    code = "lot_has_less"
    title = "The lot holds less"
    message = "The lot holds {remaining} credits. What is held must be released first."
    status = 409


class LotFrozen(DomainError):
    """A frozen lot stays as it is until it is thawed."""

    code = "lot_frozen"
    title = "The lot is frozen"
    message = "This lot is frozen, because its payment is disputed. Wait until that is decided."
    status = 409


class LotDoesNotReturn(DomainError):
    """Only what was handed on to be returned goes back, and only to where it came from."""

    code = "lot_does_not_return"
    title = "The lot does not return there"
    message = (
        "These credits did not come from that wallet to go back there. Name the wallet that they"
        " came from, or void them if they shall lapse."
    )
    status = 409
