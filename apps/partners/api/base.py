"""What the API of a programme shares: it is that of the caller's organization."""

from functools import cached_property

from apps.partners.models import Partner
from apps.partners.selectors import partner_of
from apps.rbac.api.base import TenantAPIView


class ProgrammeAPIView(TenantAPIView):
    """A view of the organization's own programme, and never of one that the request names."""

    @cached_property
    def partner(self) -> Partner:
        """
        The programme.

        :raises NotAPartner: if the organization has none.
        """
        return partner_of(self.organization)
