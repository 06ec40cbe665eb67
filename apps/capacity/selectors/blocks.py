"""Read blocks: those that can be had, in the order in which they are given."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from heapq import merge
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When

from apps.capacity.errors import BlockRefused
from apps.capacity.models import CapacityBlock, Project, Reservation
from apps.capacity.selectors.amounts import to_kilowatts, to_watts
from apps.core.clock import workers_now
from apps.core.errors import NotFound

AT_ONCE = 1000  # blocks that are read by one query


class Piece(NamedTuple):
    """A block that can be had. The lowest goes first."""

    position: int
    block_id: UUID
    watts: int


def is_free(now: datetime) -> Q:
    """Return the condition for blocks that can be had: a hold ends when its time has passed."""
    return Q(state=CapacityBlock.State.FREE) | is_past_its_hold(now)


def is_past_its_hold(now: datetime) -> Q:
    """Return the condition for blocks whose hold has ended, which nobody wrote down yet."""
    return Q(state=CapacityBlock.State.HELD, held_until__lte=now)


def oldest_pieces(project: Project, now: datetime) -> Iterator[Piece]:
    """Yield what can be had, the oldest first, and read no more than is taken."""
    past = CapacityBlock.objects.filter(is_past_its_hold(now), project=project)
    return merge(sorted(_pieces(past)), _free_pieces(project))


def _free_pieces(project: Project) -> Iterator[Piece]:
    free = CapacityBlock.objects.filter(project=project, state=CapacityBlock.State.FREE)
    rest = free
    free = rest.order_by("position", "id")
    while True:
        pieces = _pieces(free[:AT_ONCE])
        yield from pieces
        if len(pieces) < AT_ONCE:
            return
        last = pieces[-1]
        later = Q(position__gt=last.position) | Q(pk__gt=last.block_id)
        free = rest.filter(later, position__gte=last.position).order_by("position", "id")


def _pieces(blocks: QuerySet[CapacityBlock]) -> list[Piece]:
    rows = blocks.values_list("position", "pk", "capacity_kw")
    return [Piece(position, block_id, to_watts(size)) for position, block_id, size in rows]


def sizes_of_free(project: Project, now: datetime) -> Counter[int]:
    """Return how many blocks of each size, in watts, can be had."""
    free = CapacityBlock.objects.filter(is_free(now), project=project).order_by()
    rows = free.values_list("capacity_kw").annotate(blocks=Count("pk"))
    return Counter({to_watts(size): blocks for size, blocks in rows})


def oldest_of_sizes(project: Project, now: datetime, wanted: Counter[int]) -> list[Piece]:
    """Return so many blocks of each size, in watts; of each the oldest."""
    free = CapacityBlock.objects.filter(is_free(now), project=project)
    pieces: list[Piece] = []
    for size, count in sorted(wanted.items()):
        of_size = free.filter(capacity_kw=to_kilowatts(size)).order_by("position", "id")
        pieces += _pieces(of_size[:count])
    return sorted(pieces)


def blocks_held_for(reservation: Reservation) -> QuerySet[CapacityBlock]:
    """Return the blocks that a reservation holds: none as soon as another has taken them."""
    return CapacityBlock.objects.filter(held_for=reservation.pk)


def blocks_of(project: Project, now: datetime) -> QuerySet[CapacityBlock]:
    """Return the blocks of a project that are not retired, and in `standing` who can have each."""
    blocks = CapacityBlock.objects.filter(project=project).exclude(
        state=CapacityBlock.State.RETIRED
    )
    free = When(is_past_its_hold(now), then=Value(CapacityBlock.State.FREE.value))
    standing = Case(free, default=F("state"), output_field=CharField())
    return blocks.annotate(standing=standing).select_related("project")


def block_of(project: Project, serial: str) -> CapacityBlock:
    """
    Return the block of a project that is called so.

    :raises NotFound: if it has none, or it is retired.
    """
    found = blocks_of(project, workers_now()).filter(serial=serial).first()
    if found is None:
        raise NotFound
    return found


def blocks_called(project: Project, serials: Collection[str]) -> list[CapacityBlock]:
    """
    Return the blocks of a project that are called so, all of them.

    :raises BlockRefused: if the project has no block of one of these names.
    """
    found = list(CapacityBlock.objects.filter(project=project, serial__in=serials))
    if missing := set(serials) - {block.serial for block in found}:
        reason = f"{project} has no block {', '.join(sorted(missing))}."
        raise BlockRefused(field="blocks", reason=reason)
    return found


def project_of_block(block_id: UUID) -> Project:
    """
    Return the project to which a block belongs, also one that is retired.

    :raises NotFound: if there is no such block, or customers do not see its project.
    """
    shown = CapacityBlock.objects.exclude(project__status=Project.Status.DRAFT)
    found = shown.select_related("project").filter(pk=block_id).first()
    if found is None:
        raise NotFound
    return found.project
