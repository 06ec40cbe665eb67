"""Customers at Stripe: made once for each organization, and told whom to bill."""

from apps.billing.gateway.client import Json, ask

MOST = 100  # tax ids of one customer; Stripe lets nobody have as many


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


def update_customer(*, key: str, customer: str, params: Json) -> Json:
    """
    Let a customer be named, addressed and billed like this.

    :raises StripeRefused: if Stripe refuses a value.
    :raises StripeUnavailable: if nobody knows whether it was done.
    """
    return ask(lambda stripe, options: stripe.customers.update(customer, params, options), key=key)


def list_tax_ids(customer: str) -> list[Json]:
    """
    Return the tax ids that a customer has.

    :raises StripeUnavailable: if Stripe does not answer.
    """
    found: list[Json] = ask(
        lambda stripe, options: stripe.customers.tax_ids.list(customer, {"limit": MOST}, options)
    )["data"]
    return found


def create_tax_id(*, key: str, customer: str, kind: str, value: str) -> Json:
    """
    Give a customer a tax id; `kind` is Stripe's word (`eu_vat`).

    :raises StripeRefused: if Stripe takes it for none.
    :raises StripeUnavailable: if nobody knows whether it was done.
    """
    params = {"type": kind, "value": value}
    return ask(
        lambda stripe, options: stripe.customers.tax_ids.create(customer, params, options), key=key
    )


def delete_tax_id(*, customer: str, tax_id: str) -> Json:
    """
    Take a tax id away from a customer.

    :raises StripeRefused: if it has none such any more.
    :raises StripeUnavailable: if nobody knows whether it was done.
    """
    return ask(
        lambda stripe, options: stripe.customers.tax_ids.delete(customer, tax_id, {}, options)
    )
