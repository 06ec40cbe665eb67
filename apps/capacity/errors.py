"""Refusals of capacity. Amounts are in kW, written with three digits after the point."""

from apps.core.errors import DomainError


class ProjectRefused(DomainError):
    """A project, its rate or its cap cannot be as it was given."""

    code = "project_refused"
    title = "The project cannot be so"
    message = "{field}: {reason}"


class BlockRefused(DomainError):
    """Blocks cannot be made, split or merged as it was given."""

    code = "block_refused"
    title = "The blocks cannot be so"
    message = "{field}: {reason}"


class BlockInUse(DomainError):
    """Only what nobody has can be retired, split or merged."""

    code = "block_in_use"
    title = "The block is in use"
    message = "Block {serial} is {state}. Only a free block can be retired, split or merged."
    status = 409


class ProjectNotOpen(DomainError):
    """Nothing new is reserved of it."""

    code = "project_not_open"
    about = "project"
    title = "The project is not open"
    message = "Nothing can be reserved of {project} now: it is not open. Choose another project."
    status = 409


class OthersWait(DomainError):
    """What comes free is offered to those who wait, in the order of their coming."""

    code = "others_wait"
    title = "Others wait for it"
    message = (
        "Customers wait for blocks of {project}, and what is free is offered to them first. Join"
        " its waiting list, and you get your turn."
    )
    status = 409


class CapacityIsFree(DomainError):
    """Nobody waits for what can be had now."""

    code = "capacity_is_free"
    about = "project"
    title = "There is no need to wait"
    message = "{offered_kw} kW of {project} can be had now. Reserve them instead."
    status = 409


class AlreadyWaiting(DomainError):
    """A customer waits for a project once."""

    code = "already_waiting"
    about = "project"
    title = "You wait already"
    message = (
        "You are on the waiting list of {project} already, or have an offer. To ask for something"
        " else leave it first, and join again at its end."
    )
    status = 409


class WishTooLarge(DomainError):
    """The blocks of the project would never be enough."""

    code = "wish_too_large"
    about = "capacity_kw"
    title = "The project is smaller than this"
    message = (
        "{requested_kw} kW were asked for, and all blocks of {project} together have {blocks_kw}"
        " kW. Ask for less, or say that less will do (allow_partial)."
    )
    status = 409


class WaitingEnded(DomainError):
    """An offer was taken or has lapsed."""

    code = "waiting_ended"
    title = "You do not wait any more"
    message = "This place on the waiting list is {entry_status}. To wait again, join anew."
    status = 409


class NotInSandbox(DomainError):
    """Blocks are of one plant, and the time of a sandbox is its own."""

    code = "not_in_sandbox"
    title = "A sandbox has no capacity"
    message = "A sandbox cannot have blocks of a real project. Reserve from a real organization."
    status = 409


class InsufficientCapacity(DomainError):
    """Fewer kW are free than were asked for; nothing was written."""

    code = "insufficient_capacity"
    about = "capacity_kw"
    title = "Not enough capacity is free"
    message = (
        "{requested_kw} kW were asked for, and {available_kw} kW are free. Ask for less, or say"
        " that less will do (allow_partial)."
    )
    status = 409


class OvershootNotAgreed(DomainError):
    """The blocks that would be taken are more than was asked for."""

    code = "overshoot_not_agreed"
    about = "max_overshoot_kw"
    title = "The blocks are more than was asked for"
    message = (
        "The blocks add up to {offered_kw} kW, which is {overshoot_kw} kW more than was asked"
        " for. Agree to so many more (max_overshoot_kw), or choose which blocks will do otherwise"
        " (mode)."
    )
    status = 409


class NoExactFit(DomainError):
    """No free blocks add up to what was asked for."""

    code = "no_exact_fit"
    about = "capacity_kw"
    title = "No blocks add up to this"
    message = (
        "No free blocks add up to {requested_kw} kW within {tolerance_kw} kW. Allow more"
        " tolerance (tolerance_kw), or take the least that is enough (mode best_fit)."
    )
    status = 409


class FitTooFine(DomainError):
    """The blocks are of so many sizes that looking through their sums would take too long."""

    code = "fit_too_fine"
    about = "mode"
    title = "The blocks cannot be combined"
    message = "The free blocks have too many sizes to combine. Take the oldest first (mode fifo)."
    status = 422


class TooManyBlocks(DomainError):
    """One reservation has a limit."""

    code = "too_many_blocks"
    about = "capacity_kw"
    title = "Too many blocks at once"
    message = "This takes more than {most} blocks, the most at once. Ask for less."
    status = 422


class CapExceeded(DomainError):
    """A customer would have more of the project than he may."""

    code = "cap_exceeded"
    about = "capacity_kw"
    title = "More than one customer may have"
    message = (
        "One customer may have {cap_kw} kW of this project. You have {has_kw} kW, and"
        " {asked_kw} kW more would exceed it."
    )
    status = 409


class ReservationEnded(DomainError):
    """It is held no more."""

    code = "reservation_ended"
    title = "The reservation has ended"
    message = "The reservation is {reservation_status}, so this cannot be done. Reserve again."
    status = 409


class ReservationPaid(DomainError):
    """A reservation is paid once."""

    code = "reservation_paid"
    title = "The reservation is paid"
    message = "The reservation {reservation} was paid before. Refund the other payment."
    status = 409


class NothingToPay(DomainError):
    """Staff set the fee of its day to nothing after it was reserved."""

    code = "nothing_to_pay"
    title = "There is nothing to pay"
    message = (
        "The reservation {reservation} costs nothing by now, so there is nothing to pay. Write to"
        " us, and we allocate the blocks to you."
    )
    status = 409


class PaymentNotForReservation(DomainError):
    """It has not succeeded, is another organization's, of another amount, or for another one."""

    code = "payment_not_for_reservation"
    title = "The payment does not pay this"
    message = (
        "The payment {payment} has not succeeded, belongs to another organization, is not the fee"
        " in the currency of the project, or has paid another reservation. Refund it, or choose"
        " the reservation that it is for."
    )
    status = 409


class AllocationsRefused(DomainError):
    """What was chosen cannot be ended or handed on."""

    code = "allocations_refused"
    title = "These allocations cannot be changed so"
    message = "{reason}"
    status = 409


class CapacityStillHad(DomainError):
    """An organization that closes would keep blocks from others."""

    code = "capacity_still_had"
    title = "There are blocks still"
    message = (
        "{blocks} blocks are allocated or reserved. Cancel the allocations and release the"
        " reservations, and close when the notice is over."
    )
    status = 409


class ReadingRefused(DomainError):
    """A reading cannot be as it was given."""

    code = "reading_refused"
    title = "The reading cannot be so"
    message = "{field}: {reason}"


class ReadingExists(DomainError):
    """A period is read once; what was wrong is corrected."""

    code = "reading_exists"
    title = "The period has a reading"
    message = (
        "{starts_on} to {ends_on} was read before, as {energy_wh} Wh ({reading}). If that is"
        " wrong, correct it."
    )
    status = 409


class ReadingCorrected(DomainError):
    """Only the newest of a reading and its corrections can be corrected."""

    code = "reading_corrected"
    title = "The reading was corrected"
    message = "It was corrected before, to {energy_wh} Wh. Correct that one: {reading}."
    status = 409


class CorrectionsNotAgreed(DomainError):
    """A file corrects readings, and nobody said why."""

    code = "corrections_not_agreed"
    title = "Corrections need a reason"
    message = "The file corrects {corrections} readings. Say why, or leave these rows out."
    status = 409


class ReadingsChanged(DomainError):
    """Readings or projects have changed since the preview was seen."""

    code = "readings_changed"
    title = "The preview is out of date"
    message = (
        "Row {row} would do something else now than you saw, so nothing was recorded. Upload the"
        " file again."
    )
    status = 409
