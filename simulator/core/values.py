"""What everything here is made of: JSON objects, and ids like Stripe's."""

import json
import secrets
import string
from typing import Any

type Object = dict[str, Any]

ALPHABET = (string.ascii_letters + string.digits).encode()
LETTERS = bytes(ALPHABET[number % len(ALPHABET)] for number in range(256))

ACCOUNT = "acct_1SimulatedLocal000"  # the one that there is

# What stands before the random part of an id. A kind that is not listed gets its own name.
PREFIXES = {
    "account": "acct_",
    "application": "ca_",
    "balance_transaction": "txn_",
    "billing.meter": "mtr_",
    "billing_portal.configuration": "bpc_",
    "billing_portal.session": "bps_",
    "card": "card_",
    "charge": "ch_",
    "checkout.session": "cs_test_",
    "coupon": "",
    "credit_note": "cn_",
    "credit_note_line_item": "cnli_",
    "customer": "cus_",
    "customer_balance_transaction": "cbtxn_",
    "customer_cash_balance_transaction": "ccsbtxn_",
    "discount": "di_",
    "dispute": "du_",
    "event": "evt_",
    "file": "file_",
    "identity.verification_session": "vs_",
    "invoice": "in_",
    "invoice_payment": "inpay_",
    "invoiceitem": "ii_",
    "issuing.authorization": "iauth_",
    "issuing.card": "ic_",
    "issuing.cardholder": "ich_",
    "issuing.transaction": "ipi_",
    "item": "li_",
    "line_item": "il_",
    "mandate": "mandate_",
    "payment_intent": "pi_",
    "payment_link": "plink_",
    "payment_method": "pm_",
    "payout": "po_",
    "plan": "plan_",
    "price": "price_",
    "product": "prod_",
    "promotion_code": "promo_",
    "quote": "qt_",
    "radar.early_fraud_warning": "issfr_",
    "refund": "re_",
    "reporting.report_run": "frr_",
    "setup_attempt": "setatt_",
    "setup_intent": "seti_",
    "shipping_rate": "shr_",
    "subscription": "sub_",
    "subscription_item": "si_",
    "subscription_schedule": "sub_sched_",
    "tax_id": "txi_",
    "tax_rate": "txr_",
    "test_helpers.test_clock": "clock_",
    "token": "tok_",
    "topup": "tu_",
    "transfer": "tr_",
    "transfer_reversal": "trr_",
    "webhook_endpoint": "we_",
}
SHORT = {"coupon": 8, "customer": 14, "product": 14, "subscription_item": 14, "discount": 14}


def new_id(kind: str) -> str:
    """Return a fresh id as Stripe would make it for this kind of object."""
    prefix = PREFIXES.get(kind, kind.rpartition(".")[2] + "_")
    if kind in SHORT:
        return prefix + random_text(SHORT[kind])
    return f"{prefix}1{random_text(23)}"


def random_text(length: int) -> str:
    """Return letters and digits that nobody guesses."""
    return secrets.token_bytes(length).translate(LETTERS).decode()


def dump(value: Any) -> str:
    """Return JSON as text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def copy(value: Any) -> Any:
    """Return a deep copy of JSON; several times quicker than `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value


def public(value: Any) -> Any:
    """Return a deep copy without what is ours alone: names that begin with `_`."""
    if isinstance(value, dict):
        return {key: public(item) for key, item in value.items() if key[:1] != "_"}
    if isinstance(value, list):
        return [public(item) for item in value]
    return value
