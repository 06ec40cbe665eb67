"""The frame of the pages of jobs: of the organization's, or of one's own alone."""

from apps.jobs.selectors.viewing import Viewer, viewer_of
from apps.rbac.pages.base import TenantPage


class JobsPage(TenantPage):
    """A page of jobs or pictures: of all to who may see all, else of those that are his own."""

    permission = "jobs.view"

    def by(self) -> Viewer:
        """Return who looks: whose jobs and pictures count follows from it."""
        return viewer_of(self.user, self.organization)
