"""Refusals of jobs."""

from apps.core.errors import DomainError


class UnknownOperation(DomainError):
    """No runner does this."""

    code = "unknown_operation"
    title = "There is no such operation"
    message = "There is no operation called {operation}. Choose one of: {known}."


class InvalidParameters(DomainError):
    """The operation cannot work with these parameters."""

    code = "invalid_parameters"
    title = "The parameters are not valid"
    message = "{parameter}: {problem}"


class StyleRefused(DomainError):
    """A style or a version of one cannot be as it was given."""

    code = "style_refused"
    title = "The style cannot be so"
    message = "{field}: {reason}"


class UploadNotFound(DomainError):
    """The picture does not exist, is past its date, or belongs to someone else."""

    code = "upload_not_found"
    title = "There is no such upload"
    message = "There is no upload {upload_id}, or it is past its date. Upload the picture again."


class PictureRefused(DomainError):
    """The file is no picture that we take."""

    code = "picture_refused"
    title = "The picture cannot be used"
    message = "{problem}"


class PictureTooLarge(PictureRefused):
    """The file has more bytes or pixels than we take."""

    code = "picture_too_large"
    title = "The picture is too large"
    status = 413


class UploadQuotaReached(DomainError):
    """The organization keeps as many bytes of uploads as it may."""

    code = "upload_quota_reached"
    title = "There is no room for more uploads"
    message = (
        "This organization keeps {kept_mb} of {quota_mb} MB of uploads. Delete some that no job"
        " needs, or wait until the oldest are past their date."
    )
    status = 409


class UploadInUse(DomainError):
    """A job that waits or runs needs the picture."""

    code = "upload_in_use"
    title = "A job needs this picture"
    message = "A job that waits or runs needs this picture. Delete it once the job has ended."
    status = 409


class InvalidAreas(DomainError):
    """A job has from one to twenty areas."""

    code = "invalid_areas"
    title = "The areas are not valid"
    message = "A job has from 1 to {most} areas; these are {areas}. Submit the rest as another job."


class PriceNotUnderstood(DomainError):
    """The price list asks for a measure that nobody here takes."""

    code = "price_not_understood"
    title = "The price cannot be worked out"
    message = "{event} is priced by the {meter}, which cannot be measured here. Tell the operator."
    status = 409


class JobNotCancellable(DomainError):
    """Only what no worker has begun can be cancelled."""

    code = "job_not_cancellable"
    title = "The job cannot be cancelled"
    message = "The job is {job_status}; only what still waits can be cancelled, and nothing does."
    status = 409


class NotOwnJob(DomainError):
    """A job is paid again by him alone whose credits paid for it."""

    code = "not_own_job"
    title = "Somebody else's credits paid for this job"
    message = (
        "A member paid for this job with credits of his own, so only he can retry it. Submit the"
        " pictures as a job of your own."
    )
    status = 403


class JobNotRetryable(DomainError):
    """Only a job that has ended, with areas that failed, can be tried again."""

    code = "job_not_retryable"
    title = "There is nothing to try again"
    message = (
        "The job is {job_status} and {failed} of its areas failed;"
        " only failed areas of a job that has ended can be tried again."
    )
    status = 409


class PictureGone(DomainError):
    """What failed cannot be tried again without its picture."""

    code = "picture_gone"
    title = "The picture is no longer kept"
    message = "Picture {position} is no longer kept. Upload it again and submit it as a new job."
    status = 409


class ResultNotReady(DomainError):
    """The job has no result: not yet, or never."""

    code = "result_not_ready"
    title = "There is no result"
    message = "This is {job_status}; only what is completed has a result."
    status = 409


class ResultGone(DomainError):
    """The result was kept for as long as results are, and is no more."""

    code = "result_gone"
    title = "The result is no longer kept"
    message = "This result was kept until {kept_until}. Submit the job again to have it made anew."
    status = 410


class JobsUnderWay(DomainError):
    """A job that fails after the organization closed could not be refunded."""

    code = "jobs_under_way"
    title = "Jobs are under way"
    message = "{jobs} jobs wait or run. Cancel them, or wait until they are done."
    status = 409


class OperationsRequired(DomainError):
    """A worker's key that is for nothing could claim nothing."""

    code = "operations_required"
    title = "A worker's key needs operations"
    message = "Choose at least one operation that the worker may claim."


class OperationNotAllowed(DomainError):
    """The key was not made for this operation."""

    code = "operation_not_allowed"
    title = "The key is not for this operation"
    message = "This key may not claim {operation}. It may claim: {allowed}."
    status = 403


class ClaimLost(DomainError):
    """Another has the area by now, or it has ended: what is made of it is of no use."""

    code = "claim_lost"
    title = "The claim no longer holds"
    message = (
        "Another worker has this area by now, or it has ended. Nothing was written: stop working"
        " on it, and claim again."
    )
    status = 409


class ClaimCompleted(DomainError):
    """Its worker has completed it before, with another result."""

    code = "claim_completed"
    title = "The claim was completed with another picture"
    message = "This claim was completed before, with another picture. That one is kept."
    status = 409


class ResultTooLarge(DomainError):
    """A result can be as large as its operation says, and as was held for it."""

    code = "result_too_large"
    title = "The result has too many pixels"
    message = (
        "The result has {pixels} pixels, and {operation} may make {most} at most. Nothing was"
        " written: make it smaller and send that."
    )


class OperationBuiltIn(DomainError):
    """An operation is of one kind."""

    code = "operation_built_in"
    title = "The operation is built in"
    message = "{operation} is done by a runner that is built in. Choose another code."
    status = 409


class ParametersNotDescribed(DomainError):
    """The description of the parameters is none that we understand."""

    code = "parameters_not_described"
    title = "The description of the parameters is not valid"
    message = "{place}: {problem}"
