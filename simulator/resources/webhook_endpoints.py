"""Webhook endpoints: who is told of what, and the secret by which they know that it is us."""

from typing import Any
from urllib.parse import urlsplit

from simulator.core import description
from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object, random_text

KIND = "webhook_endpoint"


def make(tx: Transaction, url: str, events: list[str], **fields: Any) -> Object:
    """
    Make an endpoint.

    :raises StripeError: if its address is none.
    """
    return tx.new(
        KIND,
        url=_checked(url),
        enabled_events=events,
        status="enabled",
        _secret=f"whsec_{random_text(32)}",
        **fields,
    )


@route("POST", "/v1/webhook_endpoints")
def create(call: Call) -> Object:
    """Register an address; its secret is in this answer and in no other."""
    version = call.get("api_version")
    if version not in (None, description.api_version()):
        raise invalid(f"Invalid Stripe API version: {version}", param="api_version")
    endpoint = make(
        call.tx,
        call["url"],
        call["enabled_events"],
        description=call.get("description"),
        api_version=version,
        metadata=merged_metadata(None, call.get("metadata", {})),
    )
    return {**call.tx.public(endpoint), "secret": endpoint["_secret"]}


@route("GET", "/v1/webhook_endpoints")
def index(call: Call) -> Object:
    """List endpoints."""
    return call.page(KIND)


@route("GET", "/v1/webhook_endpoints/{webhook_endpoint}")
def read(call: Call) -> Object:
    """Return an endpoint."""
    return call.tx.get(KIND, call.path["webhook_endpoint"])


@route("POST", "/v1/webhook_endpoints/{webhook_endpoint}")
def update(call: Call) -> Object:
    """Change an endpoint, switch it off or on."""
    endpoint = call.tx.get(KIND, call.path["webhook_endpoint"])
    endpoint.update(call.only("description", "enabled_events"))
    if "url" in call.params:
        endpoint["url"] = _checked(call["url"])
    if "disabled" in call.params:
        endpoint["status"] = "disabled" if call["disabled"] else "enabled"
    if "metadata" in call.params:
        endpoint["metadata"] = merged_metadata(endpoint["metadata"], call["metadata"])
    return endpoint


@route("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}")
def delete(call: Call) -> Object:
    """Tell an endpoint nothing more."""
    endpoint = call.tx.get(KIND, call.path["webhook_endpoint"])
    return call.tx.remove(endpoint)


def _checked(url: str) -> str:
    """
    Return the address.

    :raises StripeError: if it is none.
    """
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        message = "Invalid URL: An explicit scheme (such as https) must be provided."
        raise invalid(message, param="url", code="url_invalid")
    return url
