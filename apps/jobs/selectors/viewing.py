"""Whose jobs and pictures a person sees."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from apps.credits.models import Wallet
from apps.jobs.models import GenerationArea
from apps.tenants.models import Organization, User

OF_THE_ORGANIZATION = Wallet.Kind.ORGANIZATION


@dataclass(frozen=True)
class Viewer:
    """
    Who looks.

    Nobody sees by a role what a programme's member makes with his own credits: what partners
    are told of it is for the terms to say.
    """

    user: User
    sees_all: bool  # of the organization's: what its own wallet pays for

    def sees_jobs(self, job: str = "") -> Q:
        """Return the condition on jobs, or on what leads to a job by this path: `job__`."""
        own = Q(**{f"{job}user": self.user})
        if not self.sees_all:
            return own
        return own | Q(**{f"{job}wallet__kind": OF_THE_ORGANIZATION})

    def sees_uploads(self) -> Q:
        """Return the condition on pictures: a member's are no more the organization's."""
        own = Q(user=self.user)
        if not self.sees_all:
            return own
        holders = Wallet.objects.filter(
            organization=OuterRef("organization"), holder=OuterRef("user")
        )
        # Of who has left, too, as long as a job of his works on it
        worked_on = GenerationArea.objects.filter(
            organization=OuterRef("organization"),
            upload=OuterRef("pk"),
            job__user=OuterRef("user"),
        ).exclude(job__wallet__kind=OF_THE_ORGANIZATION)
        return own | (~Exists(holders) & ~Exists(worked_on))


def viewer_of(user: User, organization: Organization) -> Viewer:
    """Return what a person sees: the organization's jobs and pictures, or his own alone."""
    return Viewer(user, sees_all=user.has_perm("jobs.view", organization))
