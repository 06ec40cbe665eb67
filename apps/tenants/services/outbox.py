"""Write down what others shall be told of; telling them is somebody else's."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from apps.core.db import inside_transaction
from apps.tenants.models import Organization, OutboxEvent

MOST_BYTES = 20_000


@inside_transaction
def emit(
    *, organization: Organization, event_type: str, object_id: str, data: Mapping[str, Any]
) -> OutboxEvent:
    """
    Add an event in the transaction of what happened.

    :raises ValueError: if the data are larger than 20 KB as JSON, so that no receiver chokes.
    """
    text = json.dumps(data, cls=DjangoJSONEncoder)
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(f"The data of {event_type} are larger than {MOST_BYTES} bytes.")
    event = OutboxEvent(
        organization=organization,
        event_type=event_type,
        object_id=object_id,
        data=json.loads(text),
    )
    event.save(force_insert=True)
    return event
