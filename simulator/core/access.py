"""Who asks, in which version, and whether that key may."""

import base64
import binascii
import re

from simulator.core import description
from simulator.core.errors import StripeError, invalid
from simulator.core.http import Request
from simulator.core.values import ACCOUNT

KEY = re.compile(r"(sk|rk|pk)_test_\w+")
# What a browser may do by itself, with a key that everybody can read.
PUBLISHABLE = {
    ("POST", "/v1/payment_methods"),
    ("POST", "/v1/tokens"),
}
# The same, if it knows the secret of the intent.
WITH_CLIENT_SECRET = {
    ("GET", "/v1/payment_intents/{intent}"),
    ("POST", "/v1/payment_intents/{intent}/confirm"),
    ("GET", "/v1/setup_intents/{intent}"),
    ("POST", "/v1/setup_intents/{intent}/confirm"),
}


def authenticate(request: Request) -> str:
    """
    Return the key of whoever asks.

    :raises StripeError: if there is none, or one that could move real money.
    """
    scheme, _, value = (request.header("authorization") or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            value = ""
    if not value:
        raise _unauthorized(
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
            "YOUR_SECRET_KEY')."
        )
    if "_live_" in value:
        raise _unauthorized(
            "This is a simulator of Stripe: it takes no live key. Take this one out of "
            "wherever it was set, and use one that begins with sk_test_."
        )
    if not KEY.fullmatch(value):
        raise _unauthorized(f"Invalid API Key provided: {value[:8]}{'*' * 8}{value[-4:]}")
    return value


def _unauthorized(message: str) -> StripeError:
    return StripeError(401, "invalid_request_error", message)


def check_version(request: Request) -> None:
    """
    Say no to a version that we do not speak.

    :raises StripeError: for any but one.
    """
    version = request.header("stripe-version")
    if version is not None and version != description.api_version():
        raise invalid(
            f"Invalid Stripe API version: {version}. This simulator speaks "
            f"{description.api_version()} only."
        )


def check_form(request: Request) -> None:
    """
    Say no to JSON, which this part of the API has never taken.

    :raises StripeError: if that is what was sent.
    """
    if request.body and (request.header("content-type") or "").startswith("application/json"):
        raise invalid(
            "Invalid request (check that your POST content type is "
            "application/x-www-form-urlencoded). If you have any questions, we can help at "
            "https://support.stripe.com/."
        )


def check_account(request: Request, owner: str) -> None:
    """
    Say no to whoever asks on behalf of another account.

    :raises StripeError: if an account is named that is not the one there is.
    """
    account = request.header("stripe-account")
    if account not in (None, ACCOUNT):
        raise StripeError(
            403,
            "invalid_request_error",
            f"The provided key '{owner[:8]}{'*' * 8}{owner[-4:]}' does not have access to account "
            f"'{account}' (or that account does not exist). Application access may have been "
            "revoked.",
            code="account_invalid",
        )


def check_publishable(owner: str, method: str, template: str, secret: str | None) -> None:
    """
    Say no to a publishable key where a secret one is needed.

    :raises StripeError: unless the operation is for browsers.
    """
    if not owner.startswith("pk_") or (method, template) in PUBLISHABLE:
        return
    if (method, template) in WITH_CLIENT_SECRET and secret is not None:
        return
    raise StripeError(
        401,
        "invalid_request_error",
        "This API call cannot be made with a publishable API key. Please use a secret API key. "
        "You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.",
        code="secret_key_required",
    )
