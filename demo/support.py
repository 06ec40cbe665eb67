"""Support in the demo: one look in a member's place, which is over."""

from datetime import datetime, timedelta

from apps.core import clock
from apps.rbac.models import Impersonation
from apps.rbac.services.impersonations import MINUTES, end_impersonation, start_impersonation
from apps.tenants.models import Organization, User
from apps.tenants.services.config import set_config


def look_once(now: datetime, organization: Organization, staff: User, member: User) -> None:
    """Let a staff person look two days ago, for twelve minutes of the forty that are set."""
    set_config(key=MINUTES.key, value=40, by=staff)
    with clock.moved_to(now - timedelta(days=2, minutes=12)):
        look = start_impersonation(
            staff_user=staff,
            user=member,
            organization=organization,
            reason="Mei writes that her last render is not on the list of jobs.",
            ticket="HELP-311",
        )
    with clock.moved_to(now - timedelta(days=2)):
        end_impersonation(impersonation=look, cause=Impersonation.Cause.STOPPED)
