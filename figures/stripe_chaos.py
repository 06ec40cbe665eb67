"""A thousand wishes under every knob: one charge for each, whatever goes wrong."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urlsplit

from figures.lines import SEED, Report, scaled
from figures.stripe_served import all_events, served
from simulator.core.chaos import DELIVERY_EFFECTS, REQUEST_EFFECTS
from tests.simulator.conformance.scenarios import KEY, Shop
from tests.simulator.receiver import Receiver, receiving

CHANCE = 0.3
THREADS = 4
TRIES = 60
RULE = {"chance": str(CHANCE), "seed": str(SEED), "seconds": "0.005"}
PAYMENT = {
    "amount": 1000,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "payment_method_types[]": "card",
    "confirm": "true",
}


def chaos(report: Report) -> None:
    """Try every knob in turn, then the same without idempotency keys."""
    wishes = scaled(1000)
    for effect in REQUEST_EFFECTS:
        with (
            served(is_checked=False) as shop,
            report.figure(f"chaos_{effect}", asked=wishes) as one,
        ):
            rule = {**RULE, "effect": effect, "method": "POST", "path": "/v1/payment_intents"}
            used = _run(shop, wishes, rule)
            charged = _charged(shop)
            one.examined = len(charged)
            one.failures = sum(count != 1 for count in charged.values()) + (not used)
    for effect in DELIVERY_EFFECTS:
        with report.figure(f"chaos_delivery_{effect}", asked=wishes) as one:
            granted, deliveries = _deliver(effect, wishes)
            one.examined = len(granted)
            one.failures = sum(count != 1 for count in granted.values())
            print(f"    deliveries={deliveries} of {wishes}")
    with served(is_checked=False) as shop, report.figure("chaos_without_keys", asked=wishes) as one:
        rule = {**RULE, "effect": "drop_after", "method": "POST", "path": "/v1/payment_intents"}
        _run(shop, wishes, rule, has_key=False)
        charged = _charged(shop)
        one.examined = len(charged)
        doubled = sum(count > 1 for count in charged.values())
        one.control = "red" if doubled else "green"
        print(f"    charged more than once: {doubled}")


def _run(shop: Shop, wishes: int, rule: dict[str, str], *, has_key: bool = True) -> int:
    """Make payments, each repeated until it is answered; return how often chaos struck."""
    made = shop.world.chaos.add(rule)
    shares = [range(first, wishes, THREADS) for first in range(THREADS)]

    def work(share: range) -> None:
        for wish in share:
            _pay(shop.url, wish, has_key=has_key)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, shares))
    shop.world.chaos.clear()
    return made.used


def _pay(url: str, wish: int, *, has_key: bool) -> None:
    form = urlencode({**PAYMENT, "metadata[wish]": wish})
    headers = {
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    if has_key:
        headers["Idempotency-Key"] = f"wish-{wish}"
    for _ in range(TRIES):
        connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
        try:
            connection.request("POST", "/v1/payment_intents", form, headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, HTTPException):
            continue
        finally:
            connection.close()
        if answer.status == 200 and body["status"] == "succeeded":
            return
    raise AssertionError(f"wish {wish} was never answered")


def _charged(shop: Shop) -> Counter[str]:
    """Return how often each wish was charged."""
    rows = shop.world.store.kinds["charge"].rows.values()
    return Counter(row["metadata"]["wish"] for row in rows if row["captured"])


def _deliver(effect: str, wishes: int) -> tuple[Counter[str], int]:
    """
    Return how often each wish was granted by one who listens to webhooks, and their number.

    Whoever listens remembers the events that he has seen, and looks at the end for those
    that never came.
    """
    with served(is_checked=False) as shop, receiving() as receiver:
        shop.world.deliveries.back_off = (0.01,) * 7
        wanted = ["payment_intent.succeeded"]
        shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": wanted})
        rule = {**RULE, "effect": effect, "event": wanted[0], "batch": "7"}
        _run(shop, wishes, rule)
        shop.world.deliveries.release_held()
        shop.world.deliveries.wait_until_idle(60)
        granted: dict[str, str] = {}
        for event in _heard(receiver):
            granted[event["id"]] = event["data"]["object"]["metadata"]["wish"]
        for event in all_events(shop):
            if event.type in wanted:
                granted.setdefault(event.id, event.data.object.metadata["wish"])
        return Counter(granted.values()), len(receiver.bodies)


def _heard(receiver: Receiver) -> Iterator[dict]:
    with receiver.arrived:
        bodies = list(receiver.bodies)
    for body in bodies:
        yield json.loads(body)
