"""
The use cases of credits; each is one transaction.

What the ledger gives and takes at this door: how to post, and what came of it.
"""

from apps.credits.ledger.book import Outcome
from apps.credits.ledger.posting import DRY_RUN, POST, Mode

__all__ = ["DRY_RUN", "POST", "Mode", "Outcome"]
