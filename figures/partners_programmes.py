"""Programmes whose pool was paid for, and what each must add up to, counted without our help."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from unittest import mock

from django.db import connection
from django.utils import timezone

from apps.core import queue
from apps.core.invariants import all_invariants, verify
from apps.partners.models import Partner, PartnerTerms
from apps.partners.services.claiming import claim
from apps.partners.services.programmes import Terms
from apps.tenants.models import User
from tests.database import migrated_database
from tests.partners.awarding import fill, give
from tests.partners.programme import make_members, make_programme
from tests.rbac.inviting import make_verified

PAID = (400_000, 3_000, 1_000)  # credits, in lots that end never, late and early
ENDS = (None, timedelta(days=30), timedelta(days=10))
GIVEN = 150  # credits for each person, to begin with
SHORT = {"validity_days": 2, "claim_days": 1}  # so that much goes by the terms
# In one statement, so that nothing moves between two sums. Knows no award and no service.
PARTS = """
    SELECT coalesce(sum(lots.there) FILTER (WHERE wallet.kind = 'organization'), 0) AS pool,
           coalesce(sum(lots.there) FILTER (WHERE wallet.kind = 'member'), 0) AS members,
           coalesce(-sum(moved.used), 0) AS used, coalesce(-sum(moved.lapsed), 0) AS lapsed
      FROM credits_wallet wallet
     CROSS JOIN LATERAL (SELECT sum(remaining) AS there FROM credits_lot
                          WHERE wallet_id = wallet.id) lots
     CROSS JOIN LATERAL (
           SELECT sum(amount) FILTER (WHERE transaction_type IN
                                      ('consumed', 'held', 'released', 'refunded')) AS used,
                  sum(amount) FILTER (WHERE transaction_type IN ('expired', 'voided')) AS lapsed
             FROM credits_credittransaction WHERE wallet_id = wallet.id) moved
     WHERE wallet.organization_id = %s
"""
# What went out to members and came back from them, by the entries of the pool alone.
HANDED_ON = """
    SELECT coalesce(-sum(amount) FILTER (WHERE transaction_type = 'transferred_out'), 0),
           coalesce(sum(amount) FILTER (WHERE transaction_type = 'transferred_in'), 0)
      FROM credits_credittransaction entry JOIN credits_wallet pool ON pool.id = entry.wallet_id
     WHERE pool.organization_id = %s AND pool.kind = 'organization'
"""


@dataclass
class Parts:
    """Where the credits of a programme are, in credits."""

    pool: int
    members: int  # offered to them, or theirs
    used: int  # or held, while it is
    lapsed: int

    def total(self) -> int:
        """Return what all of them add up to: what was paid for, or something is wrong."""
        return self.pool + self.members + self.used + self.lapsed


@dataclass
class Programme:
    """A programme, its people, and what those who did something were told of it, in credits."""

    partner: Partner
    people: dict[str, User]  # by address
    files: list[bytes] = field(default_factory=list)  # that were uploaded
    awarded: list[int] = field(default_factory=list)
    used: list[int] = field(default_factory=list)  # negative: given back

    def parts(self) -> Parts:
        """Read where everything is, at one moment."""
        return Parts(*self._ask(PARTS))

    def handed_on(self) -> tuple[int, int]:
        """Read what left the pool for members, and what came back to it."""
        out, back = self._ask(HANDED_ON)
        return out, back

    def _ask(self, statement: str) -> tuple[int, ...]:
        with connection.cursor() as cursor:
            cursor.execute(statement, [self.partner.organization_id])
            return tuple(map(int, cursor.fetchone()))


def is_whole(programme: Programme) -> bool:
    """Tell whether nothing was lost of what was paid for, and nothing came of nothing."""
    return programme.parts().total() == sum(PAID)


def broken(*, of_programmes: bool = False) -> int:
    """Count the invariants of `manage.py verify` that are broken, or those of programmes alone."""
    chosen = [one for one in all_invariants() if not of_programmes or one.code.startswith("H")]
    return sum(finding.failures > 0 for finding in verify(chosen))


def make_season_programme(unused: PartnerTerms.Unused, people: int) -> Programme:
    """Return a programme with a paid pool and so many people, of whom half have claimed."""
    partner = make_programme(terms=Terms(unused=unused, **SHORT), name=f"Unused {unused}s")
    now = timezone.now()
    for credits, end in zip(PAID, ENDS, strict=True):
        fill(partner, credits, expires_at=now + end if end else None)
    addresses = [f"{unused}-{number}@example.com" for number in range(people)]
    members = make_members(partner, *addresses)
    persons = {one: make_verified(one) for one in addresses}
    for member in members[::2]:
        claim(member=member, user=persons[member.email])
    given = [give(member, GIVEN).credits for member in members]
    return Programme(partner, persons, awarded=given)


@contextmanager
def fresh() -> Iterator[None]:
    """Give a database of one's own, where no worker is rung for."""
    with migrated_database(), mock.patch.object(queue, "_ring"):
        yield


def file_of(rows: Sequence[tuple[str, int]]) -> bytes:
    """Return a CSV that gives these addresses so many credits."""
    return "\n".join(["email,credits", *(f"{email},{credits}" for email, credits in rows)]).encode()


def written_in_any_case(rng: random.Random, email: str) -> str:
    """Return an address as somebody may type it."""
    return rng.choice([email, email.upper(), email.title(), f" {email} "])
