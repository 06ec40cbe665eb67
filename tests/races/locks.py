"""Every lock that credits take: a race that goes well with it, and goes wrong without."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from unittest import mock

from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.core import ids
from apps.core.clock import database_now, moved_to
from apps.core.errors import DomainError
from apps.credits.ledger.commands import Charge
from apps.credits.ledger.posting import post_one
from apps.credits.models import Correction, CreditTransaction, Wallet
from apps.credits.selectors import correction_limit, main_wallet
from apps.credits.services import corrections, wallets
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import Why
from apps.credits.services.expiry import sweep_expired_lots
from apps.tenants.models import AuditLog
from figures.ground_floor import lock_removed
from tests.credits.wallets import make_wallet
from tests.people import make_organization, make_person
from tests.races.racing import at_once

CREDITS = Path(__file__).parents[2] / "apps" / "credits"
TAKEN = re.compile(r"select_for_update\(|FOR (?:NO KEY )?UPDATE|FOR (?:KEY )?SHARE")
RACERS = 6
ROUNDS = 25


@dataclass(frozen=True)
class Lock:
    """A lock: where it is taken, how to do without it, and a race that needs it."""

    file: str  # below apps/credits
    race: Callable[[], bool]  # True: it went as it must
    removed: Callable[[], AbstractContextManager[None]]

    def is_what_orders(self) -> bool:
        """Race with it, and without it until that goes wrong."""
        if not all(self.race() for _ in range(3)):
            return False
        with self.removed():
            return not all(self.race() for _ in range(ROUNDS))


def how_often_taken() -> Counter[str]:
    """Count the locks in the source of credits, by file."""
    files = [path for path in CREDITS.rglob("*.py") if "migrations" not in path.parts]
    taken = {str(path.relative_to(CREDITS)): len(TAKEN.findall(path.read_text())) for path in files}
    return Counter({file: count for file, count in taken.items() if count})


@contextmanager
def taken_from(table: str) -> Iterator[None]:
    """Send Django's statements about this table without the lock that they ask for."""
    execute = CursorWrapper.execute

    def unlocked(cursor, sql, params=None):
        if table in sql:
            sql = re.sub(r"FOR NO KEY UPDATE( SKIP LOCKED)?", "", sql)
        return execute(cursor, sql, params)

    with mock.patch.object(CursorWrapper, "execute", unlocked):
        yield


def charge_together() -> bool:
    """Several charge one wallet: all of them are served."""
    wallet_id = make_wallet(credits=100).id

    def charge(number: int) -> None:
        command = Charge(wallet_id=wallet_id, reference=f"c:{number}", source="test", amount=1)
        with transaction.atomic():
            post_one(command)

    return _said(charge) == {"done": RACERS}


def sweep_around_a_busy_wallet() -> bool:
    """A sweep while somebody works in one of two due wallets: it does the other, and at once."""
    busy, idle = (main_wallet(make_organization()) for _ in range(2))
    later = database_now() + timedelta(days=15)

    def sweep() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '300ms'")
        try:
            with moved_to(later):
                return sweep_expired_lots().wallets
        except DatabaseError:
            return -1

    with transaction.atomic():
        Wallet.objects.select_for_update().get(pk=busy.pk)
        (swept,) = at_once([sweep])
    idle.refresh_from_db()
    busy.refresh_from_db()
    return swept > 0 and idle.balance == 0 and busy.balance > 0


def send_one_form_together() -> bool:
    """The same form is sent several times at once: it has one effect, and nobody is refused."""
    wallet, maker, form = make_wallet(credits=10), make_person(), ids.new_id()

    def send(number: int) -> None:
        corrections.request_correction(
            wallet=wallet,
            action=Correction.Action.GRANT,
            terms=Terms(amount=5),
            why=Why(Correction.Reason.GOODWILL),
            user=maker,
            correction_id=form,
        )

    said = _said(send)
    wallet.refresh_from_db()
    return said == {"done": RACERS} and wallet.balance == 15


def decide_together() -> bool:
    """Several people approve one correction: one of them does, the others learn of it."""
    wallet = make_wallet(credits=10)
    correction = corrections.request_correction(
        wallet=wallet,
        action=Correction.Action.GRANT,
        terms=Terms(amount=correction_limit() + 1),
        why=Why(Correction.Reason.GOODWILL),
        user=make_person(),
    )
    people = [make_person() for _ in range(RACERS)]

    def approve(number: int) -> None:
        corrections.approve_correction(correction=correction, user=people[number])

    said = _said(approve)
    posted = CreditTransaction.objects.filter(reference=correction.reference).count()
    return said == {"done": 1, "correction_decided": RACERS - 1} and posted == 1


def freeze_together() -> bool:
    """Several freeze one wallet: it is written down once that it was frozen."""
    wallet = make_wallet(credits=10)

    def freeze(number: int) -> None:
        wallets.change_status(wallet=wallet, reason="fraud", is_frozen=True)

    said = _said(freeze)
    written = AuditLog.objects.filter(object_id=wallet.public_id, action="wallet.status_changed")
    return said == {"done": RACERS} and written.count() == 1


LOCKS = {
    "the_ledger_locks_wallets": Lock("ledger/rows.py", charge_together, lock_removed),
    "the_sweep_skips_busy_wallets": Lock(
        "services/expiry.py", sweep_around_a_busy_wallet, lambda: taken_from("credits_wallet")
    ),
    "a_correction_locks_its_wallet": Lock(
        "services/corrections.py", send_one_form_together, lambda: taken_from("credits_wallet")
    ),
    "a_decision_locks_its_correction": Lock(
        "services/corrections.py", decide_together, lambda: taken_from("credits_correction")
    ),
    "a_change_of_terms_locks_its_wallet": Lock(
        "services/wallets.py", freeze_together, lambda: taken_from("credits_wallet")
    ),
}


def _said(work: Callable[[int], None]) -> Counter[str]:
    """Let the racers do it at once, each with his number, and count how it went."""

    def racer(number: int) -> str:
        try:
            work(number)
        except DomainError as refusal:
            return refusal.code
        except DatabaseError:
            return "error"
        return "done"

    return Counter(at_once([lambda number=number: racer(number) for number in range(RACERS)]))
