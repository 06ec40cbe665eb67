"""
Everything in the database that refuses: each with a write that it alone refuses.

`missing` reads the catalogue of PostgreSQL, so that no guard can be forgotten here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import IntegrityError, models, transaction

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
CREDITS = "credits_.*"
CATALOGUE = """
    SELECT conname, contype::text FROM pg_constraint
     WHERE conrelid::regclass::text ~ '^({tables})$' AND contype IN ('c', 'u', 'p', 'f', 'x')
     UNION
    SELECT indexrelid::regclass::text, 'u' FROM pg_index
     WHERE indrelid::regclass::text ~ '^({tables})$' AND indisunique AND NOT indisprimary
     UNION
    SELECT tgname, 'trigger' FROM pg_trigger
     WHERE tgrelid::regclass::text ~ '^({tables})$' AND NOT tgisinternal
"""
# The INSERT of a forged row of each table; a changed column is an SQL expression.
type Rows = Mapping[type[models.Model], Callable[..., str]]


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


INDEXES_ALONE = {  # with a condition, or of an expression
    "credits_organization_has_one_main_wallet",
    "credits_holder_has_one_wallet",
    "credits_wallet_has_one_active_budget",
    "credits_one_alert_per_threshold",
    "capacity_allocation_is_imported_once",
    "capacity_block_has_one_live_allocation",
    "capacity_customer_waits_once",
    "capacity_offer_is_one_reservation",
    "capacity_one_first_reading_of_a_period",
    "capacity_payment_pays_one_reservation",
    "partners_group_has_its_name",
    "partners_one_active_rule_per_domain",
    "partners_one_pending_application",
    "partners_one_pending_request",
    "partners_person_is_one_member",
}


def guards_in_the_catalogue(tables: str = CREDITS) -> int:
    """Return how many guards PostgreSQL has on these tables, named by a pattern."""
    return len(run(CATALOGUE.format(tables=tables)))


def missing(named: set[str], tables: str = CREDITS) -> dict[str, str]:
    """Return the guards of the catalogue that are not among these, with their kinds."""
    found = run(CATALOGUE.format(tables=tables))
    return {name: KINDS.get(kind, kind) for name, kind in found if name not in named}


def silence_triggers() -> None:
    """Silence the triggers that compare rows, so that another guard is tried alone."""
    for name, table in SILENCED.items():
        run(f"DROP TRIGGER IF EXISTS {name} ON {table}")


def copy(model: type[models.Model], where: str = "true", **changes: str) -> str:
    """Return the INSERT of a copy of one row; a changed column is an SQL expression."""
    columns = [field.column for field in model._meta.concrete_fields if not field.generated]
    changes = {"id": "gen_random_uuid()", **changes}
    values = ", ".join(changes.get(column, column) for column in columns)
    table = model._meta.db_table
    first = f"ORDER BY {table}.{model._meta.pk.column} LIMIT 1"
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {values} FROM {table} WHERE {where} {first}"
    )


def primary_keys(rows: Rows) -> list[Guard]:
    """Return the primary keys, each with a row that has the id of another one."""
    return [
        Guard(
            f"{model._meta.db_table}_pkey",
            "primary",
            model._meta.db_table,
            new(**{model._meta.pk.column: model._meta.pk.column}),
        )
        for model, new in rows.items()
    ]


def foreign_keys(rows: Rows, needed: Mapping[str, Mapping[str, str]]) -> list[Guard]:
    """
    Return the foreign keys, by the catalogue, each with a row that points at nothing.

    `needed` says of a column what else a row needs that has something there.
    """
    by_table = {model._meta.db_table: new for model, new in rows.items()}
    found = run(
        "SELECT conname, conrelid::regclass::text, attname FROM pg_constraint"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
        f" WHERE contype = 'f' AND conrelid::regclass::text ~ '^({'|'.join(by_table)})$'"
    )
    return [
        Guard(
            name,
            "foreign",
            table,
            by_table[table](**{column: "gen_random_uuid()"}, **needed.get(column, {})),
        )
        for name, table, column in found
    ]
