"""What waiting lists of the demo can show: one customer with an offer, and another in the line."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from apps.capacity.selectors.picking import Wish
from apps.capacity.services.ending import withdraw_allocations
from apps.capacity.services.offering import offer_blocks
from apps.capacity.services.reserving import reserve
from apps.capacity.services.settling import settle_offline
from apps.capacity.services.waiting import join
from apps.core import clock
from apps.tenants.models import Organization
from demo.capacity import open_project


def wait_for_a_wall(now: datetime, organizations: Mapping[str, Organization]) -> None:
    """Let two wait for a project that another has; what he gives up is offered to the first."""
    with clock.moved_to(now - timedelta(days=11)):
        wall = open_project(
            *(now - timedelta(days=11), [("W-", 8, "1")]),
            code="south-wall",
            name="South wall",
            place="Kiel",
            capacity_kw=Decimal(8),
        )
        whole = reserve(
            organization=organizations["sunrise-studio"], project=wall, wish=Wish(kw=Decimal(8))
        )
        settle_offline(reservation=whole, reference="Transfer of day 11")
    for hours, name, kw in ((30, "acme", 4), (26, "green-neighbours", 2)):
        with clock.moved_to(now - timedelta(hours=hours)):
            join(organization=organizations[name], project=wall, wish=Wish(kw=Decimal(kw)))
    with clock.moved_to(now - timedelta(hours=3)):
        half = list(whole.allocations.order_by("block__position")[:4])
        withdraw_allocations(allocations=half, reason="The studio moves away")
        offer_blocks(wall.pk)
