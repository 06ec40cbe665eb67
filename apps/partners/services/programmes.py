"""Make an organization a partner, and change by which terms it hands credits on."""

from dataclasses import asdict, dataclass, field

from django.db import transaction

from apps.core.db import inside_transaction
from apps.partners import selectors
from apps.partners.errors import AlreadyPartner, InvalidPartnerTerms, PartnerSuspended
from apps.partners.models import Partner, PartnerTerms
from apps.tenants.models import Organization, User
from apps.tenants.services import audit

MOST_VALIDITY_DAYS = 3650
MOST_CLAIM_DAYS = 365


@dataclass(frozen=True)
class Terms:
    """By which terms a partner hands credits on; the defaults are those of document 004."""

    validity_days: int = 90  # of credits, from their claim
    claim_days: int = 30  # in which an offer can be claimed
    unused: PartnerTerms.Unused = PartnerTerms.Unused.RETURN
    privacy: PartnerTerms.Privacy = PartnerTerms.Privacy.SUMS
    seat_limit: int | None = field(default=None)  # members; None: no limit


STANDARD = Terms()


@transaction.atomic
def make_partner(
    *,
    organization: Organization,
    name: str,
    terms: Terms = STANDARD,
    by: User | None = None,
    reason: str = "",
) -> Partner:
    """
    Give an organization a partner programme, whose pool is its main wallet.

    :raises AlreadyPartner: if it has one.
    :raises InvalidPartnerTerms: if the terms cannot be so.
    """
    _check(terms)
    partner, is_new = Partner.objects.get_or_create(
        organization=organization, defaults={"name": name}
    )
    if not is_new:
        raise AlreadyPartner(name=partner.name)
    _write_terms(partner, 1, terms, by, reason)
    audit.record(
        action="partner.create",
        organization=organization,
        object_id=partner.public_id,
        after={"name": name, **asdict(terms)},
        reason=reason,
    )
    return partner


@transaction.atomic
def change_terms(
    *, partner: Partner, terms: Terms, by: User | None = None, reason: str
) -> PartnerTerms:
    """
    Hand credits on by other terms from now on; what was awarded keeps its own.

    :raises InvalidPartnerTerms: if the terms cannot be so.
    """
    _check(terms)
    locked = lock_partner(partner)
    before = selectors.terms_of(locked)
    if _as_terms(before) == terms:
        return before
    changed = _write_terms(locked, before.number + 1, terms, by, reason)
    audit.record(
        action="partner.change_terms",
        organization=locked.organization,
        object_id=locked.public_id,
        before=asdict(_as_terms(before)),
        after=asdict(terms),
        reason=reason,
    )
    return changed


@transaction.atomic
def set_status(*, partner: Partner, status: Partner.Status, reason: str) -> Partner:
    """Suspend a programme, or let it go on; nothing happens where it stands so already."""
    locked = lock_partner(partner)
    before = locked.status
    if before != status:
        locked.status = status
        locked.save(update_fields=["status", "updated_at"])
        audit.record(
            action="partner.change_status",
            organization=locked.organization,
            object_id=locked.public_id,
            before={"status": before},
            after={"status": status.value},
            reason=reason,
        )
    return locked


@inside_transaction
def lock_partner(partner: Partner) -> Partner:
    """Return the programme as it is now, locked until the transaction ends."""
    rows = Partner.objects.select_for_update(no_key=True, of=("self",))
    locked: Partner = rows.select_related("organization").get(pk=partner.pk)
    return locked


@inside_transaction
def lock_active(partner: Partner) -> Partner:
    """
    Lock a programme that shall hand something on.

    :raises PartnerSuspended: if staff have suspended it.
    """
    locked = lock_partner(partner)
    if locked.status != Partner.Status.ACTIVE:
        raise PartnerSuspended(name=locked.name)
    return locked


def _write_terms(
    partner: Partner, number: int, terms: Terms, by: User | None, reason: str
) -> PartnerTerms:
    return PartnerTerms.objects.create(
        organization=partner.organization,
        partner=partner,
        number=number,
        created_by=by,
        reason=reason,
        **asdict(terms),
    )


def _as_terms(row: PartnerTerms) -> Terms:
    return Terms(
        validity_days=row.validity_days,
        claim_days=row.claim_days,
        unused=PartnerTerms.Unused(row.unused),
        privacy=PartnerTerms.Privacy(row.privacy),
        seat_limit=row.seat_limit,
    )


def _check(terms: Terms) -> None:
    for name, value, most in (
        ("validity_days", terms.validity_days, MOST_VALIDITY_DAYS),
        ("claim_days", terms.claim_days, MOST_CLAIM_DAYS),
    ):
        if not 1 <= value <= most:
            problem = f"This must be from 1 to {most} days."
            raise InvalidPartnerTerms(field=name, problem=problem)
    if terms.seat_limit is not None and terms.seat_limit < 0:
        problem = "This must be 0 or more, or empty for no limit."
        raise InvalidPartnerTerms(field="seat_limit", problem=problem)
