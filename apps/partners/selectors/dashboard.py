"""How a programme stands: its pool, what its members have, and what became of it by group."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.core.clock import database_now
from apps.core.ids import encode
from apps.partners.models import MemberGroup, Partner, PartnerMember
from apps.partners.selectors.moved import SUMS, Moved, rows_of

SOON = timedelta(days=30)  # what ends so soon is shown as expiring
NOTHING = Moved()
# Charges are by far the most. They are left out, as is the index that this asks: what was
# charged is what the wallet lacks of all the rest, because its balance is the sum of all.
STANDING = f"""
    WITH wallets AS (
        SELECT wallet.id, wallet.balance, true AS is_pool, NULL::uuid AS group_id,
               '' AS status, false AS is_offer
          FROM credits_wallet wallet
         WHERE wallet.organization_id = %(organization)s AND wallet.kind = 'organization'
         UNION ALL
        SELECT wallet.id, wallet.balance, false, member.group_id, member.status,
               member.claimed_at IS NULL
          FROM partners_partnermember member
          JOIN credits_wallet wallet ON wallet.id = member.wallet_id
         WHERE member.partner_id = %(partner)s)
    SELECT is_pool, group_id, status, count(*), sum(granted)::bigint, sum(received)::bigint,
           sum(sent)::bigint,
           sum(granted + received - sent - lapsed + corrected - balance)::bigint AS used,
           sum(lapsed)::bigint, sum(corrected)::bigint, sum(balance)::bigint,
           coalesce(sum(balance) FILTER (WHERE is_offer), 0)::bigint, sum(soon)::bigint
      FROM wallets
     CROSS JOIN LATERAL (
           SELECT {SUMS} FROM credits_credittransaction entry
            WHERE entry.wallet_id = wallets.id AND NOT (entry.transaction_type = 'consumed')) moved
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(lot.remaining), 0) AS soon FROM credits_lot lot
            WHERE lot.wallet_id = wallets.id AND lot.has_credits AND lot.remaining > 0
              AND lot.expires_at > %(now)s AND lot.expires_at <= %(until)s) ending
     GROUP BY is_pool, group_id, status
"""  # noqa: S608  two texts of ours


@dataclass(frozen=True)
class Pool:
    """The organization's main wallet: bought - allocated + returned - used - lapsed = left."""

    moved: Moved
    left: int  # credits
    expiring: int  # credits that end soon

    @property
    def bought(self) -> int:
        """Credits that came into it: bought, or given by us."""
        return self.moved.granted

    @property
    def allocated(self) -> int:
        """Credits that were handed to members."""
        return self.moved.sent

    @property
    def returned(self) -> int:
        """Credits that members did not use, and that came back."""
        return self.moved.received

    @property
    def used(self) -> int:
        """Credits that the organization itself used."""
        return self.moved.used

    @property
    def lapsed(self) -> int:
        """Credits that ended unused in the pool."""
        return self.moved.lapsed

    @property
    def corrected(self) -> int:
        """What else moved, signed."""
        return self.moved.corrected


@dataclass(frozen=True)
class Handed:
    """What some members got: awarded - used - returned - lapsed + corrected = left."""

    members: int = 0
    moved: Moved = NOTHING
    left: int = 0  # credits
    offered: int = 0  # credits, of what is left, that nobody has claimed yet
    expiring: int = 0  # credits, of what is left, that end soon

    @property
    def awarded(self) -> int:
        """Credits that were handed to them."""
        return self.moved.received

    @property
    def used(self) -> int:
        """Credits that they used."""
        return self.moved.used

    @property
    def returned(self) -> int:
        """Credits that went back to the pool."""
        return self.moved.sent

    @property
    def lapsed(self) -> int:
        """Credits that ended unused, or were taken away."""
        return self.moved.lapsed

    @property
    def corrected(self) -> int:
        """What else moved, signed; what staff gave a member directly as well."""
        return self.moved.corrected + self.moved.granted

    def __add__(self, other: "Handed") -> "Handed":
        return Handed(
            self.members + other.members,
            self.moved + other.moved,
            self.left + other.left,
            self.offered + other.offered,
            self.expiring + other.expiring,
        )


@dataclass(frozen=True)
class GroupStanding:
    """What the members of one group got, by the group in which each is now."""

    group_id: UUID | None  # None: members without a group
    name: str
    cost_centre: str
    handed: Handed

    @property
    def public_id(self) -> str:
        """The group's id as people see it; empty for members without one."""
        return encode(MemberGroup.PREFIX, self.group_id) if self.group_id else ""


@dataclass(frozen=True)
class Dashboard:
    """How a programme stands at a moment. The groups add up to the members."""

    partner: Partner
    as_of: datetime
    pool: Pool
    members: Handed
    statuses: dict[str, int]  # members by status, those without any left out
    groups: tuple[GroupStanding, ...]  # what was awarded most first


def dashboard_of(partner: Partner) -> Dashboard:
    """Return how the programme stands: pool and members in one statement, so as one picture."""
    now = database_now()
    values = {
        "organization": partner.organization_id,
        "partner": partner.pk,
        "now": now,
        "until": now + SOON,
    }
    pool = Pool(NOTHING, 0, 0)
    statuses = dict.fromkeys(PartnerMember.Status.values, 0)
    groups: dict[UUID | None, Handed] = {}
    for is_pool, group_id, status, count, *numbers in rows_of(STANDING, values):
        moved, (left, offered, expiring) = Moved(*numbers[:6]), numbers[6:]
        if is_pool:
            pool = Pool(moved, left, expiring)
            continue
        statuses[status] += count
        part = Handed(count, moved, left, offered, expiring)
        groups[group_id] = groups.get(group_id, Handed()) + part
    return Dashboard(
        partner=partner,
        as_of=now,
        pool=pool,
        members=sum(groups.values(), Handed()),
        statuses={status: count for status, count in statuses.items() if count},
        groups=_named(partner, groups),
    )


def _named(partner: Partner, groups: dict[UUID | None, Handed]) -> tuple[GroupStanding, ...]:
    known = {one.pk: one for one in MemberGroup.objects.filter(partner=partner)}
    standing = []
    for group_id, handed in groups.items():
        group = known.get(group_id) if group_id else None
        name = group.name if group else "Without a group"
        standing.append(GroupStanding(group_id, name, group.cost_centre if group else "", handed))
    standing.sort(key=lambda one: (-one.handed.awarded, one.name, one.public_id))
    return tuple(standing)
