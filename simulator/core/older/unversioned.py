"""
What a request may say that names no version of the API.

Stripe takes it to mean the account's own version, which is as old as the account. Here it is
an old one: what tools that name no version still send, Stripe's CLI above all, is put into
today's words. A request that names a version must use today's words itself.
"""

from collections.abc import Callable
from typing import Any

from simulator.core.values import Object

type Translation = Callable[[Object], Object]

WORDS = {"jp_bank_account": "jp_bank_transfer"}


def translated(method: str, template: str, given: Object) -> Object:
    """Return the parameters in today's words."""
    translate = TRANSLATIONS.get(f"{method} {template}")
    return given if translate is None else translate(given)


def _payment_intent(given: Object) -> Object:
    """Take cards only, if nothing is said of what is taken."""
    found: Object = _renamed(given)
    if "payment_method_types" in given or "automatic_payment_methods" in given:
        return found
    return {**found, "payment_method_types": ["card"]}


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item) for key, item in value.items()}
    return WORDS.get(value, value) if isinstance(value, str) else value


TRANSLATIONS: dict[str, Translation] = {
    "POST /v1/payment_intents": _payment_intent,
    "POST /v1/setup_intents": _payment_intent,
}
