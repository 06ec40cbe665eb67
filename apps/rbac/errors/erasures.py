"""Refusals to those who want to be erased."""

from apps.core.errors import DomainError


class StillOwner(DomainError):
    """Others belong to an organization that nobody but he owns."""

    code = "still_owner"
    title = "Others need an owner"
    message = (
        "You are the only owner of {organizations}, to which others belong. Hand it over or "
        "close it first."
    )
    status = 409


class StaffStay(DomainError):
    """Who has power over others' data does not vanish from its record by himself."""

    code = "staff_stay"
    title = "You are staff"
    message = "Let another superuser take your rights as staff first, and then ask again."
    status = 409


class ErasureNotPending(DomainError):
    """There is none to undo: it was never asked for, was undone, or is done."""

    code = "erasure_not_pending"
    title = "No erasure is pending"
    message = "No erasure of your account is pending."
    status = 409


class ExportExpired(DomainError):
    """The file is not there yet, or not any more."""

    code = "export_expired"
    title = "The file is not there"
    message = "A file is kept for {days} days. Ask for a new one."
    status = 410
