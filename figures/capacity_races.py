"""64 customers at the blocks of one plant at once, again and again, and somebody who looks on."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from threading import Semaphore
from unittest import mock

from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.capacity.errors import InsufficientCapacity
from apps.capacity.models import Allocation, CapacityBlock, Reservation
from apps.capacity.models.reservations import Mode
from apps.capacity.services import counting
from apps.capacity.services.ending import end_now, withdraw_allocations
from apps.capacity.services.locking import lock_project
from apps.capacity.services.reserving import release_reservation
from apps.capacity.services.settling import settle_offline
from apps.core.clock import workers_now
from apps.core.errors import DomainError
from apps.tenants.models import Organization
from figures.lines import SEED, Report, scaled
from figures.partners_programmes import broken, fresh
from tests.capacity.plants import FEE, hold, make_project
from tests.people import make_organization
from tests.races.locks import taken_from
from tests.races.racing import Team, team

RACERS = 64
ROUNDS = 500  # at each of two plants
ROUNDS_WITHOUT = 20  # at most: until it goes wrong
SIZES = (10, 5, 5, *["2.5"] * 4, *[1] * 6, *["0.5"] * 8)  # kW
TOTAL = Decimal(40)  # what they add up to: the plant has not a watt more
WISHES = [Decimal(kw) for kw in ("0.5", "1", "2", "2.5", "4", "7.5", "12")]
MOST_OVERSHOOT = 10  # kW, so that most wishes can be met
PARTIAL = 0.3  # of them take less, if there is no more
GIVES_BACK = 0.3  # of those who got something, in every other round of each plant
FINISHED = 8  # racers, after whom the next look is taken: the others are under way
LOOKS = RACERS // FINISHED  # at least, in each round
# In one statement, so that nothing moves between two sums. Knows no service and no counter.
LOOK = """
    SELECT project.capacity_kw, project.allocated_kw, project.held_kw,
           coalesce(live.kw, 0) AS live_kw, coalesce(live.doubled, 0) AS doubled,
           coalesce((SELECT sum(capacity_kw) FROM capacity_capacityblock
                      WHERE project_id = project.id AND state = 'held'), 0) AS in_hold
      FROM capacity_project project
     CROSS JOIN LATERAL (
           SELECT sum(allocation.capacity_kw) AS kw,
                  count(*) - count(DISTINCT allocation.block_id) AS doubled
             FROM capacity_allocation allocation
             JOIN capacity_capacityblock block ON block.id = allocation.block_id
            WHERE allocation.released_at IS NULL AND block.project_id = project.id) live
     WHERE project.id = %s
"""


@dataclass
class Look:
    """What stands at one moment, in kW."""

    capacity: Decimal
    allocated: Decimal  # as the project counts
    held: Decimal
    live: Decimal  # as allocations add up
    doubled: int  # live allocations of a block that has one already
    in_hold: Decimal  # as blocks add up

    @property
    def is_oversold(self) -> bool:
        """Whether something was given twice, or more than there is."""
        return bool(self.doubled) or self.live + self.in_hold > self.capacity

    @property
    def is_right(self) -> bool:
        """Whether nothing is oversold, and the project counts what is so."""
        return not self.is_oversold and (self.allocated, self.held) == (self.live, self.in_hold)


@dataclass
class Told:
    """What one racer wanted, in kW, and what he was told."""

    wish: Decimal
    got: Decimal = Decimal(0)
    gave_back: bool = False
    refusal: DomainError | None = None


@dataclass
class Race:
    """A plant, who wants of it, and what came of that."""

    fee: int  # minor units per kW and month
    racers: list[Organization]
    attempts: int = 0
    looks: int = 0
    oversold: int = 0  # looks in which something is
    stopped: int = 0  # racers whom a guard behind the lock stopped
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.project = make_project(*SIZES, capacity_kw=TOTAL, fee=self.fee)

    def run(self, racing: Team, rng: random.Random, *, gives_back: bool) -> None:
        """Let everybody want something at once, look on, and empty the plant again."""
        told: list[Told] = []
        done = Semaphore(0)

        def race(want: Callable[[], Told]) -> None:
            try:
                told.append(want())
            except (AssertionError, DatabaseError, DomainError) as error:
                self.stopped += isinstance(error, AssertionError | IntegrityError)
                self.wrong.append(f"error {error!r:.100}")
            finally:
                done.release()

        def look_on() -> None:
            for number in range(RACERS):
                done.acquire()
                if number % FINISHED == 0:
                    self.look()

        wants = [self._want(racer, rng, gives_back=gives_back) for racer in self.racers]
        racing.at_once([look_on, *(partial(race, want) for want in wants)])
        self.attempts += RACERS
        try:
            self._check(told, is_only_taken=not gives_back)
            self._empty()
        except (AssertionError, DatabaseError) as error:  # its own books contradict each other
            self.wrong.append(f"afterwards {error!r:.100}")
            self.__post_init__()

    def look(self) -> Look:
        """Read how things stand, and note what is wrong."""
        with connection.cursor() as cursor:
            cursor.execute(LOOK, [self.project.pk])
            look = Look(*cursor.fetchone())
        self.looks += 1
        self.oversold += look.is_oversold
        if not look.is_right:
            self.wrong.append(f"read {look}")
        return look

    def _want(
        self, racer: Organization, rng: random.Random, *, gives_back: bool
    ) -> Callable[[], Told]:
        """Return what one of them does, drawn before any of them begins."""
        kw, mode = rng.choice(WISHES), rng.choice(list(Mode))
        is_partial, is_back = rng.random() < PARTIAL, gives_back and rng.random() < GIVES_BACK

        def want() -> Told:
            terms = {"mode": mode, "allow_partial": is_partial, "max_overshoot_kw": MOST_OVERSHOOT}
            try:
                reservation = hold(racer, self.project, kw, **terms)
            except DomainError as refusal:
                return Told(kw, refusal=refusal)
            if is_back:
                _give_back(reservation)
            elif reservation.status == "held":
                settle_offline(reservation=reservation, reference="by bank transfer")
            return Told(kw, reservation.capacity_kw, gave_back=is_back)

        return want

    def _check(self, told: list[Told], *, is_only_taken: bool) -> None:
        """Compare what they were told with what there is, now that nobody is under way."""
        look = self.look()
        if look.live != sum(one.got for one in told if not one.gave_back):
            self.wrong.append(f"told otherwise {look}")
        free = TOTAL - look.live
        falsely = [one for one in told if _is_sold_out(one) and is_only_taken and one.wish <= free]
        self.wrong += [f"told falsely that {one.wish} kW are not free" for one in falsely]
        if free:  # and nobody is about: then it can be had, to the last watt
            try:
                hold(self.racers[0], self.project, free)
            except DomainError as refusal:
                self.wrong.append(f"idle, and {free} kW refused: {refusal.code}")

    def _empty(self) -> None:
        live = Allocation.objects.filter(block__project=self.project, released_at=None)
        with transaction.atomic():
            project = lock_project(self.project.pk)
            found = list(live.select_related("block"))
            end_now(found, {project.pk: project}, Allocation.Ending.WITHDRAWN, workers_now())
        for reservation in Reservation.objects.filter(project=self.project, status="held"):
            release_reservation(reservation=reservation)


def _give_back(reservation: Reservation) -> None:
    """Let the blocks be free again, of a plant that costs nothing also those allocated."""
    if reservation.status == "held":
        release_reservation(reservation=reservation)
    else:
        allocations = list(reservation.allocations.all())
        withdraw_allocations(allocations=allocations, reason="Given back")


def _is_sold_out(one: Told) -> bool:
    return isinstance(one.refusal, InsufficientCapacity)


def races_for_money(report: Report) -> None:
    """64 customers at a plant's blocks of mixed sizes, which are held until they are paid."""
    _races(report, "capacity_races_for_money", FEE)


def races_for_nothing(report: Report) -> None:
    """The same at a plant that costs nothing, so that blocks are allocated at once."""
    _races(report, "capacity_races_for_nothing", 0)


def _races(report: Report, name: str, fee: int) -> None:
    rounds = scaled(ROUNDS)
    with fresh(), report.figure(name, asked=rounds * RACERS) as figure:
        race = run(rounds, fee)
        figure.examined = race.attempts
        figure.failures = tell(race) + broken() + max(0, rounds * LOOKS - race.looks)


def races_without_guards(report: Report) -> None:
    """Without the lock, the guards behind it stop racers; without them, it alone orders them."""
    with fresh(), report.figure("capacity_races_without_the_lock", asked=RACERS) as figure:
        with taken_from("capacity_project")():
            race = run(ROUNDS_WITHOUT, FEE, until=lambda race: race.stopped)
        figure.examined = race.attempts
        tell(race)
        figure.control = "red" if race.stopped else "green"
    asked = RACERS * ROUNDS_WITHOUT
    with fresh(), report.figure("capacity_races_by_the_lock_alone", asked=asked) as figure:
        with guards_removed():
            race = run(ROUNDS_WITHOUT, FEE)
        figure.examined, figure.failures = race.attempts, tell(race)
        with taken_from("capacity_project")(), guards_removed():
            race = run(ROUNDS_WITHOUT, FEE, until=lambda race: race.oversold)
        tell(race)
        figure.control = "red" if race.oversold else "green"


def run(rounds: int, fee: int, until: Callable[[Race], object] = lambda race: False) -> Race:
    """Race so often, in every other round with some who give back what they got."""
    rng = random.Random(f"{SEED} {fee}")
    race = Race(fee, [make_organization(name=f"Racer {number}") for number in range(RACERS)])
    with team(RACERS + 1) as racing:
        for number in range(rounds):
            race.run(racing, rng, gives_back=bool(number % 2))
            if until(race):
                break
    return race


def tell(race: Race) -> int:
    """Print what was seen, the first things wrong with it, and return how many there are."""
    print(f"    looks={race.looks} oversold={race.oversold} wrong={len(race.wrong)}", flush=True)
    for said in race.wrong[:3]:
        print(f"    {said}", flush=True)
    return len(race.wrong)


@contextmanager
def guards_removed() -> Iterator[None]:
    """
    Remove what refuses behind the lock, in a database that nobody uses afterwards.

    The look at a block's state while it is taken, the index and the CHECK would each stop
    what goes wrong without the lock, before anything is oversold.
    """

    def mark(block_ids: list[object], before: str, after: str, **fields: object) -> None:
        CapacityBlock.objects.filter(pk__in=block_ids).update(state=after, **fields)

    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS capacity_block_has_one_live_allocation")
        cursor.execute(
            "ALTER TABLE capacity_project DROP CONSTRAINT IF EXISTS"
            " capacity_project_sells_no_kw_twice"
        )
    with mock.patch.object(counting, "_mark", mark):
        yield
