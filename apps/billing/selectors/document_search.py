"""Find billing documents by what a person types into one field."""

import re
from decimal import Decimal

from django.db.models import Q

from apps.billing.models import BillingDocument, Payment
from apps.core.money import EXPONENTS

AMOUNT = re.compile(r"\d{1,12}(\.\d{1,4})?")
WORDS = (
    "payment__plan_version__plan__name",
    "payment__product_version__product__name",
    "payment__description",
)
LONGEST = 100  # letters of what is searched for
USUAL = 2  # digits after the point of a currency that EXPONENTS does not name


def about(text: str) -> Q:
    """
    Return the condition that a document is about a text.

    Its number or the name of what was bought has the text in it, its id or its payment's is the
    text, or its amount or what is due of it is, as people write amounts: 24, 24.00, €1,024.50.
    """
    text = text.strip()[:LONGEST]
    condition = Q(number__icontains=text) | Q(stripe_id=text)
    for name in WORDS:
        condition |= Q(**{f"{name}__icontains": text})
    for field, row_id in (
        ("pk", BillingDocument.read_id(text)),
        ("payment", Payment.read_id(text)),
    ):
        if row_id is not None:
            condition |= Q(**{field: row_id})
    return condition | _of_amount(text)


def _of_amount(text: str) -> Q:
    """Return the condition that this amount stands on it, in whichever currency."""
    plain = re.sub(r"[^\d.,]", "", text)
    plain = re.sub(r",(?=\d{1,2}$)", ".", plain).replace(",", "")
    condition = Q(pk__in=[])
    if not AMOUNT.fullmatch(plain) or re.search(r"[^\W\d_]{4}|-\d", text):
        return condition  # words, or a number like A-0050 and no amount
    unusual = [code.lower() for code in EXPONENTS]
    for places in {USUAL, *EXPONENTS.values()}:
        minor = Decimal(plain).scaleb(places)
        if minor != minor.to_integral_value():
            continue
        codes = [code.lower() for code, digits in EXPONENTS.items() if digits == places]
        currency = ~Q(currency__in=unusual) if places == USUAL else Q(currency__in=codes)
        condition |= currency & (Q(amount=int(minor)) | Q(amount_due=int(minor)))
    return condition
