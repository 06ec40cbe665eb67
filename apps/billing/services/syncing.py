"""
The catalogue at Stripe: push ours there, and say where the two differ.

Stripe's copies follow ours and never the other way round. What costs nothing is not there.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.billing.errors import BillingNotConfigured
from apps.billing.gateway import catalogue as gateway
from apps.billing.gateway.client import is_configured
from apps.billing.models import CreditProduct, PlanVersion, ProductVersion, SubscriptionPlan
from apps.core.db import outside_transaction
from apps.tenants.services.audit import record

Json = dict[str, Any]
type Thing = SubscriptionPlan | CreditProduct
type Version = PlanVersion | ProductVersion


@outside_transaction
def push(thing: Thing) -> list[str]:
    """
    Let Stripe have this plan or pack, with a price for each version, as they are here.

    Safe to repeat, and at once: each is found again by our id. Returns what was done, as
    sentences; where the two still differ afterwards stands in `thing.differences`.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeRefused: if Stripe takes something not as it is.
    :raises StripeUnavailable: if Stripe does not answer; push again then.
    """
    versions = priced_versions(thing)
    if not versions:
        return [f"{thing.name} costs nothing, so Stripe needs not know it."]
    done = []
    product = gateway.save_product(thing.public_id, _product(thing))
    if not thing.stripe_product_id:
        _keep(thing, "stripe_product_id", product["id"])
        done.append(f"Stripe has {thing.name} as {product['id']} now.")
    for version in versions:
        if not version.stripe_price_id:
            price = gateway.save_price(version.public_id, _price(thing, version))
            _keep(version, "stripe_price_id", price["id"])
            done.append(f"Stripe has {version} as {price['id']} now.")
        else:
            gateway.offer_price(version.stripe_price_id)
    compare(thing)
    return done or [f"Stripe had {thing.name} with all its versions already."]


@outside_transaction
def compare(thing: Thing) -> list[str]:
    """
    Ask Stripe what it has of a plan or pack, and keep and return where it differs from ours.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    if not is_configured():
        raise BillingNotConfigured  # also where there is nothing to ask
    asked_at = timezone.now()
    found = list(_differences(thing))
    return _keep_differences(thing, found, asked_at)


def compare_all() -> int:
    """Compare the whole catalogue; return how many plans and packs differ."""
    things: list[Thing] = [*SubscriptionPlan.objects.all(), *CreditProduct.objects.all()]
    return sum(bool(compare(thing)) for thing in things)


def priced_versions(thing: Thing) -> list[Version]:
    """Return the versions that Stripe has to know, the oldest first."""
    versions: list[Version] = sorted(thing.versions.all(), key=lambda one: one.number)
    return [version for version in versions if version.price]


def _product(thing: Thing) -> Json:
    return {
        "name": thing.name,
        "description": thing.description,
        "active": thing.is_active,
        "metadata": {f"coffer_{thing.PREFIX}": thing.public_id},
    }


def _price(thing: Thing, version: Version) -> Json:
    """Return what makes a price; nothing in it ever changes, so its key fits for ever."""
    params: Json = {
        "product": thing.public_id,
        "unit_amount": version.price,
        "currency": version.currency,
        "metadata": {f"coffer_{version.PREFIX}": version.public_id},
    }
    if recurring := _recurring(version):
        params["recurring"] = recurring
    return params


def _recurring(version: Version) -> Json | None:
    if isinstance(version, ProductVersion) or version.is_pass:
        return None
    return {"interval": version.interval, "interval_count": version.interval_count}


@transaction.atomic
def _keep(row: Thing | Version, field: str, stripe_id: str) -> None:
    """Write down the id that Stripe gave, unless somebody else has done it meanwhile."""
    rows = type(row).objects.filter(**{"pk": row.pk, field: ""})
    if rows.update(**{field: stripe_id}):
        record(action="catalogue.pushed", object_id=row.public_id, after={field: stripe_id})
    setattr(row, field, stripe_id)


@transaction.atomic
def _keep_differences(thing: Thing, found: list[str], asked_at: datetime) -> list[str]:
    """Keep what was found, unless somebody has asked Stripe later than this."""
    rows = type(thing).objects
    now = rows.select_for_update(no_key=True).get(pk=thing.pk)
    if now.compared_at is None or now.compared_at <= asked_at:
        rows.filter(pk=thing.pk).update(compared_at=asked_at, differences=found)
        thing.compared_at, thing.differences = asked_at, found
    return found


def _differences(thing: Thing) -> Iterator[str]:
    versions = priced_versions(thing)
    if not versions:
        return
    if not thing.stripe_product_id:
        yield "It was not pushed to Stripe yet."
        return
    product = gateway.find("product", thing.stripe_product_id)
    if product is None:
        yield f"Stripe has no product {thing.stripe_product_id}. Push it again to make it."
        return
    yield from _differences_of_product(thing, product)
    for version in versions:
        if not version.stripe_price_id:
            yield f"Version {version.number} was not pushed to Stripe yet."
        else:
            price = gateway.find("price", version.stripe_price_id)
            yield from _differences_of_price(thing, version, price)


def _differences_of_product(thing: Thing, product: Json) -> Iterator[str]:
    if product["name"] != thing.name:
        yield f"Its name is “{product['name']}” at Stripe and “{thing.name}” here."
    if (product.get("description") or "") != thing.description:
        yield "Its description at Stripe is another one than here."
    if product["active"] and not thing.is_active:
        yield "It is active at Stripe and archived here."
    if not product["active"] and thing.is_active:
        yield "It is archived at Stripe and offered here."


def _differences_of_price(thing: Thing, version: Version, price: Json | None) -> Iterator[str]:
    what = f"Version {version.number}"
    if price is None:
        yield (
            f"{what}: Stripe has no price {version.stripe_price_id}. It was pushed to another "
            "account or in another mode; publish a new version, and push that."
        )
        return
    ours, theirs = _terms(thing, version), _terms_at_stripe(price)
    for name, value in ours.items():
        if theirs[name] != value:
            yield (
                f"{what}: {name} is {theirs[name]} at Stripe and {value} here. Prices cannot be "
                "changed at Stripe; publish a new version, and push that."
            )
    if not price["active"]:
        yield f"{what}: its price is archived at Stripe. Push it again to offer it."


def _terms(thing: Thing, version: Version) -> dict[str, object]:
    recurring = _recurring(version)
    return {
        "product": thing.stripe_product_id,
        "amount": version.price,
        "currency": version.currency,
        "interval": _interval(recurring),
    }


def _terms_at_stripe(price: Json) -> dict[str, object]:
    return {
        "product": price["product"],
        "amount": price["unit_amount"],
        "currency": price["currency"],
        "interval": _interval(price["recurring"]),
    }


def _interval(recurring: Json | None) -> str:
    if recurring is None:
        return "paid once"
    return f"each {recurring['interval_count']} {recurring['interval']}"
