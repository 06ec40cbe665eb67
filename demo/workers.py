"""An operation of the demo that only a worker outside does, and a key for one."""

from apps.core import context
from apps.credits.services import prices
from apps.jobs.services import external_operations
from apps.jobs.services.worker_keys import create_worker_key
from apps.tenants.models import User
from demo.people import STAFF

OPERATION = "image.outline"


def sell_what_workers_do() -> str:
    """Make both, and return the key's secret: docs/guides/external_worker.py does the work."""
    staff = User.objects.get(email=STAFF[0].email)
    with context.acting(actor=f"user:{staff.public_id}"):
        prices.set_price(
            name=OPERATION,
            credit_cost=8,
            category="compute",
            unit="picture",
            description="Outline a picture",
        )
        external_operations.make_operation(
            code=OPERATION,
            name="Outline",
            description="The lines of a picture, as if drawn with a pencil",
            most_pixels=40_000_000,
            parameters={
                "type": "object",
                "properties": {
                    "strength": {"type": "integer", "minimum": 1, "maximum": 3, "default": 1}
                },
            },
            is_active=True,
        )
        _, secret = create_worker_key(name="Demo worker", operations=[OPERATION], created_by=staff)
    return secret
