"""
Two organizations, here and there, each with one of everything, and people of every kind.

Ledger, jobs, keys and invitations are made by the services; whatever model has no row in a
place after that gets one from its fields (filling.py), so that a new model needs no line here.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model

from apps.billing.services.details import Wanted as Billed
from apps.billing.services.details import set_details
from apps.billing.services.reload_settings import Wanted, set_reload
from apps.capacity.models import Project
from apps.core import context
from apps.credits import selectors
from apps.credits.models import ClosedPeriod, Correction, Lot, Wallet
from apps.credits.services import charges, grants, holds
from apps.credits.services.budgets import create_budget
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import Why, request_correction
from apps.credits.services.holders import open_member_wallet, set_holder
from apps.jobs.models import BlobUpload, GenerationJob
from apps.jobs.services.changing import cancel_job
from apps.partners.selectors import find_partner
from apps.partners.services.groups import create_group
from apps.partners.services.members import NewMember, add_members
from apps.partners.services.programmes import make_partner
from apps.partners.services.uploads.storing import store_upload
from apps.rbac.models import ApiKey, Role
from apps.rbac.services.impersonations import start_impersonation
from apps.rbac.services.members import remove_member
from apps.rbac.services.ownership import request_transfer
from apps.rbac.services.roles import assign_role, system_role
from apps.rbac.services.sharing import share_object
from apps.tenants.models import Organization, User
from tests.authorization.codes import ROLES, SCOPE_OF, SCOPES, TOLD
from tests.authorization.filling import fill
from tests.authorization.registry import personal_models, tenant_models
from tests.authorization.silence import without_triggers
from tests.billing.differing import make_difference
from tests.capacity.lines import full_project, wait
from tests.capacity.plants import allocate, hold, make_blocks, make_project
from tests.jobs.outside import make_claim, make_external
from tests.jobs.work import make_job, make_upload, set_price
from tests.people import give_second_factor, make_key, make_member, make_organization, make_person
from tests.rbac.inviting import make_invitation, make_verified

HERE, THERE = "here", "there"
MUCH = 10_000_000  # credits: enough for a correction to wait for a second person


@dataclass
class Place:
    """One organization and its people, by role."""

    name: str
    organization: Organization
    people: dict[str, User] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)  # what opens them, by scope or "all"
    rows: dict[str, list[Model]] = field(default_factory=dict)  # by label of the model

    def first(self, label: str) -> Model:
        """Return some row of a model in this place."""
        return self.rows[label][0]


@dataclass
class World:
    """Everything that the cells are about."""

    here: Place
    there: Place
    mixed: User  # member here, owner there
    removed: User
    outsider: User  # with whom the first job here is shared
    removed_key: str
    revoked_key: str

    def place(self, name: str) -> Place:
        """Return a place by its name."""
        return self.here if name == HERE else self.there

    def read_again(self) -> None:
        """Read the rows once more that were changed behind their backs."""
        for place in (self.here, self.there):
            place.organization.refresh_from_db()


def make_world() -> World:
    """Make both places; their rows may still be changed (canaries.py)."""
    set_price()
    make_external("image.matrix")
    close_a_month()
    make_plant()
    here, there = make_place(HERE), make_place(THERE)
    mixed = make_member(here.organization, "member", email="mixed@matrix.test", full_name="Mixed")
    assign_role(user=mixed, role=system_role("owner"), organization=there.organization)
    removed = make_member(here.organization, "developer", email="removed@matrix.test")
    _, removed_key = make_key(here.organization, removed, "jobs:read", "credits:read")
    owner = here.people["owner"]
    with acting(owner):
        remove_member(organization=here.organization, user=removed, by=owner)
    key, revoked_key = make_key(here.organization, owner, *SCOPES)
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=key.created_at)
    for place in (here, there):  # the last one is the key that addresses name: it works
        make_key(place.organization, place.people["owner"], SCOPE_OF[TOLD])
    outsiders = [share_a_job(place) for place in (here, there)]
    complete(here, there)
    return World(here, there, mixed, removed, outsiders[0], removed_key, revoked_key)


def make_plant() -> None:
    """Offer blocks to both places: projects that addresses name, which are everybody's."""
    project = make_project(code="matrix", name="Matrix")
    make_blocks(project, "M", 50, kw=1)
    full_project(1, code="crowded", name="Crowded")


def close_a_month() -> None:
    """Close a month of long ago, so that what is filled in for closed months says no other."""
    began, ended = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC)
    period = ClosedPeriod(
        month=began.date(), starts_at=began, ends_at=ended, closed_by="system:matrix"
    )
    with without_triggers(ClosedPeriod):
        period.save()


def acting(user: User):
    """Name the person as the one who acts."""
    return context.acting(actor=f"user:{user.public_id}")


def make_place(name: str) -> Place:
    """Make an organization in which everybody has done something."""
    owner = make_person(email=f"owner@{name}.test", full_name=f"Owner {name}")
    with acting(owner):
        organization = make_organization(owner=owner, name=f"Place {name}", slug=f"place-{name}")
    place = Place(name, organization, {"owner": owner})
    for role in ROLES[1:]:
        email = f"{role.replace(' ', '-')}@{name}.test"
        place.people[role] = make_member(organization, role, email=email, full_name=role)
    Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)
    live(place)
    return place


def live(place: Place) -> None:
    """Let everybody leave a trace."""
    organization, owner = place.organization, place.people["owner"]
    wallet = selectors.main_wallet(organization)
    with acting(owner):
        for number in range(2):
            grants.grant_credits(
                wallet=wallet,
                amount=1000,
                kind=Lot.Kind.PURCHASE,
                reference=f"paid:{place.name}:{number}",
                source="test",
            )
        create_budget(wallet=wallet, monthly_limit=MUCH)
        create_budget(wallet=wallet, monthly_limit=MUCH, member=place.people["member"])
        make_invitation(organization, owner, email=f"invited@{place.name}.test")
        begin_programme(place, owner)
        place.keys = {one: make_key(organization, owner, one)[1] for one in SCOPES}
        for one in SCOPES:
            rest = (other for other in SCOPES if other != one)
            place.keys[f"all but {one}"] = make_key(organization, owner, *rest)[1]
        place.keys["all"] = make_key(organization, owner, *SCOPES)[1]
        Role.objects.create(organization=organization, name=f"Own role {place.name}")
    give_second_factor(place.people["read-only"])
    look_in_a_place(place)
    for role, person in place.people.items():
        with acting(person):
            leave_traces(place, role, person, wallet_of(place, person) or wallet)
    with acting(owner):
        make_claim(organization, owner)
        request_correction(
            wallet=wallet,
            action=Correction.Action.GRANT,
            terms=Terms(amount=MUCH),
            why=Why(Correction.Reason.GOODWILL, "a note", "a ticket"),
            user=owner,
        )
        upload_members(place, owner)
        cancel_job(job=make_job(organization, owner))  # of which others are told
        have_blocks(organization, owner)
        make_difference(organization, owner)  # one run is under way at a time, so none is
        request_transfer(organization=organization, from_user=owner, to_user=place.people["admin"])
        off = Wanted(is_enabled=False, threshold=100, amount=1000)
        with transaction.atomic():
            set_reload(organization=organization, user=owner, wanted=off)
            set_details(organization=organization, wanted=billed(place.name))


def wallet_of(place: Place, person: User) -> Wallet | None:
    """Return the wallet with credits that a member of a programme holds himself, of nobody else."""
    if person != place.people["programme member"]:
        return None
    own = open_member_wallet(organization=place.organization)
    grants.grant_credits(
        wallet=own, amount=1000, kind=Lot.Kind.PARTNER, reference="award", source="test"
    )
    return set_holder(wallet=own, user=person)


def have_blocks(organization: Organization, owner: User) -> None:
    """Let a place hold a block, have another one, and wait for one."""
    project = Project.objects.get(code="matrix")
    hold(organization, project, 1, user=owner)
    allocate(organization, project, 1, user=owner)  # the last one is named: it has a certificate
    wait(organization, Project.objects.get(code="crowded"), 1, user=owner)


def upload_members(place: Place, owner: User) -> None:
    """Leave a file by which credits would be handed on, in the place's programme."""
    organization, address = place.organization, f"listed@{place.name}.test"
    partner = find_partner(organization) or make_partner(
        organization=organization, name=f"Programme {place.name}"
    )
    data = f"email,credits\n{address},5\n".encode()
    store_upload(partner=partner, data=data, filename=f"{place.name}.csv", by=owner)


def billed(name: str) -> Billed:
    """Return billing details in which every line is written."""
    lines = ("legal_name", "line1", "line2", "city", "state", "po_number")
    return Billed(
        **{line: f"{line} {name}" for line in lines},
        postal_code="10115",
        country="DE",
        tax_id_type="eu_vat",
        tax_id="DE123456789",
        emails=(f"bills@{name}.test",),
    )


def begin_programme(place: Place, owner: User) -> None:
    """Give the organization a programme with a group and two members, who are only invited."""
    partner = make_partner(organization=place.organization, name=f"Programme {place.name}")
    group = create_group(partner=partner, name=f"Group {place.name}")
    people = [NewMember(f"{one}@{place.name}.test", group=group) for one in ("first", "second")]
    add_members(partner=partner, people=people, by=owner)


def look_in_a_place(place: Place) -> None:
    """Let staff look in a member's place."""
    staff = make_person(email=f"support-{place.name}@matrix.test", is_staff=True)
    assign_role(user=staff, role=system_role("support"), organization=None)
    start_impersonation(
        staff_user=staff,
        user=place.people["member"],
        organization=place.organization,
        reason="The customer asked for help with a job.",
        ticket="SUP-1001",
    )


def share_a_job(place: Place) -> User:
    """Share the latest job with a person outside, and return him."""
    outsider = make_verified(f"outsider-{place.name}@matrix.test")
    job = GenerationJob.objects.filter(organization=place.organization).order_by("-pk").first()
    owner = place.people["owner"]
    with acting(owner):
        share_object(
            by=owner,
            organization=place.organization,
            object_id=job.public_id,
            email=outsider.email,
        )
    return outsider


def leave_traces(place: Place, role: str, person: User, wallet: Wallet) -> None:
    """Let one person spend, hold and work, whatever his role would let him do by himself."""
    cause = f"{place.name}:{role}"
    wallet.refresh_from_db()
    charges.charge_amount(wallet=wallet, amount=1, reference=f"api:{cause}", source="api")
    holds.hold_amount(wallet=wallet, amount=1, reference=f"api:hold:{cause}", source="api")
    make_upload(place.organization, person)
    make_job(place.organization, person)


def is_a_members(place: Place, wallets: set[UUID], row: Model) -> bool:
    """Tell whether a row is a programme member's alone: what stands for others' rows is none."""
    if {row.pk, getattr(row, "wallet_id", None)} & wallets:
        return True
    member = place.people["programme member"]
    return isinstance(row, GenerationJob | BlobUpload) and row.user_id == member.pk


def complete(*places: Place) -> None:
    """Seal what is sealed at a commit, and give each model a row in each place."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for place in places:
        wallets = Wallet.objects.filter(organization=place.organization, kind=Wallet.Kind.MEMBER)
        of_members = partial(is_a_members, place, set(wallets.values_list("pk", flat=True)))
        for model, path in tenant_models().items():
            find = model._default_manager.filter(**{path: place.organization.pk})
            rows = sorted(find.order_by("-pk"), key=of_members)
            place.rows[model._meta.label] = rows or [fill(model, place)]
        people = list(place.people.values())
        for model, owner in personal_models().items():
            rows = list(model._default_manager.filter(**{f"{owner}__in": people}))
            place.rows[model._meta.label] = rows or [fill(model, place)]
        # Whoever is changed as "another" is one whom all may change who may change anybody.
        plain = ("member", "read-only")
        place.rows["tenants.User"] = [
            *(place.people[role] for role in plain),
            *(person for role, person in place.people.items() if role not in plain),
        ]
