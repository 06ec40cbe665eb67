"""Refusals of statements and closed months."""

from apps.core.errors import DomainError


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
