"""Connected accounts, as far as money can be sent to them."""

from simulator.core.call import Call, merged_metadata
from simulator.core.routing import route
from simulator.core.values import Object
from simulator.core.views import list_of

KIND = "account"
APPLICATION = {"id": "ca_1SimulatedLocal00000000", "object": "application", "name": "Simulator"}
PLAIN = ("business_profile", "business_type", "email", "settings")


@route("POST", "/v1/accounts")
def create(call: Call) -> Object:
    """Make an account that may receive transfers at once."""
    account = call.tx.new(
        KIND,
        capabilities={"card_payments": "active", "transfers": "active"},
        charges_enabled=True,
        country=call.get("country", "US"),
        created=call.tx.now(),
        default_currency=call.get("default_currency", "usd"),
        details_submitted=True,
        metadata=merged_metadata(None, call.get("metadata")),
        payouts_enabled=True,
        type=call.get("type", "standard"),
    )
    url = f"/v1/accounts/{account['id']}/external_accounts"
    account["external_accounts"] = list_of([], url)
    account.update(call.only("business_type", "email"))
    return account


@route("GET", "/v1/accounts")
def index(call: Call) -> Object:
    """List connected accounts."""
    return call.page(KIND)


@route("POST", "/v1/accounts/{account}")
def update(call: Call) -> Object:
    """Change a connected account."""
    account = call.tx.get(KIND, call.path["account"])
    account.update(call.only("business_type", "email"))
    if "metadata" in call.params:
        account["metadata"] = merged_metadata(account["metadata"], call["metadata"])
    call.tx.emit("account.updated", account)
    return account


@route("DELETE", "/v1/accounts/{account}")
def delete(call: Call) -> Object:
    """Delete a connected account; the application that had access to it is told."""
    account = call.tx.get(KIND, call.path["account"])
    call.tx.emit("account.application.deauthorized", dict(APPLICATION))
    return call.tx.remove(account)
