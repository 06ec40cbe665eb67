"""
How much of something an area needs, where its price is for a measure and not for the piece.

The price list says so in the metadata of an event: `{"metered": "megapixel"}`. What an area
can need at the most is held when it is submitted; what it did need is captured.
"""

from collections.abc import Mapping
from typing import Any

from apps.credits.models import CreditEvent
from apps.jobs.errors import PriceNotUnderstood
from apps.jobs.models import BlobUpload
from apps.jobs.selectors.offers import Offer

MEGAPIXEL = 1_000_000  # pixels


def is_metered(price: CreditEvent) -> bool:
    """
    Tell whether an event is priced by the megapixel of the result.

    :raises PriceNotUnderstood: if it is priced by another measure.
    """
    meter = price.metadata.get("metered")
    if meter not in (None, "megapixel"):
        raise PriceNotUnderstood(event=price.name, meter=meter)
    return meter is not None


def most_units(
    offer: Offer, price: CreditEvent, parameters: Mapping[str, Any], upload: BlobUpload
) -> int:
    """Return the units that an area can need: one, where the price is for the piece."""
    if not is_metered(price):
        return 1
    return megapixels(offer.result_size(parameters, upload.width, upload.height))


def megapixels(size: tuple[int, int]) -> int:
    """Return begun megapixels."""
    width, height = size
    return -(-width * height // MEGAPIXEL)
