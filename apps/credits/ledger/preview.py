"""
What a preview promises: a token that stands for one command and all that it would write.

When the command is posted with the token, the token is made once more under the lock.
If anything that matters has moved, the two differ.
"""

import hashlib
import json
from dataclasses import asdict, astuple
from typing import Any

from django.utils.crypto import constant_time_compare, salted_hmac

from apps.credits.ledger.book import Plan
from apps.credits.ledger.commands import Command
from apps.credits.ledger.state import State

DESCRIPTIVE = frozenset({"reference", "source", "source_id", "description", "metadata"})


def heads_of(state: State) -> list[str]:
    """Return where the wallets stand, before a plan changes them."""
    wallets = sorted(state.wallets.values(), key=lambda wallet: wallet.id)
    return [str(astuple(wallet)) for wallet in wallets]


def token_of(command: Command, heads: list[str], planned: Plan) -> str:
    """
    Return the token of a plan.

    What names and describes the cause is no part of it, because it changes no effect. New
    lots are told apart by their terms, because their ids are made anew each time.
    """
    asked = {name: value for name, value in asdict(command).items() if name not in DESCRIPTIVE}
    written = [
        (
            "new" if entry.lot_id in planned.new_lots else str(entry.lot_id),
            entry.transaction_type,
            entry.amount,
            entry.balance_after,
        )
        for entry in planned.entries
    ]
    content = json.dumps([type(command).__name__, asked, heads, written], default=_as_text)
    digest = hashlib.sha256(content.encode()).hexdigest()
    return salted_hmac("coffer.preview", digest, algorithm="sha256").hexdigest()


def is_same(token: str, shown: str) -> bool:
    """Tell whether two tokens are one."""
    return constant_time_compare(token, shown)


def _as_text(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else str(value)
