"""Pictures that are uploaded, the jobs that work on them, and what paid for each try."""

from apps.jobs.models.areas import GenerationArea
from apps.jobs.models.attempts import Attempt
from apps.jobs.models.jobs import GenerationJob
from apps.jobs.models.limits import RateLimitPolicy
from apps.jobs.models.operations import ExternalOperation
from apps.jobs.models.queues import OrganizationQueue
from apps.jobs.models.styles import Style, StyleVersion
from apps.jobs.models.uploads import BlobUpload
from apps.jobs.models.workers import WorkerClaim, WorkerKey

__all__ = [
    "Attempt",
    "BlobUpload",
    "ExternalOperation",
    "GenerationArea",
    "GenerationJob",
    "OrganizationQueue",
    "RateLimitPolicy",
    "Style",
    "StyleVersion",
    "WorkerClaim",
    "WorkerKey",
]
