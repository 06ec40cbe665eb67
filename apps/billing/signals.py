"""News that billing sends up."""

from django.dispatch import Signal

# Sent inside the transaction that settles it, with `payment`: it is paid, and what was bought
# with it is granted.
payment_settled = Signal()

# Sent inside the transaction, with `payment`: it is now somewhere else on its way, and not paid.
payment_moved = Signal()

# Sent inside the transaction, with `customer`: another card is charged from now on, or none.
card_changed = Signal()
