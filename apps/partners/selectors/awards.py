"""Awards, and how each stands: what its lots hold decides."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    Exists,
    Expression,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models import Value as V
from django.db.models.functions import Coalesce, Concat

from apps.core import paging
from apps.core.clock import database_now
from apps.core.errors import NotFound
from apps.credits.models import CreditTransaction, Lot
from apps.partners.errors import MemberNotFound
from apps.partners.models import Partner, PartnerCredit, PartnerMember
from apps.partners.models.addresses import normalized

Status = PartnerCredit.Status
Type = CreditTransaction.Type
BEGINS = Concat(OuterRef("reference"), V(":"))  # how the origins of an award's lots begin
# What left a member because its money went back: what leaves him by the terms of an award has a
# reference that begins with the award's.
CALLED_IN = Q(transaction_type=Type.TRANSFERRED_OUT) & ~Q(reference__startswith=BEGINS)
COLUMNS = [
    *("id", "member", "email", "status", "credits", "left", "used", "returned", "lapsed"),
    *("source", "campaign", "note", "awarded_at", "claimed_at", "ends_at", "revoked_at"),
]


@dataclass(frozen=True)
class AwardStanding:
    """What became of an award, in credits: the four are what was awarded."""

    status: PartnerCredit.Status
    left: int  # to be used, or to be claimed
    used: int  # or held, while it is
    returned: int  # to the pool
    lapsed: int


@dataclass(frozen=True, kw_only=True)
class AwardFilter:
    """Which awards are looked for; what is empty does not matter."""

    email: str = ""  # of the member, exactly
    text: str = ""  # in the member's address or name, or in the note
    status: str = ""
    source: str = ""
    campaign: UUID | None = None
    member: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None  # exclusive


NO_FILTER = AwardFilter()


def awards_of(partner: Partner, wanted: AwardFilter = NO_FILTER) -> QuerySet[PartnerCredit]:
    """Return the partner's awards with member, campaign and standing, newest first."""
    rows = PartnerCredit.objects.filter(partner=partner)
    if wanted.email:
        rows = _of_address(rows, wanted.email)
    given: dict[str, object] = {
        "source": wanted.source,
        "campaign": wanted.campaign,
        "member": wanted.member,
        "created_at__gte": wanted.since,
        "created_at__lt": wanted.until,
    }
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    for word in wanted.text.split():
        named = Q(member__first_name__icontains=word) | Q(member__last_name__icontains=word)
        rows = rows.filter(named | Q(member__email__icontains=word) | Q(note__icontains=word))
    rows = _with_standing(rows.select_related("member", "campaign"), database_now())
    if wanted.status:
        rows = rows.filter(**{"stands": wanted.status})
    return rows.order_by("-created_at", "-id")


def _of_address(rows: QuerySet[PartnerCredit], email: str) -> QuerySet[PartnerCredit]:
    try:
        return rows.filter(member__email=normalized(email))
    except ValueError:  # no address: nobody has it
        return rows.none()


def award_of(partner: Partner, public_id: str) -> PartnerCredit:
    """
    Return the award with this id, with member, campaign and standing.

    :raises NotFound: if the programme has none; one of another programme looks the same.
    """
    award_id = PartnerCredit.read_id(public_id)
    found = awards_of(partner).filter(pk=award_id).first() if award_id else None
    if found is None:
        raise NotFound
    return found


def standing_of(award: PartnerCredit, now: datetime | None = None) -> AwardStanding:
    """Return how an award stands."""
    return standings_of([award], now)[award.id]


def standings_of(
    awards: Iterable[PartnerCredit], now: datetime | None = None
) -> dict[UUID, AwardStanding]:
    """Return how each of these awards stands, by its id, in one query."""
    rows = PartnerCredit.objects.filter(pk__in=[award.pk for award in awards])
    return {row.id: read_standing(row) for row in _with_standing(rows, now or database_now())}


def read_standing(award: Any) -> AwardStanding:
    """Return the standing that an award of `awards_of` came with."""
    returned, lapsed = award.returned + award.returning, award.lapsed + award.lapsing
    return AwardStanding(
        status=Status(award.stands),
        left=award.left,
        used=award.credits - award.left - returned - lapsed,
        returned=returned,
        lapsed=lapsed,
    )


def _with_standing(rows: QuerySet[PartnerCredit], now: datetime) -> QuerySet[PartnerCredit]:
    found: QuerySet[PartnerCredit] = rows.annotate(
        stands=_status(now),
        left=left_of_award(now),
        # Past its date, and not swept yet: it is as good as gone
        returning=_remaining(expires_at__lte=now, returns_to__isnull=False),
        lapsing=_remaining(expires_at__lte=now, returns_to=None),
        returned=_gone(Type.TRANSFERRED_OUT),
        lapsed=_gone(Type.EXPIRED, Type.VOIDED),
    )
    return found


def _status(now: datetime) -> Case:
    """Tell the status inside a query."""
    lots, entries = _lots(), _entries(Type.TRANSFERRED_OUT, Type.EXPIRED, Type.VOIDED)
    is_empty = ~Exists(lots.filter(remaining__gt=0))
    called_in = Exists(entries.filter(CALLED_IN)) & ~Exists(entries.exclude(CALLED_IN))
    return Case(
        When(revoked_at__isnull=False, then=V(Status.REVOKED)),
        When(is_empty & called_in, then=V(Status.REVOKED)),
        When(claimed_at=None, expires_at__gt=now, then=V(Status.OFFERED)),
        When(claimed_at=None, then=V(Status.EXPIRED)),
        When(Exists(lots.filter(remaining__gt=0, expires_at__gt=now)), then=V(Status.AVAILABLE)),
        When(Exists(lots.filter(remaining__gt=0)), then=V(Status.EXPIRED)),
        When(Exists(entries), then=V(Status.EXPIRED)),
        default=V(Status.USED),
        output_field=CharField(),
    )


def _lots() -> QuerySet[Lot]:
    """Return the lots of the award of the outer query: of its transfer, and their heirs."""
    rows = Lot.objects.filter(wallet=OuterRef("member__wallet"))
    return rows.filter(Q(origin__startswith=BEGINS) | Q(heir_of__origin__startswith=BEGINS))


def _entries(*types: str) -> QuerySet[CreditTransaction]:
    rows = CreditTransaction.objects.filter(
        wallet=OuterRef("member__wallet"), transaction_type__in=types
    )
    return rows.filter(
        Q(lot__origin__startswith=BEGINS) | Q(lot__heir_of__origin__startswith=BEGINS)
    )


def left_of_award(now: datetime | Expression) -> Coalesce:
    """Return, for a query of awards, how many credits of each can be used or claimed still."""
    return _remaining(expires_at__gt=now)


def _remaining(**which: object) -> Coalesce:
    rows = _lots().filter(has_credits=True, remaining__gt=0, **which).order_by()
    return _sum(rows, "remaining")


def _gone(*types: str) -> Coalesce:
    return _sum(_entries(*types).order_by(), "amount", sign=-1)


def _sum(rows: QuerySet[Lot] | QuerySet[CreditTransaction], name: str, sign: int = 1) -> Coalesce:
    summed = rows.values("wallet").annotate(total=Sum(F(name) * sign)).values("total")
    return Coalesce(Subquery(summed), 0)


def receiver_of(partner: Partner, name: str) -> PartnerMember:
    """
    Return the member with this id or address.

    :raises MemberNotFound: if the programme has none.
    """
    member_id = PartnerMember.read_id(name)
    try:
        which = Q(pk=member_id) if member_id else Q(email=normalized(name))
    except ValueError as error:
        raise MemberNotFound from error
    found: PartnerMember | None = PartnerMember.objects.filter(which, partner=partner).first()
    if found is None:
        raise MemberNotFound
    return found


def award_rows(awards: QuerySet[PartnerCredit]) -> Iterator[tuple[object, ...]]:
    """Yield a row for each award, in the order of COLUMNS, chunk by chunk."""
    for one in paging.every(awards):
        standing = read_standing(one)
        yield (
            *(one.public_id, one.member.public_id, one.member.email, standing.status.value),
            *(one.credits, standing.left, standing.used, standing.returned, standing.lapsed),
            *(one.source, one.campaign.name if one.campaign else "", one.note),
            *(_written(one.created_at), _written(one.claimed_at), _written(one.expires_at)),
            _written(one.revoked_at),
        )


def _written(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
