"""A thousand wishes under every knob: one charge for each, whatever goes wrong."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urlsplit

from figures.lines import SEED, Report, scaled
from figures.stripe_served import all_events, served
from simulator.core.chaos import DELIVERY_EFFECTS, REQUEST_EFFECTS
from tests.simulator.conformance.scenarios import KEY, Shop
from tests.simulator.receiver import receiving

CHANCE = 0.3
THREADS = 4
TRIES = 60
SECONDS = 60  # until whatever was to be delivered has been
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
    delivery_chaos(report, wishes)
    with served(is_checked=False) as shop, report.figure("chaos_without_keys", asked=wishes) as one:
        rule = {**RULE, "effect": "drop_after", "method": "POST", "path": "/v1/payment_intents"}
        _run(shop, wishes, rule, has_key=False)
        charged = _charged(shop)
        one.examined = len(charged)
        doubled = sum(count > 1 for count in charged.values())
        one.control = "red" if doubled else "green"
        print(f"    charged more than once: {doubled}")


def delivery_chaos(report: Report, wishes: int) -> None:
    """
    Try every knob of deliveries: whoever listens grants each wish once.

    He remembers the events that he has seen, and looks in the list for lost ones, and for no
    others. Each of these two guards is also left out where its knob turns, which must show.
    """
    for effect in DELIVERY_EFFECTS:
        with report.figure(f"chaos_delivery_{effect}", asked=wishes) as one:
            heard = _deliver(effect, wishes)
            listed = heard.listed if effect == "lose" else {}
            granted = Counter({**dict(heard.told), **listed}.values())
            one.examined = len(granted)
            one.failures = _missed(granted, wishes) + (not heard.used)
            if effect == "duplicate":
                careless = Counter(wish for _, wish in heard.told)
                one.control = "red" if _missed(careless, wishes) else "green"
            elif effect == "lose":
                blind = Counter(dict(heard.told).values())
                one.control = "red" if _missed(blind, wishes) else "green"
                one.failures += len(blind) != wishes - heard.used  # the others were delivered
            print(f"    deliveries={len(heard.told)} of {wishes}")


def _missed(granted: Counter[str], wishes: int) -> int:
    """Return how many wishes were not granted exactly once."""
    return sum(granted[str(wish)] != 1 for wish in range(wishes))


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


@dataclass
class Heard:
    """What came of the wishes: events and their wishes, each time that one was delivered."""

    told: list[tuple[str, str]]
    listed: dict[str, str]
    used: int


def _deliver(effect: str, wishes: int) -> Heard:
    """Make payments under a rule; return what somebody who listens to webhooks has heard."""
    with served(is_checked=False) as shop, receiving() as receiver:
        shop.world.deliveries.back_off = (0.01,) * 7
        wanted = ["payment_intent.succeeded"]
        shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": wanted})
        rule = {**RULE, "effect": effect, "event": wanted[0], "batch": "7"}
        used = _run(shop, wishes, rule)
        shop.world.deliveries.release_held()
        _wait_until_heard(shop)
        with receiver.arrived:
            events = [json.loads(body) for body in receiver.bodies]
        told = [(event["id"], event["data"]["object"]["metadata"]["wish"]) for event in events]
        listed = {
            event.id: event.data.object.metadata["wish"]
            for event in all_events(shop)
            if event.type in wanted
        }
        return Heard(told, listed, used)


def _wait_until_heard(shop: Shop) -> None:
    """Wait until every event was answered or is not sent any more, then for copies of it."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with shop.world.lock:
            events = shop.world.store.kinds["event"].rows.values()
            is_over = not any(True in event["_unheard"].values() for event in events)
        if is_over:
            break
        time.sleep(0.02)
    shop.world.deliveries.wait_until_idle(SECONDS)
