"""
Everything in the database that refuses: each with a write that it alone refuses.

`missing` reads the catalogue of PostgreSQL, so that no guard can be forgotten here.
"""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from tests.races.sql import run, write

SILENCED = {  # they compare rows, and would refuse a forged row for that already
    "credits_balance_is_explained": "credits_wallet",
    "credits_held_is_explained": "credits_wallet",
    "credits_remaining_is_explained": "credits_lot",
    "credits_hold_is_explained": "credits_hold",
    "credits_entries_continue_their_chains": "credits_credittransaction",
    "credits_closed_periods_take_nothing": "credits_credittransaction",
    "credits_months_are_closed_in_order": "credits_closedperiod",
    "credits_summed_periods_take_no_wallet": "credits_closedwallet",
    "credits_closed_totals_are_those_of_wallets": "credits_closedtotals",
}
KINDS = {"c": "check", "u": "unique", "p": "primary", "f": "foreign", "x": "exclusion"}
CATALOGUE = """
    SELECT conname, contype::text FROM pg_constraint
     WHERE conrelid::regclass::text LIKE 'credits\\_%' AND contype IN ('c', 'u', 'p', 'f', 'x')
     UNION
    SELECT indexrelid::regclass::text, 'u' FROM pg_index
     WHERE indrelid::regclass::text LIKE 'credits\\_%' AND indisunique AND NOT indisprimary
     UNION
    SELECT tgname, 'trigger' FROM pg_trigger
     WHERE tgrelid::regclass::text LIKE 'credits\\_%' AND NOT tgisinternal
"""


@dataclass(frozen=True)
class Guard:
    """A guard, the table it stands on, and the write that it refuses."""

    name: str
    kind: str  # check, unique, primary, foreign, trigger
    table: str
    write: str
    beside: str = ""  # a statement that removes what would refuse the write as well

    def refuses(self) -> bool:
        """Try the write, and take it back; tell whether this guard refused it."""
        try:
            with transaction.atomic():
                write(self.write)
                transaction.set_rollback(True)
        except IntegrityError as refusal:
            return self.kind == "trigger" or self.name in str(refusal)
        return False

    def is_what_refuses(self) -> bool:
        """Try the write as things are, and with this guard removed; take everything back."""
        with transaction.atomic():
            if self.kind != "trigger":
                silence_triggers()
            if self.beside:
                run(self.beside)
            is_refused = self.refuses()
            run(self.removal)
            try:
                with transaction.atomic():
                    write(self.write)
                is_refused_without = False
            except IntegrityError:
                is_refused_without = True
            transaction.set_rollback(True)
        return is_refused and not is_refused_without

    @property
    def removal(self) -> str:
        """The statement that removes it."""
        if self.kind == "trigger":
            return f"DROP TRIGGER {self.name} ON {self.table}"
        if self.name in INDEXES_ALONE:
            return f"DROP INDEX {self.name}"
        return f"ALTER TABLE {self.table} DROP CONSTRAINT {self.name} CASCADE"


INDEXES_ALONE = {  # with a condition
    "credits_organization_has_one_main_wallet",
    "credits_wallet_has_one_active_budget",
    "credits_one_alert_per_threshold",
}


def guards_in_the_catalogue() -> int:
    """Return how many guards PostgreSQL has on the tables of credits."""
    return len(run(CATALOGUE))


def missing(named: set[str]) -> dict[str, str]:
    """Return the guards of the catalogue that are not among these, with their kinds."""
    return {name: KINDS.get(kind, kind) for name, kind in run(CATALOGUE) if name not in named}


def silence_triggers() -> None:
    """Silence the triggers that compare rows, so that another guard is tried alone."""
    for name, table in SILENCED.items():
        run(f"DROP TRIGGER IF EXISTS {name} ON {table}")
