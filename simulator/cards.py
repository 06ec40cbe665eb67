"""
The test cards that Stripe documents, and what each of them does.

https://docs.stripe.com/testing names them by number and by payment method (`pm_card_visa`);
the same word after `tok_` is the old kind of token.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from simulator.core.errors import StripeError
from simulator.core.values import Object


@dataclass(frozen=True)
class Card:
    """What a test card is and does."""

    number: str
    names: tuple[str, ...] = ()
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    # Why the bank declines every charge, and whether it does so only after the card was saved.
    decline: str | None = None
    is_saved_first: bool = False
    # "always", "on_setup" (off session only until it was set up), "set_up" (never off session).
    authentication: str | None = None
    dispute: str | None = None
    refund: str | None = None  # "pending" or "failed"
    is_available_at_once: bool = False
    failed_checks: tuple[str, ...] = ()
    risk: str = "normal"

    @property
    def last4(self) -> str:
        """The digits that are shown."""
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        """The same for the same number, always."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


BRANDS = (
    Card("4242424242424242", ("visa", "us")),
    Card("4000056655665556", ("visa_debit",), funding="debit"),
    Card("5555555555554444", ("mastercard",), "mastercard"),
    Card("2223003122003222", ("mastercard_2_series",), "mastercard"),
    Card("5200828282828210", ("mastercard_debit",), "mastercard", "debit"),
    Card("5105105105105100", ("mastercard_prepaid",), "mastercard", "prepaid"),
    Card("378282246310005", ("amex", "amex_threeDSecureNotSupported"), "amex"),
    Card("371449635398431", (), "amex"),
    Card("6011111111111117", ("discover",), "discover"),
    Card("6011000990139424", (), "discover"),
    Card("6011981111111113", ("discover_debit",), "discover", "debit"),
    Card("3056930009020004", ("diners",), "diners"),
    Card("36227206271667", (), "diners"),
    Card("3566002020360505", ("jcb",), "jcb", country="JP"),
    Card("6200000000000005", ("unionpay",), "unionpay", country="CN"),
)
COUNTRIES = {
    "at": "4000000400000008",
    "au": "4000000360000006",
    "be": "4000000560000004",
    "br": "4000000760000002",
    "ca": "4000001240000000",
    "ch": "4000007560000009",
    "de": "4000002760000016",
    "dk": "4000002080000001",
    "es": "4000007240000007",
    "fr": "4000002500000003",
    "gb": "4000008260000000",
    "ie": "4000003720000005",
    "it": "4000003800000008",
    "jp": "4000003920000003",
    "mx": "4000004840008001",
    "nl": "4000005280000002",
    "pl": "4000006160000005",
    "se": "4000007520000008",
    "sg": "4000007020000003",
}
DECLINED = "chargeDeclined"
DECLINES = (
    Card("4000000000000002", (DECLINED, f"visa_{DECLINED}"), decline="generic_decline"),
    Card(
        "4000000000009995",
        (f"{DECLINED}InsufficientFunds", f"visa_{DECLINED}InsufficientFunds"),
        decline="insufficient_funds",
    ),
    Card("4000000000009987", (f"visa_{DECLINED}LostCard",), decline="lost_card"),
    Card("4000000000009979", (f"visa_{DECLINED}StolenCard",), decline="stolen_card"),
    Card("4000000000000069", (f"{DECLINED}ExpiredCard",), decline="expired_card"),
    Card("4000000000000127", (f"{DECLINED}IncorrectCvc",), decline="incorrect_cvc"),
    Card("4000000000000119", (f"{DECLINED}ProcessingError",), decline="processing_error"),
    Card(
        "4000000000006975",
        (f"visa_{DECLINED}VelocityLimitExceeded",),
        decline="card_velocity_exceeded",
    ),
    Card(
        "4000000000000341", ("chargeCustomerFail",), decline="generic_decline", is_saved_first=True
    ),
    Card("4100000000000019", (f"{DECLINED}Fraudulent", "radarBlock"), decline="fraudulent"),
)
RISKS = (
    Card("4000000000004954", ("riskLevelHighest",), risk="highest"),
    Card("4000000000009235", ("riskLevelElevated",), risk="elevated"),
    Card("4000000000000101", ("cvcCheckFail",), failed_checks=("cvc_check",)),
    Card("4000000000000036", ("avsZipFail",), failed_checks=("address_postal_code_check",)),
    Card("4000000000000028", ("avsLine1Fail",), failed_checks=("address_line1_check",)),
    Card(
        "4000000000000010",
        ("avsFail",),
        failed_checks=("address_line1_check", "address_postal_code_check"),
    ),
)
DISPUTES = (
    Card("4000000000000259", ("createDispute",), dispute="fraudulent"),
    Card("4000000000002685", ("createDisputeProductNotReceived",), dispute="product_not_received"),
    Card("4000000000001976", ("createDisputeInquiry",), dispute="inquiry"),
    Card("4000000000005423", ("createIssuerFraudRecord",), dispute="warning"),
)
REFUNDS = (
    Card("4000000000007726", ("pendingRefund",), refund="pending"),
    Card("4000000000005126", ("refundFail",), refund="failed"),
    Card("4000000000000077", ("bypassPending",), is_available_at_once=True),
    Card("4000003720000278", ("bypassPendingInternational",), is_available_at_once=True),
)
AUTHENTICATED = (
    Card("4000002500003155", ("authenticationRequiredOnSetup",), authentication="on_setup"),
    Card("4000002760003184", ("authenticationRequired",), authentication="always"),
    Card(
        "4000003800000446",
        ("authenticationRequiredSetupForOffSession",),
        authentication="set_up",
    ),
    Card(
        "4000008260003178",
        ("authenticationRequiredChargeDeclinedInsufficientFunds",),
        authentication="on_setup",
        decline="insufficient_funds",
        is_saved_first=True,
    ),
    Card(
        "4000000000003220",
        ("threeDSecure2Required", "threeDSecureRequired"),
        authentication="always",
    ),
    Card("4000000000003063", (), authentication="always"),
    Card(
        "4000008400001629",
        ("threeDSecureRequiredChargeDeclined",),
        authentication="always",
        decline="generic_decline",
        is_saved_first=True,
    ),
    Card(
        "4000008400001280",
        ("threeDSecureRequiredProcessingError",),
        authentication="always",
        decline="processing_error",
        is_saved_first=True,
    ),
    Card("4000000000003055", ("threeDSecureOptional",)),
)

CARDS = {
    card.number: card
    for card in (
        *BRANDS,
        *(Card(number, (land,), country=land.upper()) for land, number in COUNTRIES.items()),
        *DECLINES,
        *RISKS,
        *DISPUTES,
        *REFUNDS,
        *AUTHENTICATED,
    )
}
BY_NAME = {name: card for card in CARDS.values() for name in card.names}

MESSAGES = {
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "card_velocity_exceeded": "Your card was declined for making repeated attempts too frequently "
    "or exceeding its amount limit.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "insufficient_funds": "Your card has insufficient funds.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}
# Declines whose `code` is a word of its own; that of all others is `card_declined`.
OWN_CODES = ("authentication_required", "expired_card", "incorrect_cvc", "processing_error")
# These have no `decline_code` beside their `code`.
ADVICE = {"lost_card": "do_not_try_again", "stolen_card": "do_not_try_again"}


def by_name(name: str) -> Card | None:
    """Return the card that `pm_card_…` or `tok_…` means, if it is one."""
    for prefix in ("pm_card_", "tok_"):
        if name.startswith(prefix):
            return BY_NAME.get(name.removeprefix(prefix))
    return None


def by_number(number: str, param: str = "card[number]") -> Card:
    """
    Return a test card by its number.

    :raises StripeError: if it is no card's number, or might be a real card's.
    """
    digits = number.replace(" ", "").replace("-", "")
    if card := CARDS.get(digits):
        return card
    if not digits.isdigit() or not 12 <= len(digits) <= 19 or not _has_check_digit(digits):
        raise StripeError(
            402,
            "card_error",
            "Your card number is incorrect.",
            code="incorrect_number",
            param=param,
        )
    raise decline_error(
        "test_mode_live_card",
        "Your card was declined. Your request was in test mode, but used a non test card. For a "
        "list of valid test cards, visit: https://stripe.com/docs/testing.",
    )


def _has_check_digit(digits: str) -> bool:
    values = [int(digit) for digit in reversed(digits)]
    doubled = [sum(divmod(2 * value, 10)) for value in values[1::2]]
    return (sum(values[::2]) + sum(doubled)) % 10 == 0


def decline_code(decline: str) -> str:
    """Return the error's `code` for a bank's reason to decline."""
    return decline if decline in OWN_CODES else "card_declined"


def decline_message(decline: str) -> str:
    """Return what a cardholder is told."""
    return MESSAGES.get(decline, "Your card was declined.")


def decline_error(decline: str, message: str | None = None, **extra: Any) -> StripeError:
    """Return the 402 for a declined card."""
    return StripeError(
        402,
        "card_error",
        message or decline_message(decline),
        code=decline_code(decline),
        decline_code=decline,
        advice_code=ADVICE.get(decline, "try_again_later"),
        **extra,
    )


def as_payment_method(card: Card, month: int, year: int) -> Object:
    """Return the hash `card` of a payment method."""
    checks = {
        name: "fail" if name in card.failed_checks else "pass" if name == "cvc_check" else None
        for name in ("address_line1_check", "address_postal_code_check", "cvc_check")
    }
    return {
        "brand": card.brand,
        "checks": checks,
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.brand != "amex"},
        "wallet": None,
    }
