"""News that billing sends up."""

from django.dispatch import Signal

# Sent inside the transaction that settles it, with `payment`: it is paid, and what was bought
# with it is granted. capacity allocates what was reserved for it.
payment_settled = Signal()
