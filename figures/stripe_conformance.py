"""Scenarios of Stripe's documentation, and every object in them against its description."""

import traceback

from figures.lines import Report
from figures.stripe_served import served
from simulator.core.conformance import violations
from tests.simulator.conformance.scenarios import Shop, load


def conformance(report: Report) -> None:
    """Play every scenario with Stripe's own client, then count what did not fit."""
    scenarios = load()
    with served() as shop:
        with report.figure("conformance", asked=len(scenarios)) as figure:
            for one in scenarios:
                figure.examined += 1
                shop.world.reset()
                figure.failures += _fails(one.play, shop, one.name)
            figure.control = "red" if _notices_failures(shop) else "green"
        with report.figure("schema_violations", asked=1000) as figure:
            figure.examined = shop.world.examined
            figure.failures = len(shop.world.violations)
            figure.control = "red" if _is_missed(shop) else "green"
            for found in sorted(set(shop.world.violations))[:20]:
                print(f"    {found}")


def _fails(play: object, shop: Shop, name: str) -> bool:
    try:
        play(shop)
    except Exception:
        print(f"    {name}: {traceback.format_exc(limit=1).splitlines()[-1]}")
        return True
    return False


def _notices_failures(shop: Shop) -> bool:
    """Say whether scenarios fail when their first payment is answered with 500."""
    names = ("a_dispute_is_answered_and_won", "refunds_never_exceed_the_charge")
    chosen = [one for one in load() if one.name in names]
    shop.world.reset()
    rule = {"effect": "error_before", "method": "POST", "path": "/v1/payment_intents"}
    noticed = 0
    for one in chosen:
        shop.world.chaos.add(rule)
        try:
            one.play(shop)
        except Exception:
            noticed += 1
        shop.world.reset()
    return noticed == len(chosen)


def _is_missed(shop: Shop) -> bool:
    """Say whether a field that is taken away is missed, of every kind that is here."""
    shop.world.reset()
    shop.customer("pm_card_visa")
    shop.pay()
    for kind in ("customer", "payment_method", "payment_intent", "charge"):
        row = next(iter(shop.world.store.kinds[kind].rows.values()))
        body = shop.world.public(row)
        if violations(body)[0]:
            return False
        del body["id"]
        if not violations(body)[0]:
            return False
    return True
