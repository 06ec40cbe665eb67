"""Customers at Stripe: made once for each organization."""

from apps.billing.gateway.client import Json, ask


def create_customer(
    *, key: str, name: str, email: str, organization: str, test_clock: str = ""
) -> Json:
    """Make the customer of an organization (its public id), living by a test clock if named."""
    params = {"name": name, "metadata": {"coffer_organization": organization}}
    if email:
        params["email"] = email
    if test_clock:
        params["test_clock"] = test_clock
    return ask(lambda stripe, options: stripe.customers.create(params, options), key=key)
