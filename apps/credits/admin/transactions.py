"""Staff pages of transactions."""

from urllib.parse import urlencode

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import action

from apps.credits.admin.base import LedgerAdmin, hash_text, may_correct
from apps.credits.models import Correction, CreditTransaction


@admin.register(CreditTransaction)
class CreditTransactionAdmin(LedgerAdmin[CreditTransaction]):
    """Every movement of credits; corrections are new movements, never edits."""

    list_display = [
        "created_at",
        "organization",
        "transaction_type",
        "signed_amount",
        "balance_after",
        "description",
        "source",
        "source_id",
        "actor",
        "public_id",
    ]
    list_filter = ["transaction_type", ("source", FieldTextFilter), "created_at"]
    search_fields = ["organization__name"]
    search_help_text = (
        "Organization, exact reference or source, txn_…, lot_…, wal_…, org_… or req_…"
    )
    ids_searched = {"txn": "pk", "lot": "lot", "wal": "wallet", "org": "organization"}
    texts_searched = ["reference", "source_id", "request_id"]
    actions_detail = ["reverse_it"]
    fields = [
        "public_id",
        "organization",
        "wallet",
        "lot",
        "sequence",
        "transaction_type",
        "amount",
        "balance_after",
        "lot_balance_after",
        "source",
        "source_id",
        "reference",
        "description",
        "credit_event",
        "reverses",
        "actor",
        "request_id",
        "stripe_payment_intent_id",
        "expires_at",
        "metadata",
        "created_at",
        "hash_of_entry",
    ]
    readonly_fields = ["public_id", "hash_of_entry"]
    csv_columns = [
        "public_id",
        "organization.slug",
        "wallet_id",
        "sequence",
        "created_at",
        "transaction_type",
        "amount",
        "balance_after",
        "description",
        "source",
        "source_id",
        "reference",
        "lot_id",
        "actor",
        "request_id",
    ]

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """Order one wallet's by their numbers, for which there is an index."""
        return ["-sequence"] if "wallet__id__exact" in request.GET else ["-id"]

    @admin.display(description="amount", ordering="amount")
    def signed_amount(self, entry: CreditTransaction) -> str:
        """Write the amount with its sign, aligned with the others."""
        return format_html(
            '<span style="font-variant-numeric: tabular-nums">{}</span>', f"{entry.amount:+,}"
        )

    @admin.display(description="hash")
    def hash_of_entry(self, entry: CreditTransaction) -> str:
        """Write the hash as the API does."""
        return hash_text(bytes(entry.entry_hash))

    def has_correct_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those reverse who may correct."""
        return may_correct(request)

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Reverse by a correction",
        url_path="reverse",
        icon="undo",
        permissions=["correct"],
    )
    def reverse_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """
        Open the form of a correction with what would undo this movement filled in.

        :raises Http404: if there is no such transaction.
        """
        entry: CreditTransaction | None = self.get_object(request, object_id)
        if entry is None:
            raise Http404
        terms: dict[str, object] = {
            "action": Correction.Action.GRANT,
            "amount": abs(entry.amount),
            "note": f"Reverses {entry.public_id}",
        }
        if entry.amount > 0:
            terms |= {"action": Correction.Action.VOID, "lot": entry.lot_id}
        form = reverse("admin:credits_wallet_correct", args=[entry.wallet_id])
        return redirect(f"{form}?{urlencode(terms)}")
