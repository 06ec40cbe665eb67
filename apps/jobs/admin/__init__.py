"""Staff pages of jobs and of rate limits."""

from apps.jobs.admin.jobs import (
    AttemptAdmin,
    BlobUploadAdmin,
    GenerationAreaAdmin,
    GenerationJobAdmin,
    OrganizationQueueAdmin,
)
from apps.jobs.admin.limits import RateLimitPolicyAdmin

__all__ = [
    "AttemptAdmin",
    "BlobUploadAdmin",
    "GenerationAreaAdmin",
    "GenerationJobAdmin",
    "OrganizationQueueAdmin",
    "RateLimitPolicyAdmin",
]
