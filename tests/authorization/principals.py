"""Everyone who may ask, and what he may do, as the table of codes says."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from apps.rbac.models import ApiKey
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import User
from tests.authorization.codes import (
    SCOPE_OF,
    SCOPES,
    STAFF_ROLES,
    codes_of,
    staff_codes_of,
)
from tests.authorization.world import HERE, THERE, World
from tests.jobs.outside import make_worker
from tests.people import make_key, make_person, signed_in, with_key

NOTHING: frozenset[str] = frozenset()


@dataclass
class Principal:
    """Somebody or something that sends requests."""

    name: str
    client: Client
    person: User | None = None
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by place
    scopes: frozenset[str] | None = None  # of a key; None for people
    is_valid: bool = True  # whether the key still works
    staff_codes: frozenset[str] = NOTHING
    is_staff: bool = False
    is_superuser: bool = False
    is_worker: bool = False  # has a worker's key, which opens nothing else
    has_share: bool = False  # of the job that `other here` names
    looks_everywhere: bool = False  # has Django's own permission to view every model

    @property
    def is_key(self) -> bool:
        """Whether it is a program."""
        return self.scopes is not None

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody in particular asks."""
        return self.person is None and not self.is_key

    @property
    def sees(self) -> frozenset[str]:
        """The places whose marks it may be shown."""
        return frozenset(self.roles)

    def codes_in(self, place: str) -> frozenset[str]:
        """Return what its person may do in a place."""
        return frozenset().union(*(codes_of(role) for role in self.roles.get(place, ())))

    def holds_in(self, place: str) -> frozenset[str]:
        """Return what it can give in a place: a key gives nothing beyond its scopes."""
        codes = self.codes_in(place)
        if self.scopes is None:
            return codes
        return frozenset(code for code in codes if SCOPE_OF[code] in self.scopes)


def make_principals(world: World) -> list[Principal]:
    """Return everyone, signed in."""
    return [
        Principal("anonymous", Client()),
        *_members(world),
        *_strangers(world),
        *_keys(world),
        *_staff(),
    ]


def _members(world: World) -> list[Principal]:
    return [
        Principal(f"{role} {place.name}", signed_in(person), person, {place.name: (role,)})
        for place in (world.here, world.there)
        for role, person in place.people.items()
    ]


def _strangers(world: World) -> list[Principal]:
    mixed = {HERE: ("member",), THERE: ("owner",)}
    nobody = make_person(email="nobody@matrix.test")
    return [
        Principal("member here, owner there", signed_in(world.mixed), world.mixed, mixed),
        Principal("removed member", signed_in(world.removed), world.removed),
        Principal("person of no organization", signed_in(nobody), nobody),
        Principal("person with a share", signed_in(world.outsider), world.outsider, has_share=True),
    ]


def _keys(world: World) -> list[Principal]:
    owner = {HERE: ("owner",)}
    every = frozenset(SCOPES)
    expired, token = make_key(world.here.organization, world.here.people["owner"], *SCOPES)
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(days=1))
    narrow = make_key(world.here.organization, world.here.people["member"], "usage:read")[1]
    return [
        *(
            Principal(f"key {scope}", with_key(world.here.keys[scope]), None, owner, {scope})
            for scope in SCOPES
        ),
        *(
            Principal(
                f"key of all scopes but {scope}",
                with_key(world.here.keys[f"all but {scope}"]),
                None,
                owner,
                every - {scope},
            )
            for scope in SCOPES
        ),
        Principal(
            "key of all scopes there",
            with_key(world.there.keys["all"]),
            None,
            {THERE: ("owner",)},
            every,
        ),
        Principal(
            "key of a member",
            with_key(narrow),
            None,
            {HERE: ("member",)},
            frozenset({"usage:read"}),
        ),
        Principal("revoked key", with_key(world.revoked_key), None, {}, every, is_valid=False),
        Principal("expired key", with_key(token), None, {}, every, is_valid=False),
        Principal(
            "key of a removed member", with_key(world.removed_key), None, {}, every, is_valid=False
        ),
        Principal(
            "key of a worker",
            make_worker("image.matrix"),
            None,
            {},
            NOTHING,
            is_valid=False,
            is_worker=True,
        ),
    ]


def _staff() -> list[Principal]:
    bare = make_person(email="staff@matrix.test", is_staff=True)
    looker = make_person(email="looker@matrix.test", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    root = make_person(email="root@matrix.test", is_staff=True, is_superuser=True)
    found = [
        Principal("staff without a role", signed_in(bare), bare, is_staff=True),
        Principal(
            "staff who may look", signed_in(looker), looker, is_staff=True, looks_everywhere=True
        ),
        Principal("superuser", signed_in(root), root, is_staff=True, is_superuser=True),
    ]
    for role in STAFF_ROLES:
        person = make_person(email=f"{role.replace(' ', '-')}@matrix.test", is_staff=True)
        assign_role(user=person, role=system_role(role), organization=None)
        codes = staff_codes_of(role)
        found.append(Principal(role, signed_in(person), person, staff_codes=codes, is_staff=True))
    return found
