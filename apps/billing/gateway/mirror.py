"""
The mirror: dj-stripe's copies of Stripe's objects, for the back office and for history.

dj-stripe asks Stripe again within its own transaction. That breaks our rule against the
network in transactions, knowingly (docs/adr/0013): no table of ours is touched or locked in
it, and nothing waits for it.
"""

import json
from typing import Any

from djstripe.models import Event

from apps.core.db import outside_transaction


@outside_transaction
def mirror_event(payload: dict[str, Any]) -> None:
    """Let dj-stripe take an event in, with the objects that it is about; whatever it raises."""
    # A copy, because dj-stripe changes what it is given.
    Event.process(json.loads(json.dumps(payload)))
