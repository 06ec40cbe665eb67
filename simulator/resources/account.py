"""The one account that there is, and its balance."""

from simulator.core.call import Call
from simulator.core.routing import route
from simulator.core.values import ACCOUNT, Object

FIRST_DAY = 1_700_000_000


@route("GET", "/v1/account")
def read(call: Call) -> Object:
    """Return the account whose key is used."""
    return account()


@route("GET", "/v1/accounts/{account}")
def read_by_id(call: Call) -> Object:
    """Return the account, or one that is connected to it."""
    if call.path["account"] == ACCOUNT:
        return account()
    return call.tx.get("account", call.path["account"])


def account() -> Object:
    """Return the account as it looks from outside."""
    return {
        "id": ACCOUNT,
        "object": "account",
        "business_profile": None,
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "created": FIRST_DAY,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@example.com",
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/accounts/{ACCOUNT}/external_accounts",
        },
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }
