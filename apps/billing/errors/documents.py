"""Refusals of billing details and of invoices that are to be paid."""

from apps.core.errors import DomainError


class BillingDetailsRefused(DomainError):
    """A line of the billing details cannot be as it was given. `field` says which."""

    code = "billing_details_refused"
    title = "The billing details cannot be so"
    message = "{reason}"
    status = 422


class InvoiceNotOpen(DomainError):
    """There is nothing to pay on this document. `stands` says what it is."""

    code = "invoice_not_open"
    title = "There is nothing to pay"
    message = "Only an open invoice can be paid, and this is {stands}. Look at the list again."
    status = 409


class StatementTooLarge(DomainError):
    """A month has more documents than a PDF is made of."""

    code = "billing_statement_too_large"
    title = "The statement is too large for a PDF"
    message = (
        "This month has {documents} documents, and a PDF holds {largest} at most. Take the CSV "
        "of the same days."
    )
    status = 409
