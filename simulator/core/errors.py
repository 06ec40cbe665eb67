"""Refusals in the shapes that Stripe's clients turn into exceptions."""

from typing import Any

from simulator.core.values import Object

# How Stripe's messages name a kind, where it is not the kind's own name.
SPOKEN = {
    "payment_method": "PaymentMethod",
    "setup_intent": "setupintent",
    "test_helpers.test_clock": "test clock",
    "webhook_endpoint": "webhook endpoint",
}


class StripeError(Exception):
    """
    An answer that is an error.

    All that the request did is undone, unless `keeps_effects` says that the failure itself
    is a fact to be kept: a declined charge exists, with its events.
    """

    def __init__(
        self,
        status: int,
        type_: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        keeps_effects: bool = False,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps_effects = keeps_effects
        self.error: Object = {"message": message, "type": type_}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            self.error["param"] = param
        self.error.update({name: value for name, value in extra.items() if value is not None})

    @property
    def code(self) -> str | None:
        """Stripe's machine-readable word for what went wrong."""
        code: str | None = self.error.get("code")
        return code

    @property
    def is_validation(self) -> bool:
        """Whether the request never began to execute: its idempotency key stays unused."""
        code = self.code or ""
        return code == "resource_missing" or code.startswith("parameter_")

    def body(self, log_url: str | None = None) -> Object:
        """Return the answer's body."""
        error = dict(self.error)
        if log_url is not None:
            error["request_log_url"] = log_url
        return {"error": error}


def invalid(
    message: str, *, param: str | None = None, code: str | None = None, **extra: Any
) -> StripeError:
    """Return the usual 400: what was asked cannot be done."""
    return StripeError(400, "invalid_request_error", message, param=param, code=code, **extra)


def missing(param: str) -> StripeError:
    """Return the error for a parameter that must be there."""
    return invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")


def unknown(param: str) -> StripeError:
    """Return the error for a parameter that the operation does not have."""
    return invalid(f"Received unknown parameter: {param}", param=param, code="parameter_unknown")


def no_such(kind: str, id_: str, param: str = "id") -> StripeError:
    """Return the error for an object that is not there: 404 in the path, 400 in a parameter."""
    return StripeError(
        404 if param == "id" else 400,
        "invalid_request_error",
        f"No such {SPOKEN.get(kind, kind)}: '{id_}'",
        code="resource_missing",
        param=param,
    )


def no_such_address(method: str, path: str) -> StripeError:
    """Return the error for an address that Stripe, or this stand-in, does not have."""
    return StripeError(
        404,
        "invalid_request_error",
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs "
        "or we can help at https://support.stripe.com/.",
    )
