"""Refusals of the ledger."""

from apps.core.errors import DomainError


class InsufficientCredits(DomainError):
    """The wallet's open lots do not cover the amount; nothing was written."""

    code = "insufficient_credits"
    title = "Not enough credits"
    message = "This needs {required} credits; {available} are available ({held} are held)."
    status = 402


class WalletFrozen(DomainError):
    """Credits may come into a frozen wallet, and not leave it."""

    code = "wallet_frozen"
    title = "The wallet is frozen"
    message = "This wallet is frozen: nothing can be spent from it. Ask support why."
    status = 409


class WalletClosed(DomainError):
    """Nothing moves in a closed wallet, except that lots expire."""

    code = "wallet_closed"
    title = "The wallet is closed"
    message = "This wallet is closed."
    status = 409


class ReferenceReused(DomainError):
    """The same cause was posted before, with another meaning."""

    code = "reference_reused"
    title = "The reference was used for something else"
    message = "The reference {reference} was posted before with other terms."
    status = 409


class ChargeNotFound(DomainError):
    """There is no charge with this reference in the wallet."""

    code = "charge_not_found"
    title = "There is no such charge"
    message = "The wallet has no charge with the reference {reference}."
    status = 404


class AlreadyRefunded(DomainError):
    """More was asked back than is left of the charge."""

    code = "already_refunded"
    title = "The charge was refunded before"
    message = "Of the charge {reference}, {refundable} credits can still be refunded."
    status = 409


class InvalidAmount(DomainError):
    """An amount of credits must be a whole number above zero."""

    code = "invalid_amount"
    title = "The amount is not valid"
    message = "The amount is {amount}; it must be a whole number from 1 to {largest}."
    status = 400


class UnknownCreditEvent(DomainError):
    """The price list has no active event of this name."""

    code = "unknown_credit_event"
    title = "There is no such credit event"
    message = "The price list has no active event called {name}."
    status = 400


class LotExpiresTooEarly(DomainError):
    """A lot must end after it begins, and after now."""

    code = "lot_expires_too_early"
    title = "The lot would be dead at birth"
    message = (
        "A lot must expire after it begins and in the future; this one expires at {expires_at}."
    )
    status = 400


class InvalidReference(DomainError):
    """A cause needs a name, and the ledger's own names are made from it."""

    code = "invalid_reference"
    title = "The reference is not valid"
    message = "A reference has from 1 to {longest} characters."
    status = 400


class InvalidTerms(DomainError):
    """A term of what was asked for cannot be."""

    code = "invalid_terms"
    title = "A term is not valid"
    message = "{field} must {must}."
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


class MoreThanClawedBack(DomainError):
    """More was to be given back to a lot than was taken back from it."""

    code = "more_than_clawed_back"
    title = "More than was taken back"
    message = "{clawed_back} credits of this lot were taken back; {asked} were to be given back."
    status = 409


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


class CycleNotOver(DomainError):
    """A cycle can be carried over only when its lot has expired."""

    code = "cycle_not_over"
    title = "The cycle is not over"
    message = "The lot of the old cycle has not expired yet. Renew when it has."
    status = 409


class CycleRenewed(DomainError):
    """What was left of a cycle is carried over once."""

    code = "cycle_renewed"
    title = "The cycle was carried over before"
    message = "What was left of the old cycle has been carried over to another one."
    status = 409


class WalletHasHolds(DomainError):
    """A wallet in which credits are held cannot be closed."""

    code = "wallet_has_holds"
    title = "Credits are held"
    message = "{held} credits are held in this wallet. Capture or release them first."
    status = 409


class WalletInDebt(DomainError):
    """The wallet owes more than it would be allowed to."""

    code = "wallet_in_debt"
    title = "The wallet owes credits"
    message = "This wallet owes {debt} credits. They must be repaid first."
    status = 409


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


class StatementTooLong(DomainError):
    """A PDF of so many lines would keep a web process too long."""

    code = "statement_too_long"
    title = "The statement is too long for a PDF"
    message = (
        "This period has {movements} movements, and a PDF holds {largest}. "
        "Take the CSV, or a shorter period."
    )
    status = 400


class MonthIsNotOver(DomainError):
    """Rows may still be written into the month, so it cannot be closed yet."""

    code = "month_is_not_over"
    title = "The month is not over"
    message = "{month} can be closed from {closable_at} on."
    status = 409


class MonthOutOfOrder(DomainError):
    """Months are closed one after the other, because each begins where the last one ended."""

    code = "month_out_of_order"
    title = "Another month has to be closed first"
    message = "{month} cannot be closed now; the month to close next is {next_month}."
    status = 409


class NothingToClose(DomainError):
    """No transaction was ever written, so there is no month to close."""

    code = "nothing_to_close"
    title = "There is nothing to close"
    message = "There is no transaction yet, so there is no month to close."
    status = 409


class BudgetExceeded(DomainError):
    """The wallet's budget for this month would be exceeded; nothing was written."""

    code = "budget_exceeded"
    title = "The budget is used up"
    message = (
        "This needs {asked} credits; {used} of this month's budget of {limit} are used. "
        "Ask for a higher limit, or wait for the next month."
    )
    status = 402


class BudgetExists(DomainError):
    """A wallet has one active budget."""

    code = "budget_exists"
    title = "There is a budget already"
    message = "This wallet has an active budget. Change that one, or pause it first."
    status = 409


class BudgetTestTooSoon(DomainError):
    """A test mail of a budget goes out once a minute at most."""

    code = "budget_test_too_soon"
    title = "There was a test a moment ago"
    message = "A test mail of this budget went out within the last minute. Look for it, or wait."
    status = 409
