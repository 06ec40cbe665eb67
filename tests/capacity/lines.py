"""Waiting lists for tests: projects that are full, who waits for them, and offers."""

from decimal import Decimal

from apps.capacity.models import Allocation, Project, WaitlistEntry
from apps.capacity.selectors.waiting import entries_of
from apps.capacity.services.ending import withdraw_allocations
from apps.capacity.services.offering import offer_blocks
from apps.capacity.services.waiting import join
from apps.core.clock import workers_now
from apps.tenants.models import Organization, User
from tests.capacity.plants import allocate, make_project, wish
from tests.people import make_organization


def wait(
    organization: Organization,
    project: Project,
    kw: int | str,
    *,
    user: User | None = None,
    **terms,
) -> WaitlistEntry:
    """Let an organization join the waiting list."""
    return join(organization=organization, project=project, wish=wish(kw, **terms), user=user)


def full_project(*sizes: int | str, **terms) -> tuple[Project, list[Allocation]]:
    """Return a project that somebody has, and his allocations."""
    project = make_project(*sizes, **terms)
    return project, allocate(make_organization(), project, sum(map(Decimal, sizes)))


def free(allocations: list[Allocation]) -> None:
    """End allocations at once."""
    withdraw_allocations(allocations=allocations, reason="Freed")


def statuses(*entries: WaitlistEntry) -> list[str]:
    """Return the statuses of entries as they are now."""
    found = dict(WaitlistEntry.objects.values_list("pk", "status"))
    return [found[entry.pk] for entry in entries]


def position(entry: WaitlistEntry) -> int | None:
    """Return where in the line an entry stands; None if it does not."""
    return entries_of(entry.organization, workers_now()).get(pk=entry.pk).position


def offered(organization: Organization, *sizes: int | str, **terms) -> WaitlistEntry:
    """Return the offer of all blocks of a project to one who waited for them."""
    project, allocations = full_project(*sizes, **terms)
    entry = wait(organization, project, sum(map(Decimal, sizes)))
    free(allocations)
    assert offer_blocks(project.pk) == 1
    entry.refresh_from_db()
    return entry
