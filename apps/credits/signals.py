"""News that credits sends up."""

from django.dispatch import Signal

# Sent after commit, with `wallet_ids`: credits left these wallets. billing asks itself
# whether a reload is due.
debited = Signal()
