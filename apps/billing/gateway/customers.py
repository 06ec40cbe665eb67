"""Customers at Stripe: made once for each organization."""

from apps.billing.gateway.client import Json, ask


def create_customer(*, key: str, name: str, email: str, organization: str) -> Json:
    """Make the customer of an organization; `organization` is its public id."""
    params = {"name": name, "metadata": {"coffer_organization": organization}}
    if email:
        params["email"] = email
    return ask(lambda stripe, options: stripe.customers.create(params, options), key=key)
