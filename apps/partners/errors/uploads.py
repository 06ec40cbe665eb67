"""Refusals of files by which credits are handed on."""

from apps.core.errors import DomainError


class InvalidUploadBatch(DomainError):
    """The name of a batch is too long."""

    code = "invalid_upload_batch"
    title = "The batch cannot be called so"
    message = "The name of a batch has {most} characters at most."


class InvalidUploadMapping(DomainError):
    """It does not follow which column of a file is what."""

    code = "invalid_upload_mapping"
    title = "The columns cannot be so"
    message = "{field}: {problem}"


class TooManyUploads(DomainError):
    """Too many files wait to be confirmed or discarded."""

    code = "too_many_uploads"
    title = "Too many uploads wait"
    status = 409
    message = (
        "{most} uploads wait to be confirmed. Confirm or discard one, and upload the file then."
    )


class UploadHasEnded(DomainError):
    """What was confirmed or discarded is not changed any more."""

    code = "upload_has_ended"
    title = "The upload cannot be changed any more"
    status = 409
    message = "This upload is {upload_status}. Upload the file again to change what it does."


class UploadNotMapped(DomainError):
    """Nobody said yet which column is what."""

    code = "upload_not_mapped"
    title = "The columns are not known yet"
    status = 409
    message = "Say first which column has the address and which the credits."


class UploadHasWrongRows(DomainError):
    """It shall be all or nothing, and some rows are wrong."""

    code = "upload_has_wrong_rows"
    about = "mode"
    title = "Some rows are wrong"
    status = 409
    message = (
        "{wrong} rows are wrong, so nothing can be handed on as all or nothing. Mend them in the "
        "file of errors, or choose to hand on by the valid rows only."
    )


class UploadHasNothing(DomainError):
    """No row would do anything."""

    code = "upload_has_nothing"
    title = "There is nothing to hand on"
    status = 409
    message = (
        "No row would hand anything on: {repeated} had their effect before and {wrong} are wrong. "
        "To give the same again, upload the file with another name of the batch."
    )


class UploadChanged(DomainError):
    """Members, awards or groups have changed since the preview was seen."""

    code = "upload_changed"
    title = "The preview is out of date"
    status = 409
    message = (
        "You saw that {seen} credits are taken; it would be {credits} now. Look at the preview "
        "again and confirm what it says."
    )


class PoolTooSmall(DomainError):
    """The pool does not hold what a file hands on."""

    code = "pool_too_small"
    title = "The pool does not have enough credits"
    status = 402
    message = (
        "This takes {required} credits from the pool, which has {available}. Buy credits, or "
        "upload fewer rows."
    )


class UploadRowRefused(DomainError):
    """It is all or nothing, and a row could not be done when its turn came."""

    code = "upload_row_refused"
    title = "A row could not be carried out"
    status = 409
    message = "Row {row}: {problem} Nothing was handed on, as it is all or nothing."


class UploadAbandoned(DomainError):
    """Workers broke off again and again."""

    code = "upload_abandoned"
    title = "The upload could not be carried out"
    status = 409
    message = (
        "This broke off {attempts} times. Upload the file of errors again; if that fails as well, "
        "tell support."
    )


class UploadNotDone(DomainError):
    """Only what was carried out can be undone."""

    code = "upload_not_done"
    title = "The upload was not carried out"
    status = 409
    message = "This upload is {upload_status}, so there is nothing to undo."
