"""
Two organizations, of which the second one's every text carries a word that nobody else has.

Whoever works in the first asks everything that there is to ask, with the ids of the second;
the word must be in nothing that he gets, and the second one's rows must stay as they are.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from unittest import mock

from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.test import Client

from apps.core.rows import RowManager, organization_field
from apps.core.walls.building import walls
from apps.rbac.models import Role
from apps.tenants.models import Organization
from apps.tenants.services.organizations import update_organization
from tests.jobs.work import set_price
from tests.people import make_key, make_member, make_organization, signed_in
from tests.walls.foreign import ADDRESSES, KINDS, WORDS, filled, kinds_in

WORD = "zzcanaryzz"
METHODS = ("get", "post", "patch", "delete")
_number = count(1)


@dataclass
class Look:
    """What was asked, and what came out of it that should not have."""

    asked: int = 0
    leaks: list[str] = field(default_factory=list)


@dataclass
class Two:
    """Ours, theirs, and a row of theirs of each kind that addresses name."""

    ours: Organization
    theirs: Organization
    ids: dict[str, str]
    clients: list[Client]


def make_two() -> Two:
    """Make both, and fill the second one's rows with the word."""
    set_price()
    number = next(_number)
    ours = make_organization(name="Ours", slug=f"ours-{number}")
    theirs = make_organization(name=f"{WORD} {number}", slug=f"theirs-{number}")
    update_organization(organization=theirs, description=WORD, billing_email=f"{WORD}@example.com")
    owner = make_member(theirs, "owner", email=f"{WORD}-{number}@example.com", full_name=WORD)
    Role.objects.create(name=WORD, organization=theirs)
    ids = {kind: make(theirs, owner).public_id for kind, make in KINDS.items()}
    ours_owner = make_member(ours, "owner")
    _, token = make_key(ours, ours_owner, "jobs:read", "jobs:write")
    clients = [
        signed_in(ours_owner, has_factor=True),
        Client(headers={"Authorization": f"Bearer {token}"}),
    ]
    return Two(ours, theirs, ids, clients)


def look_everywhere(two: Two) -> Look:
    """Ask every address with every method as everybody of ours; return what leaked."""
    look = Look()
    before = fingerprint(two.theirs)
    for client in two.clients:
        client.raise_request_exception = False
        for address in ADDRESSES:
            path = filled(address, {"slug": two.ours.slug, **two.ids, **WORDS})
            for method in METHODS if kinds_in(address) else ("get",):
                look.asked += 1
                if WORD in everything_of(client, method, path):
                    look.leaks.append(f"{method} {address}")
    if fingerprint(two.theirs) != before:
        look.leaks.append("a row of theirs was changed")
    return look


def everything_of(client: Client, method: str, path: str) -> str:
    """Return headers and body of an answer as one text."""
    headers = {"Idempotency-Key": f"look-{next(_number)}"}
    response = getattr(client, method)(path, content_type="application/json", headers=headers)
    body = b"".join(response) if response.streaming else response.content
    return f"{response.headers} {body.decode(errors='replace')}"


def fingerprint(organization: Organization) -> str:
    """Return a hash of every row of an organization."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        for table, wall in sorted(walls().items()):
            if wall.whose:
                cursor.execute(
                    f"SELECT coalesce(string_agg(one::text, '|' ORDER BY one::text), '')"
                    f'  FROM "{table}" AS one WHERE {wall.whose} = %s',
                    [organization.pk],
                )
                digest.update(cursor.fetchone()[0].encode())
    return digest.hexdigest()


@contextmanager
def application_scoping_off() -> Iterator[None]:
    """
    Take the first wall down: no manager filters, and no query asks for its organization.

    What is left to say which organization somebody works in is whether he belongs to it, and
    of its rows only what the database itself shows.
    """
    whole = QuerySet._filter_or_exclude

    def without_organization(rows, negate, args, kwargs):
        kept = {name: value for name, value in kwargs.items() if not names_it(rows.model, name)}
        stripped = [strip(rows.model, one) for one in args]
        return whole(rows, negate, [one for one in stripped if one is not None], kept)

    with ExitStack() as stack:
        stack.enter_context(
            mock.patch.object(
                RowManager, "get_queryset", lambda self: super(RowManager, self).get_queryset()
            )
        )
        stack.enter_context(mock.patch.object(QuerySet, "_filter_or_exclude", without_organization))
        yield


def names_it(model: type[Model], name: str) -> bool:
    """Tell whether a condition of this name says whose a row is."""
    own = name in ("organization", "organization_id", "organization__in", "chain_id")
    return own and organization_field(model) is not None


def strip(model: type[Model], condition: object) -> object:
    """Return a condition without what it says of the organization; None if nothing is left."""
    if not isinstance(condition, Q):
        return condition
    kept = Q(_connector=condition.connector, _negated=condition.negated)
    kept.children = [
        one
        for one in (
            strip(model, child)
            if isinstance(child, Q)
            else None
            if isinstance(child, tuple) and names_it(model, child[0])
            else child
            for child in condition.children
        )
        if one is not None
    ]
    return kept if kept.children else None
