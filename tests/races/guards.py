"""
Everything in the database that refuses: each with a write that it alone refuses.

`missing` reads the catalogue of PostgreSQL, so that no guard can be forgotten here.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, models, transaction

from apps.core import ids
from apps.credits.models import Correction, CreditEvent, CreditTransaction, Hold, Lot, Wallet
from apps.credits.selectors import DEFAULT_CORRECTION_LIMIT, main_wallet
from apps.credits.services import corrections, holds
from apps.credits.services.charges import charge_amount, charge_event, refund_charge
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import Why
from apps.credits.services.grants import grant_credits
from apps.credits.services.prices import set_price
from tests.people import make_organization, make_person
from tests.races.sql import ask_what_is_asked_at_commit, run, write

SILENCED = {  # they compare rows, and would refuse a forged row for that already
    "credits_balance_is_explained": "credits_wallet",
    "credits_held_is_explained": "credits_wallet",
    "credits_remaining_is_explained": "credits_lot",
    "credits_hold_is_explained": "credits_hold",
    "credits_entries_continue_their_chains": "credits_credittransaction",
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


INDEXES_ALONE = {"credits_organization_has_one_main_wallet"}  # with a condition


def copy(model: type[models.Model], where: str = "true", **changes: str) -> str:
    """Return the INSERT of a copy of one row; a changed column is an SQL expression."""
    columns = [field.column for field in model._meta.concrete_fields if not field.generated]
    changes = {"id": "gen_random_uuid()", **changes}
    values = ", ".join(changes.get(column, column) for column in columns)
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {values} FROM {table} WHERE {where} ORDER BY id LIMIT 1"
    )


def new_hold(**changes: str) -> str:
    return copy(Hold, "status = 'held'", **{"reference": "'forged'", **changes})


def new_correction(**changes: str) -> str:
    return copy(Correction, "status = 'pending'", **changes)


def new_lot(**changes: str) -> str:
    return copy(Lot, "kind = 'purchase'", **{"origin": "'forged'", **changes})


def new_entry(**changes: str) -> str:
    forged = {"reference": "'forged'", "sequence": "sequence + 1000", **changes}
    return copy(CreditTransaction, **forged)


def new_wallet(**changes: str) -> str:
    fresh = {"balance": "0", "held": "0", "sequence": "0", "head_at": "NULL", "kind": "'member'"}
    return copy(Wallet, **{**fresh, **changes})


def new_price(**changes: str) -> str:
    return copy(CreditEvent, **{"effective_at": "effective_at + interval '1 hour'", **changes})


NEW_ROW = {
    Wallet: new_wallet,
    Lot: new_lot,
    Hold: new_hold,
    CreditTransaction: new_entry,
    CreditEvent: new_price,
    Correction: new_correction,
}


def check(name: str, model: type[models.Model], **changes: str) -> Guard:
    return Guard(name, "check", model._meta.db_table, NEW_ROW[model](**changes))


def unique(name: str, model: type[models.Model], **changes: str) -> Guard:
    return Guard(name, "unique", model._meta.db_table, NEW_ROW[model](**changes))


def trigger(name: str, model: type[models.Model], statement: str) -> Guard:
    return Guard(name, "trigger", model._meta.db_table, statement)


def primary_keys() -> list[Guard]:
    """Return the primary keys, each with a row that has the id of another one."""
    return [
        Guard(f"{model._meta.db_table}_pkey", "primary", model._meta.db_table, new(id="id"))
        for model, new in NEW_ROW.items()
    ]


def foreign_keys() -> list[Guard]:
    """Return the foreign keys, by the catalogue, each with a row that points at nothing."""
    found = run(
        "SELECT conname, conrelid::regclass::text, attname FROM pg_constraint"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
        " WHERE contype = 'f' AND conrelid::regclass::text LIKE 'credits\\_%'"
    )
    by_table = {model._meta.db_table: new for model, new in NEW_ROW.items()}
    decided = {"decided_by_id": {"status": "'rejected'"}}
    return [
        Guard(
            name,
            "foreign",
            table,
            by_table[table](**{column: "gen_random_uuid()"}, **decided.get(column, {})),
        )
        for name, table, column in found
    ]


GUARDS = [
    check("credits_hold_sets_something_aside", Hold, amount="0"),
    check("credits_hold_status_is_known", Hold, status="'lost'"),
    check("credits_hold_policy_is_known", Hold, policy="'hope'"),
    check("credits_captured_fits_the_hold", Hold, captured="1"),
    check("credits_captured_fits_the_hold", Hold, status="'captured'", captured="0"),
    check("credits_captured_fits_the_hold", Hold, status="'captured'", captured="amount + 1"),
    check(
        "credits_maker_is_not_checker",
        Correction,
        status="'posted'",
        decided_by_id="requested_by_id",
    ),
    check("credits_decision_has_somebody", Correction, status="'posted'"),
    check("credits_decision_has_somebody", Correction, status="'rejected'"),
    check("credits_correction_action_is_known", Correction, action="'take'"),
    check("credits_correction_is_about_credits", Correction, amount="0"),
    check("credits_lot_priority_check", Lot, priority="-1"),
    unique("credits_one_hold_per_reference", Hold, reference="reference"),
    unique("credits_one_lot_per_origin", Lot, origin="origin"),
    unique("credits_one_price_at_a_time", CreditEvent, effective_at="effective_at"),
    unique("credits_organization_has_one_main_wallet", Wallet, kind="'organization'"),
    unique("credits_sequence_has_no_twin", CreditTransaction, sequence="sequence"),
    unique("credits_cause_moves_a_lot_once", CreditTransaction, reference="reference"),
    trigger("credits_holds_are_kept", Hold, "DELETE FROM credits_hold WHERE false"),
    trigger("credits_holds_are_kept", Hold, "TRUNCATE credits_hold"),
    trigger(
        "credits_terms_of_a_hold_are_fixed",
        Hold,
        "UPDATE credits_hold SET policy = 'cap' WHERE status = 'held'",
    ),
    trigger(
        "credits_terms_of_a_hold_are_fixed",
        Hold,
        "UPDATE credits_hold SET expires_at = expires_at - interval '1 s' WHERE status = 'held'",
    ),
    trigger(
        "credits_terms_of_a_hold_are_fixed",
        Hold,
        "UPDATE credits_hold SET expires_at = expires_at + interval '1 s' WHERE status <> 'held'",
    ),
    trigger(
        "credits_hold_is_explained",
        Hold,
        "UPDATE credits_hold SET status = 'released' WHERE status = 'held'",
    ),
    trigger("credits_held_is_explained", Wallet, "UPDATE credits_wallet SET held = held + 1"),
    trigger(
        "credits_corrections_are_decided_once",
        Correction,
        "UPDATE credits_correction SET amount = amount + 1 WHERE status = 'pending'",
    ),
    trigger(
        "credits_corrections_are_decided_once",
        Correction,
        "UPDATE credits_correction SET comment = 'x' WHERE status = 'posted'",
    ),
    trigger(
        "credits_corrections_are_kept", Correction, "DELETE FROM credits_correction WHERE false"
    ),
    trigger("credits_corrections_are_kept", Correction, "TRUNCATE credits_correction"),
]


def make_guarded_wallet() -> Wallet:
    """Return a wallet with a trial, a purchase, a charge that was given back, and another."""
    set_price(name="render", credit_cost=30, category="compute")
    wallet = main_wallet(make_organization())
    grant_credits(
        wallet=wallet, amount=50, kind=Lot.Kind.PURCHASE, reference="payment:1", source="payment"
    )
    charge_event(wallet=wallet, event="render", reference="job:1", source="job", quantity=4)
    refund_charge(wallet=wallet, charge_reference="job:1", reference="refund:job:1", source="job")
    charge_event(wallet=wallet, event="render", reference="job:2", source="job")
    ask_what_is_asked_at_commit()
    return wallet


def add_holds_and_corrections(wallet: Wallet) -> None:
    """Add an open hold and a captured one, a pending correction and a posted one."""
    hold = {"wallet": wallet, "source": "job", "ttl": timedelta(hours=1)}
    holds.hold_amount(**hold, amount=8, reference="hold:open")
    holds.hold_amount(**hold, amount=8, reference="hold:captured")
    captured = Hold.objects.get(reference="hold:captured")
    holds.capture_hold(hold=captured, amount=3, source="job")
    for amount in (10, DEFAULT_CORRECTION_LIMIT + 1):
        corrections.request_correction(
            wallet=wallet,
            action=Correction.Action.GRANT,
            terms=Terms(amount=amount),
            why=Why(Correction.Reason.GOODWILL),
            user=make_person(),
            correction_id=ids.new_id(),
        )
    charge_amount(wallet=wallet, amount=1, reference="last", source="job")
    ask_what_is_asked_at_commit()


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
