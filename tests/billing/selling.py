"""Plans and packs for tests, made by the services that make the real ones."""

from itertools import count

from apps.billing.services import catalogue, versions

_number = count(1)
MONTHLY = {"price": 2900, "currency": "eur", "interval": "month", "included_credits": 500}
PACK = {"price": 1900, "currency": "eur", "credits": 1000}


def make_plan(code="", **fields):
    code = code or f"plan-{next(_number)}"
    return catalogue.create_plan(code=code, name=fields.pop("name", code.title()), **fields)


def make_plan_version(plan=None, **terms):
    return versions.publish_plan_version(plan or make_plan(), **MONTHLY | terms)


def make_pack(code="", **fields):
    code = code or f"pack-{next(_number)}"
    return catalogue.create_product(code=code, name=fields.pop("name", code.title()), **fields)


def make_pack_version(pack=None, **terms):
    return versions.publish_product_version(pack or make_pack(), **PACK | terms)
