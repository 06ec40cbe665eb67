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


class JobNotCancellable(DomainError):
    """Only a job that has not begun can be cancelled."""

    code = "job_not_cancellable"
    title = "The job cannot be cancelled"
    message = "The job is {job_status}; only a pending job can be cancelled."
    status = 409


class ResultNotReady(DomainError):
    """The job has no result: not yet, or never."""

    code = "result_not_ready"
    title = "There is no result"
    message = "The job is {job_status}; only a completed job has a result."
    status = 409


class JobsUnderWay(DomainError):
    """A job that fails after the organization closed could not be refunded."""

    code = "jobs_under_way"
    title = "Jobs are under way"
    message = "{jobs} jobs wait or run. Cancel them, or wait until they are done."
    status = 409
