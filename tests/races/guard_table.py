"""The table of guards: for each one a write that it alone refuses, if the scene is `guarded`."""

from functools import partial

from apps.credits.models import (
    Budget,
    BudgetAlert,
    BudgetMonth,
    ClosedPeriod,
    ClosedTotals,
    ClosedWallet,
    Correction,
    CreditEvent,
    CreditTransaction,
    ExpiryWarning,
    FormerAccount,
    FormerMovement,
    Hold,
    Lot,
    Wallet,
)
from tests.races.guards import Guard, copy, foreign_keys, primary_keys
from tests.races.refusals import append_only, refused, removals, trigger


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


def new_warning(**changes: str) -> str:
    return copy(ExpiryWarning, **{"days": "days + 1", **changes})


def new_month(**changes: str) -> str:
    after = {
        "month": "(month + interval '1 month')::date",
        "starts_at": "ends_at",
        "ends_at": "ends_at + interval '1 month'",
    }
    last = "month = (SELECT max(month) FROM credits_closedperiod)"
    return copy(ClosedPeriod, last, **{**after, **changes})


def new_line(**changes: str) -> str:
    empty = "(SELECT id FROM credits_wallet WHERE sequence = 0 LIMIT 1)"
    return copy(ClosedWallet, **{"id": "id + 1000", "wallet_id": empty, **changes})


def new_totals(**changes: str) -> str:
    last = "(SELECT id FROM credits_closedperiod ORDER BY month DESC LIMIT 1)"
    return copy(ClosedTotals, **{"period_id": last, **changes})


def new_budget(**changes: str) -> str:
    return copy(Budget, **{"is_active": "false", **changes})


def new_budget_month(**changes: str) -> str:
    fresh = {"id": "id + 1000", "month": "(month + interval '1 month')::date"}
    return copy(BudgetMonth, **{**fresh, **changes})


def new_budget_alert(**changes: str) -> str:
    return copy(BudgetAlert, **{"percent": "percent + 1", **changes})


def new_former_account(**changes: str) -> str:
    return copy(FormerAccount, **{"former_id": "'forged'", **changes})


def new_former_movement(**changes: str) -> str:
    return copy(FormerMovement, **{"former_id": "'forged'", **changes})


NEW_ROW = {
    FormerAccount: new_former_account,
    FormerMovement: new_former_movement,
    Budget: new_budget,
    BudgetAlert: new_budget_alert,
    BudgetMonth: new_budget_month,
    Wallet: new_wallet,
    Lot: new_lot,
    Hold: new_hold,
    CreditTransaction: new_entry,
    CreditEvent: new_price,
    Correction: new_correction,
    ExpiryWarning: new_warning,
    ClosedPeriod: new_month,
    ClosedWallet: new_line,
    ClosedTotals: new_totals,
}


check, unique = partial(refused, NEW_ROW, "check"), partial(refused, NEW_ROW, "unique")


def keys() -> list[Guard]:
    """Return the primary and foreign keys of credits."""
    decided = {"decided_by_id": {"status": "'rejected'"}}
    return primary_keys(NEW_ROW) + foreign_keys(NEW_ROW, decided)


GUARDS = [
    check("credits_budget_is_not_negative", Budget, monthly_limit="-1"),
    check("credits_budget_action_is_known", Budget, action="'hope'"),
    check("credits_sent_alert_is_over", BudgetAlert, sent_at="now()"),
    check("credits_budgetalert_mail_attempts_check", BudgetAlert, mail_attempts="-1"),
    check("credits_budgetalert_percent_check", BudgetAlert, percent="-1"),
    check("credits_budget_use_is_not_negative", BudgetMonth, used="-1"),
    unique("credits_wallet_has_one_active_budget", Budget, is_active="true"),
    unique("credits_budget_counts_a_month_once", BudgetMonth, month="month"),
    unique("credits_one_alert_per_threshold", BudgetAlert, percent="percent"),
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
    check(
        "credits_debts_return_nowhere",
        Lot,
        kind="'debt'",
        granted="-granted",
        remaining="-remaining",
        returns_to_id="id",
    ),
    unique("credits_one_hold_per_reference", Hold, reference="reference"),
    unique("credits_one_lot_per_origin", Lot, origin="origin"),
    unique("credits_one_price_at_a_time", CreditEvent, effective_at="effective_at"),
    unique("credits_organization_has_one_main_wallet", Wallet, kind="'organization'"),
    Guard(
        "credits_holder_has_one_wallet",
        "unique",
        "credits_wallet",
        copy(Wallet, "holder_id IS NOT NULL"),
    ),
    Guard(
        "credits_only_members_wallets_have_a_holder",
        "check",
        "credits_wallet",
        new_wallet(kind="'organization'", holder_id="(SELECT id FROM tenants_user LIMIT 1)"),
        beside="DROP INDEX credits_organization_has_one_main_wallet",
    ),
    unique("credits_sequence_has_no_twin", CreditTransaction, sequence="sequence"),
    unique("credits_cause_moves_a_lot_once", CreditTransaction, reference="reference"),
    trigger("credits_holds_are_kept", Hold, "DELETE FROM credits_hold WHERE false"),
    trigger("credits_holds_are_kept", Hold, "TRUNCATE credits_hold CASCADE"),
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
    check("credits_sent_warning_is_over", ExpiryWarning, sent_at="now()"),
    check("credits_warning_is_about_credits", ExpiryWarning, amount="0"),
    check("credits_warning_comes_before", ExpiryWarning, days="0"),
    check("credits_expirywarning_mail_attempts_check", ExpiryWarning, mail_attempts="-1"),
    Guard(
        "credits_expirywarning_days_check",  # Django's own; the guard of ours asks for more
        "check",
        "credits_expirywarning",
        new_warning(days="-1"),
        beside="ALTER TABLE credits_expirywarning DROP CONSTRAINT credits_warning_comes_before",
    ),
    unique("credits_one_warning_per_day", ExpiryWarning, days="days"),
    check("credits_period_is_a_month", ClosedPeriod, ends_at="ends_at - interval '1 day'"),
    unique("credits_closedperiod_month_key", ClosedPeriod, month="month"),
    unique(
        "credits_closedperiod_ends_at_key", ClosedPeriod, starts_at="starts_at", ends_at="ends_at"
    ),
    check("credits_closed_wallet_adds_up", ClosedWallet, closing="closing + 1"),
    check("credits_closed_wallet_moves_forwards", ClosedWallet, sequence="0"),
    unique("credits_wallet_is_closed_once", ClosedWallet, wallet_id="wallet_id"),
    check("credits_closed_totals_add_up", ClosedTotals, closing="closing + 1"),
    check("credits_closedtotals_wallets_check", ClosedTotals, wallets="-1"),
    Guard(
        "credits_closed_periods_take_nothing",
        "trigger",
        "credits_credittransaction",
        new_entry(),
        beside="DROP TRIGGER credits_entries_continue_their_chains ON credits_credittransaction",
    ),
    trigger(
        "credits_months_are_closed_in_order",
        ClosedPeriod,
        new_month(
            month="(month + interval '2 months')::date",
            starts_at="ends_at + interval '1 month'",
            ends_at="ends_at + interval '2 months'",
        ),
    ),
    trigger("credits_summed_periods_take_no_wallet", ClosedWallet, new_line()),
    trigger("credits_closed_totals_are_those_of_wallets", ClosedTotals, new_totals()),
    check("credits_former_balance_is_not_negative", FormerAccount, balance="-1"),
    check("credits_former_difference_has_a_reason", FormerAccount, difference="1"),
    check("credits_former_difference_has_a_reason", FormerAccount, difference_reason="'x'"),
    check(
        "credits_former_difference_has_a_reason",
        FormerAccount,
        difference="1",
        difference_reason="'x'",
        history_digest="NULL",
    ),
    unique("credits_former_account_is_imported_once", FormerAccount, former_id="former_id"),
    unique("credits_former_movement_is_imported_once", FormerMovement, former_id="former_id"),
    trigger(
        "credits_former_accounts_keep_their_terms",
        FormerAccount,
        "UPDATE credits_formeraccount SET balance = 7 WHERE history_digest IS NULL",
    ),
    trigger(
        "credits_former_accounts_keep_their_terms",
        FormerAccount,
        "UPDATE credits_formeraccount SET history_digest = NULL WHERE history_digest IS NOT NULL",
    ),
    *removals(
        "credits_former_accounts_stay",
        FormerAccount,
        "DROP TRIGGER credits_former_movements_are_append_only ON credits_formermovement",
    ),
    *append_only("credits_former_movements_are_append_only", FormerMovement),
    *append_only(
        "credits_closed_periods_are_append_only",
        ClosedPeriod,
        "DROP TRIGGER credits_closed_wallets_are_append_only ON credits_closedwallet",
        "DROP TRIGGER credits_closed_totals_are_append_only ON credits_closedtotals",
    ),
    *append_only("credits_closed_wallets_are_append_only", ClosedWallet),
    *append_only("credits_closed_totals_are_append_only", ClosedTotals),
]
