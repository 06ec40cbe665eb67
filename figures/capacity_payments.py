"""A payment that comes while its hold ends: allocated, or the money goes back, and never both."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from unittest import mock

from django.db import IntegrityError, OperationalError, connection
from django.utils import timezone

from apps.billing.models import Payment, Refund
from apps.capacity.models import Allocation, CapacityBlock, Reservation
from apps.capacity.services import paying
from apps.capacity.services.reserving import release_reservation
from apps.capacity.services.sweeping import expire_reservations
from apps.core.errors import DomainError
from apps.tenants.models import Organization
from figures.capacity_races import guards_removed
from figures.lines import SEED, Report, scaled
from figures.partners_programmes import broken, fresh
from tests.capacity.plants import begin_to_pay, hold, make_project, money_comes
from tests.people import make_organization
from tests.races.locks import sent_without, taken_from
from tests.races.racing import Team, team

ROUNDS = 1000
ROUNDS_WITHOUT = 100
RACERS = 5  # the sweep, the customer, another one, and two who hear that it is paid
KW = 5
ENDS_BEFORE = 0.5  # of the holds are over when all begin
GIVES_BACK = 0.5  # of the customers do so while they pay; otherwise the sweep comes twice
MOST_QUERIES = 80  # that others make before they begin: to settle takes more steps
RIGHT = ALLOCATED, GOES_BACK = "paid, and allocated", "paid, and goes back"
SELDOM = 0.1  # of the rounds: each way to end comes at least so often, or nothing has raced


@dataclass
class Payments:
    """A customer who pays, another one who waits for his blocks, and what came of each round."""

    customer: Organization
    other: Organization
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def run(self, racing: Team, rng: random.Random) -> None:
        """Let the hold end in every way while its payment comes."""
        reservation = hold(self.customer, make_project(KW), KW)
        payment = begin_to_pay(reservation)
        if rng.random() < ENDS_BEFORE:
            _let_pass(reservation)
        works: list[Callable[[], object]] = [
            expire_reservations,
            partial(release_reservation, reservation=reservation),
            partial(hold, self.other, reservation.project, KW),
        ]
        if rng.random() >= GIVES_BACK:
            works[1] = expire_reservations
        begun = [(work, rng.randrange(MOST_QUERIES)) for work in works]
        begun += [(partial(money_comes, payment), 0)] * 2
        racing.at_once([partial(self._try, work, queries) for work, queries in begun])
        self._note(outcome_of(reservation, payment))

    def _try(self, work: Callable[[], object], queries: int) -> None:
        with connection.cursor() as cursor:
            for _ in range(queries):
                cursor.execute("SELECT 1")
        try:
            work()
        except DomainError:  # who comes too late is told so
            pass
        # A sweep tells what broke it as a group.
        except (AssertionError, IntegrityError, OperationalError, ExceptionGroup) as error:
            self.wrong.append(f"error {error!r:.100}")

    def _note(self, outcome: str) -> None:
        self.outcomes[outcome] += 1
        if outcome not in RIGHT:
            self.wrong.append(outcome)

    @property
    def neither(self) -> int:
        """How many rounds ended with something else than one of the two."""
        return self.outcomes.total() - sum(self.outcomes[right] for right in RIGHT)


def outcome_of(reservation: Reservation, payment: Payment) -> str:
    """Say what has become of a payment, as the rows stand: one of two, if all is right."""
    reservation.refresh_from_db()
    payment.refresh_from_db()
    kw = sum(
        Allocation.objects.filter(reservation=reservation).values_list("capacity_kw", flat=True)
    )
    back = list(Refund.objects.filter(payment=payment).values_list("amount", flat=True))
    stands = (payment.status, reservation.status, reservation.payment_id == payment.pk, kw, back)
    if stands == ("succeeded", "allocated", True, KW, []):
        return ALLOCATED
    if stands == ("succeeded", "late", True, 0, [payment.amount]):
        return GOES_BACK
    return f"neither {stands}"


def run(rounds: int, until: Callable[[Payments], object] = lambda payments: False) -> Payments:
    """Race so often, or until something goes wrong."""
    rng = random.Random(SEED)
    payments = Payments(make_organization(), make_organization())
    with team(RACERS) as racing:
        for _ in range(rounds):
            payments.run(racing, rng)
            if until(payments):
                break
    return payments


def capacity_payments(report: Report) -> None:
    """Payments against the ends of their holds; and without what orders them."""
    rounds = scaled(ROUNDS)
    with fresh(), report.figure("capacity_payments", asked=rounds) as figure:
        payments = run(rounds)
        figure.examined = tell(payments)
        figure.failures = len(payments.wrong) + broken()
        figure.failures += sum(payments.outcomes[one] < rounds * SELDOM for one in RIGHT)
    for name, without, went_wrong in CONTROLS:
        with fresh(), report.figure(name, asked=1) as figure:
            with without():
                payments = run(ROUNDS_WITHOUT, until=went_wrong)
            figure.examined = tell(payments)
            figure.control = "red" if went_wrong(payments) else "green"


def tell(payments: Payments) -> int:
    """Print how the rounds went, the first things wrong with them, and return how many they are."""
    for outcome, times in sorted(payments.outcomes.items()):
        print(f"    {times} {outcome}", flush=True)
    for said in payments.wrong[:3]:
        print(f"    wrong: {said}", flush=True)
    return payments.outcomes.total()


def _let_pass(reservation: Reservation) -> None:
    then = timezone.now() - timedelta(minutes=1)
    Reservation.objects.filter(pk=reservation.pk).update(hold_expires_at=then)
    CapacityBlock.objects.filter(held_for=reservation.pk).update(held_until=then)


@contextmanager
def _locks_removed() -> Iterator[None]:
    of_reservation = sent_without(
        r'FOR NO KEY UPDATE OF "capacity_reservation"', about="capacity_reservation"
    )
    with taken_from("capacity_project")(), of_reservation:
        yield


@contextmanager
def _guards_removed() -> Iterator[None]:
    """Remove the locks, and what refuses behind them, in a database that nobody uses afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER capacity_reservations_keep_their_end ON capacity_reservation")
    with _locks_removed(), guards_removed():
        yield


@contextmanager
def _nothing_goes_back() -> Iterator[None]:
    with mock.patch.object(paying, "give_back"):
        yield


Control = tuple[str, Callable[[], AbstractContextManager[None]], Callable[[Payments], object]]
CONTROLS: tuple[Control, ...] = (
    ("capacity_payments_without_the_locks", _locks_removed, lambda these: these.wrong),
    ("capacity_payments_without_guards", _guards_removed, lambda these: these.neither),
    ("capacity_payments_without_giving_back", _nothing_goes_back, lambda these: these.neither),
)
