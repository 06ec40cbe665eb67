"""Read what can be done, in which styles, and what it costs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.core.errors import NotFound
from apps.credits import selectors as credits_selectors
from apps.jobs.models import StyleVersion
from apps.jobs.runners import sample
from apps.jobs.runners.registry import RUNNERS, STYLED
from apps.jobs.selectors.offers import External, Offer, offers


@dataclass(frozen=True)
class Operation:
    """Something that can be done to a picture, with its present price in credits."""

    runner: Offer
    cost: int
    unit: str
    styles: list[StyleVersion]  # in force; none where it has no styles

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """How the parameters of an external one are described; None of one that is built in."""
        return self.runner.schema if isinstance(self.runner, External) else None


def operations() -> list[Operation]:
    """Return what can be done and has a price, each with the styles that can be chosen."""
    prices = {price.name: price for price in credits_selectors.price_list()}
    styles: dict[str, list[StyleVersion]] = {code: [] for code in RUNNERS}
    for version in styles_in_force().order_by("style__position", "style__code"):
        styles[version.style.operation].append(version)
    return [
        Operation(offer, prices[code].credit_cost, prices[code].unit, styles.get(code, []))
        for code, offer in offers().items()
        if code in prices
    ]


def styles_in_force(operation: str = "") -> QuerySet[StyleVersion]:
    """Return the present version of each style that can be chosen, with its style."""
    latest = StyleVersion.objects.order_by("style_id", "-number").distinct("style_id").values("pk")
    found = StyleVersion.objects.filter(
        pk__in=latest, style__is_active=True, style__operation__in=STYLED
    )
    if operation:
        found = found.filter(style__operation=operation)
    return found.select_related("style")


def styles_by_code(operation: str) -> dict[str, StyleVersion]:
    """Return the styles that can be chosen for an operation, in order."""
    found = styles_in_force(operation).order_by("style__position", "style__code")
    return {version.style.code: version for version in found}


def preview_of(operation: str, code: str, number: int) -> bytes:
    """
    Return a small picture (WebP) of what a version of a style does, in force or not.

    :raises NotFound: if there is no such version.
    """
    versions = StyleVersion.objects.filter(style__operation=operation, style__code=code)
    version = versions.filter(number=number).first()
    if version is None:
        raise NotFound
    return preview_of_look(operation, {**version.parameters, "swatches": version.swatches})


def preview_of_look(operation: str, look: Mapping[str, Any]) -> bytes:
    """
    Return a small picture (WebP) of what a look does.

    :raises ValueError: if the operation has no styles, or cannot work by this look.
    """
    if operation not in STYLED or not isinstance(look, dict):
        raise ValueError("operation", "There is no such look.")
    STYLED[operation].check_look(look)
    return sample.preview(operation, json.dumps(look, sort_keys=True))
