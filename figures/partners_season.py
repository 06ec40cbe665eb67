"""A season of two programmes: all that anybody can do to credits, from many connections at once."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from django.db import DatabaseError
from django.db.models import Model, QuerySet
from django.utils import timezone

from apps.core import ids
from apps.core.clock import moved_to
from apps.core.errors import DomainError, NotFound
from apps.credits.models import Hold
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.holds import capture_hold, hold_amount, release_hold
from apps.partners.models import PartnerCredit, PartnerMember, PartnerTerms, Upload, UploadRow
from apps.partners.services.awards import AwardRequest, award
from apps.partners.services.claiming import claim
from apps.partners.services.claims import extend
from apps.partners.services.settling import revoke
from apps.partners.services.standing import Cause, remove_member
from apps.partners.services.sweeping import settle_due
from apps.partners.services.uploads.carrying import carry_out
from apps.partners.services.uploads.confirming import confirm_upload
from apps.partners.services.uploads.storing import discard_upload, store_upload
from figures.partners_programmes import (
    Programme,
    broken,
    file_of,
    is_whole,
    make_season_programme,
    written_in_any_case,
)
from tests.races.racing import at_once

PEOPLE = 12  # of each programme
STEP = timedelta(minutes=20)  # that pass with each thing that is done
AFTERWARDS = timedelta(days=60)  # later all that was handed on has ended
ALL = 100_000  # of what a sweep may do at once
LOOKS = 0.25  # of what is done is followed by a look at the sums
LOOKS_AT_ALL = 0.02  # and so much by a look at the invariants of `verify`


@dataclass
class Season:
    """What happens to two programmes, while time goes on with each thing that is done."""

    seed: int
    steps: int  # in all
    programmes: list[Programme] = field(init=False)
    begins: datetime = field(init=False)
    told: list[str] = field(default_factory=list)  # how each thing went
    looks: list[bool] = field(default_factory=list)  # whether the sums were right
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.programmes = [make_season_programme(one, PEOPLE) for one in PartnerTerms.Unused]
        self.begins = timezone.now()
        self._done = count()

    def rage(self, connections: int) -> None:
        """Do it all on so many connections."""
        each = self.steps // connections
        at_once([lambda number=number: self._work(number, each) for number in range(connections)])

    def end(self) -> None:
        """Let all end that can: holds, offers, awards and the pool's own lots."""
        with moved_to(self.begins + STEP * self.steps + AFTERWARDS):
            sweep_expired_lots(limit=ALL)
            settle_due(limit=ALL)

    def _work(self, number: int, steps: int) -> None:
        rng = random.Random(f"{self.seed}:{number}")
        for _ in range(steps):
            with moved_to(self.begins + STEP * next(self._done)):
                self._do_something(rng)
            if rng.random() < LOOKS:
                self.looks.append(all(map(is_whole, self.programmes)))
            if rng.random() < LOOKS_AT_ALL:
                self.looks.append(not broken(of_programmes=True))

    def _do_something(self, rng: random.Random) -> None:
        (deed,) = rng.choices(list(DEEDS), list(DEEDS.values()))
        try:
            said = deed(self, rng, rng.choice(self.programmes))
        except DomainError as refusal:
            said = refusal.code
        except DatabaseError as error:
            self.errors.append(f"{deed.__name__}: {error}")
            return
        self.told.append(f"{deed.__name__}: {said or 'done'}")


def upload(season: Season, rng: random.Random, programme: Programme) -> str:
    """Upload a file, confirm and carry it out; one in three is one that was uploaded before."""
    if programme.files and rng.random() < 1 / 3:
        data = rng.choice(programme.files)
    else:
        people = rng.sample(list(programme.people), 4)
        data = file_of([(written_in_any_case(rng, one), rng.randint(1, 60)) for one in people])
        programme.files.append(data)
    stored = store_upload(partner=programme.partner, data=data)
    try:
        mode = rng.choice(list(Upload.Mode))
        confirm_upload(upload=stored, mode=mode, credits=stored.credits)
    except DomainError:
        discard_upload(upload=stored)
        raise
    carry_out(stored.pk)
    rows = UploadRow.objects.filter(upload=stored, status="done")
    programme.awarded += rows.values_list("credits", flat=True)
    return ""


def hand_on(season: Season, rng: random.Random, programme: Programme) -> str:
    """Award credits to one member."""
    request = AwardRequest(
        member=_member(rng, programme), credits=rng.randint(1, 80), key=f"by hand:{ids.new_id()}"
    )
    programme.awarded.append(award(partner=programme.partner, request=request).award.credits)
    return ""


def take(season: Season, rng: random.Random, programme: Programme) -> str:
    """Let somebody claim what he was offered."""
    member = _member(rng, programme)
    claim(member=member, user=programme.people[member.email])
    return ""


def go(season: Season, rng: random.Random, programme: Programme) -> str:
    """Remove a member; what becomes of his credits is read in the end."""
    remove_member(member=_member(rng, programme), cause=Cause.REMOVED)
    return ""


def revoke_one(season: Season, rng: random.Random, programme: Programme) -> str:
    """Take back what is left of an award."""
    taken = revoke(award=_award(rng, programme), reason="a figure")
    return "replayed" if taken.is_replayed else ""


def extend_one(season: Season, rng: random.Random, programme: Programme) -> str:
    """Let an award last a day longer."""
    found = _award(rng, programme)
    extend(award=found, until=found.expires_at + timedelta(days=1))
    return ""


def spend(season: Season, rng: random.Random, programme: Programme) -> str:
    """Use some of a member's credits; one in five is given back, as of a job that failed."""
    wallet, reference = _member(rng, programme).wallet, f"job:{ids.new_id()}"
    amount = rng.randint(1, 25)
    charge_amount(wallet=wallet, amount=amount, reference=reference, source="figure")
    programme.used.append(amount)
    if rng.random() < 0.2:
        back = rng.randint(1, amount)
        refund_charge(
            wallet=wallet,
            charge_reference=reference,
            reference=f"failed:{reference}",
            source="figure",
            amount=back,
            is_our_fault=rng.random() < 0.5,
        )
        programme.used.append(-back)
    return ""


def hold(season: Season, rng: random.Random, programme: Programme) -> str:
    """Set some of a member's credits aside, as a job does whose price is not known yet."""
    hold_amount(
        wallet=_member(rng, programme).wallet,
        amount=rng.randint(1, 25),
        reference=f"hold:{ids.new_id()}",
        source="figure",
        ttl=timedelta(hours=rng.choice([1, 6, 24])),
    )
    return ""


def settle_hold(season: Season, rng: random.Random, programme: Programme) -> str:
    """Keep some of what is held, or none of it."""
    held = Hold.objects.filter(organization=programme.partner.organization, status="held")
    found = _any(rng, held)
    if rng.random() < 0.3:
        release_hold(hold=found, source="figure")
        return ""
    amount = rng.randint(1, found.amount)
    if not capture_hold(hold=found, amount=amount, source="figure").is_replayed:
        programme.used.append(amount)
    return ""


def sweep(season: Season, rng: random.Random, programme: Programme) -> str:
    """Let go what is due, of both programmes."""
    sweep_expired_lots(limit=rng.choice([3, 200]))
    settle_due(limit=rng.choice([3, 500]))
    return ""


Deed = Callable[[Season, random.Random, Programme], str]
DEEDS: dict[Deed, int] = {
    **dict.fromkeys((upload, hand_on, take), 4),
    **dict.fromkeys((spend,), 9),
    **dict.fromkeys((hold, settle_hold, revoke_one), 3),
    **dict.fromkeys((go, extend_one, sweep), 2),
}


def _member(rng: random.Random, programme: Programme) -> PartnerMember:
    rows = PartnerMember.objects.select_related("organization", "partner__organization", "wallet")
    return rows.get(partner=programme.partner, email=rng.choice(list(programme.people)))


def _award(rng: random.Random, programme: Programme) -> PartnerCredit:
    """Return one of the newest awards."""
    rows = PartnerCredit.objects.filter(partner=programme.partner).select_related("partner")
    return _any(rng, rows.order_by("-created_at")[:20])


def _any[T: Model](rng: random.Random, rows: QuerySet[T]) -> T:
    """
    Return one of these rows.

    :raises NotFound: if there is none.
    """
    found = list(rows)
    if not found:
        raise NotFound
    return rng.choice(found)


def how_it_went(season: Season) -> Counter[str]:
    """Count what was done and what was refused, by its kind."""
    return Counter(season.told)


def never_done(season: Season) -> list[str]:
    """Return what was refused each time: of that the season shows nothing."""
    return [deed.__name__ for deed in DEEDS if f"{deed.__name__}: done" not in season.told]
