"""What the endpoints that move credits have in common: fields that come in, answers that go out."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import ids
from apps.core.api import run_once
from apps.core.idempotency import Answer, read_key
from apps.credits.services import Mode, Outcome

LARGEST_AMOUNT = 10**15


class Credits(serializers.IntegerField):
    """A whole number of credits above zero."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_AMOUNT, **kwargs)


class Metadata(serializers.DictField):
    """Up to 50 texts of the integrator's own."""

    child = serializers.CharField(max_length=500, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        """Return the texts, if they are not too many and their names not too long."""
        texts = super().to_internal_value(data)
        if len(texts) > 50:
            raise serializers.ValidationError("There can be up to 50 entries.")
        if any(len(name) > 40 or {"[", "]"} & set(name) for name in texts):
            raise serializers.ValidationError("A name has up to 40 characters, and no [ or ].")
        return texts


class ModeIn(serializers.Serializer[Any]):
    """What every request that moves credits may say."""

    description = serializers.CharField(max_length=500, required=False, default="")
    metadata = Metadata(required=False, default=dict)
    dry_run = serializers.BooleanField(
        default=False, help_text="Answer what would be posted, and write nothing."
    )
    preview_token = serializers.CharField(
        max_length=64,
        required=False,
        default="",
        help_text="Of a dry run: refuse with 409 if anything has moved since.",
    )


class CommandIn(ModeIn):
    """What is said by a request that has a cause of its own."""

    reference = serializers.CharField(
        max_length=100,
        required=False,
        help_text="Your own name for the cause. The same one is carried out once, for ever.",
    )


class PricedIn(CommandIn):
    """A cost: an event of the price list times a quantity, or an amount."""

    event = serializers.CharField(max_length=100, required=False)
    quantity = serializers.IntegerField(min_value=1, max_value=10**9, required=False)
    amount = Credits(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that there is one cost, and only one."""
        if ("event" in attrs) == ("amount" in attrs):
            raise serializers.ValidationError("Give either an event or an amount.")
        if "quantity" in attrs and "event" not in attrs:
            message = "A quantity needs an event."
            raise serializers.ValidationError({"quantity": message})
        return attrs


class MovementOut(serializers.Serializer[Any]):
    """One movement of one lot."""

    id = serializers.CharField(allow_null=True, help_text="Null in a dry run.")
    wallet = serializers.CharField()
    lot = serializers.CharField(allow_null=True, help_text="Null for a lot that is yet to be made.")
    type = serializers.CharField()
    amount = serializers.IntegerField()
    balance_after = serializers.IntegerField()


class PostingOut(serializers.Serializer[Any]):
    """What a command did, or would do."""

    object = serializers.CharField(default="posting")
    reference = serializers.CharField()
    amount = serializers.IntegerField(help_text="Credits into the wallet; out of it is negative.")
    balance_after = serializers.IntegerField(allow_null=True)
    dry_run = serializers.BooleanField()
    preview_token = serializers.CharField(allow_null=True)
    parts = MovementOut(many=True)


def posting(outcome: Outcome, *, reference: str) -> dict[str, Any]:
    """Return an outcome as the API shows it."""
    ours = [entry for entry in outcome.entries if entry.wallet_id == outcome.entries[0].wallet_id]
    is_dry = bool(outcome.preview_token)
    return {
        "object": "posting",
        "reference": reference,
        "amount": outcome.amount,
        "balance_after": ours[-1].balance_after if ours else None,
        "dry_run": is_dry,
        "preview_token": outcome.preview_token or None,
        "parts": [
            {
                "id": None if is_dry else ids.encode("txn", entry.id),
                "wallet": ids.encode("wal", entry.wallet_id),
                "lot": None
                if is_dry and entry.expires_at and entry.amount > 0
                else ids.encode("lot", entry.lot_id),
                "type": entry.transaction_type,
                "amount": entry.amount,
                "balance_after": entry.balance_after,
            }
            for entry in outcome.entries
        ],
    }


def reference_of(request: Request, fields: dict[str, Any], principal: str) -> str:
    """
    Return the cause in the ledger's words.

    It is the integrator's own, or made of who asks and his Idempotency-Key: never of time
    or chance, so that a repeat after the key is forgotten still finds what was posted.
    """
    if "reference" in fields:
        return f"api:{fields['reference']}"
    key = request.headers.get("Idempotency-Key")
    if fields["dry_run"] and not key:
        return "api:dry-run"
    return f"api:{sha256(f'{principal}\n{read_key(key)}'.encode()).hexdigest()}"


def mode_of(fields: dict[str, Any]) -> Mode:
    """Return whether to write, and what was shown before."""
    return Mode(is_dry_run=fields["dry_run"], preview_token=fields["preview_token"])


def post_once(
    request: Request, *, fields: dict[str, Any], principal: str, effect: Callable[[], Answer]
) -> Response:
    """Carry out a command once for its key, or dry, which needs no key."""
    if fields["dry_run"]:
        return Response(effect().body)
    return run_once(request, principal=principal, effect=effect, is_repeatable=True)
