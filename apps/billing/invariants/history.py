"""What must always be true of billing history and of repaired differences."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "B70",
        "A receipt says what its payment does: amount, tax and currency, and that it was paid.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT document.id,
                       (payment.status, payment.amount + payment.tax, payment.tax,
                        payment.currency, payment.stripe_payment_intent_id)
                       IS DISTINCT FROM
                       ('succeeded', document.amount, document.tax,
                        document.currency, document.stripe_id) AS broken
                  FROM billing_billingdocument document
                  JOIN billing_payment payment ON payment.id = document.payment_id
                 WHERE document.kind = 'receipt') each_receipt
        """,
    ),
    Invariant(
        "B72",
        "An invoice that was paid with the saved card is paid.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT attempt.id, document.status IS DISTINCT FROM 'paid' AS broken
                  FROM billing_invoiceattempt attempt
                  JOIN billing_billingdocument document ON document.id = attempt.document_id
                 WHERE attempt.status = 'paid') each_attempt
        """,
    ),
    Invariant(
        "B71",
        "A difference that was repaired with credits has a payment that succeeded.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT found.id, payment.status IS DISTINCT FROM 'succeeded' AS broken
                  FROM billing_reconciliationcase found
                  LEFT JOIN billing_payment payment ON payment.id = found.payment_id
                 WHERE found.status = 'repaired') each_case
        """,
    ),
)
