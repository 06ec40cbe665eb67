"""The forms by which staff change wallets."""

from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.core.errors import DomainError
from apps.credits import selectors
from apps.credits.errors import (
    InsufficientCredits,
    InvalidAmount,
    LotExpiresTooEarly,
    LotHasLess,
    LotNotFound,
)
from apps.credits.models import Correction, Lot, Wallet
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import Why

Action = Correction.Action
ACTIONS = {
    Action.GRANT: "Grant credits",
    Action.DEDUCT: "Deduct credits, in burn order",
    Action.VOID: "Void a lot, or a part of it",
    Action.CHANGE_EXPIRY: "Change a lot's expiry",
}
CHANGES = {
    "freeze": "Freeze: credits come in and do not leave",
    "thaw": "Thaw: credits may leave again",
    "close": "Close: nothing moves, but lots expire",
    "reopen": "Reopen",
    "credit_line": "Set the credit line",
}
KINDS = [choice for choice in Lot.Kind.choices if choice[0] != Lot.Kind.DEBT]
# Which field a refusal is about, where it does not say so itself.
FIELDS: dict[type[DomainError], str] = {
    InsufficientCredits: "amount",
    InvalidAmount: "amount",
    LotExpiresTooEarly: "expires_at",
    LotHasLess: "lot",
    LotNotFound: "lot",
}


class MomentField(forms.DateTimeField):
    """A moment in the time zone of whoever looks, picked by what the browser offers."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"type": "datetime-local", "class": " ".join(INPUT_CLASSES)}
        widget = forms.DateTimeInput(attrs=attrs, format="%Y-%m-%dT%H:%M")
        super().__init__(required=False, widget=widget, **kwargs)


class LotField(forms.ModelChoiceField[Lot]):
    """
    One of a wallet's lots. Those with credits are offered, and any of them is taken.

    A form that is sent twice names a lot which its first sending has emptied.
    """

    def __init__(self) -> None:
        super().__init__(Lot.objects.none(), required=False, widget=UnfoldAdminSelectWidget())

    def offer(self, wallet: Wallet) -> None:
        """Offer the lots of this wallet in burn order, with what remains of each."""
        self.queryset = Lot.objects.filter(wallet=wallet).exclude(kind=Lot.Kind.DEBT)
        dead = {selectors.Status.DEBT, selectors.Status.EXPIRED}
        alive = [one.lot for one in selectors.lots_with_credits(wallet) if one.status not in dead]
        self.widget.choices = [
            ("", "Choose a lot"),
            *((lot.pk, _name_of_lot(lot)) for lot in alive),
        ]


class CorrectionForm(forms.Form):
    """What to correct, and why; each action uses the terms that it needs."""

    correction_id = forms.UUIDField(widget=forms.HiddenInput)
    action = forms.ChoiceField(
        choices=[(action.value, label) for action, label in ACTIONS.items()],
        widget=UnfoldAdminSelectWidget({"x-model": "action"}),
    )
    amount = forms.IntegerField(
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Credits. To void all that remains of a lot, leave it empty.",
    )
    lot = LotField()
    kind = forms.ChoiceField(
        choices=KINDS, initial=Lot.Kind.ADJUSTMENT, widget=UnfoldAdminSelectWidget(), required=False
    )
    effective_at = MomentField(label="Begins", help_text="Now, if empty.")
    expires_at = MomentField(label="Expires")
    never_expires = forms.BooleanField(required=False, widget=UnfoldBooleanWidget())
    priority = forms.IntegerField(
        required=False,
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="The lowest burns first. That of the kind, if empty.",
    )
    unit_cost = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=18,
        decimal_places=6,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Minor units of money that were paid for one credit; empty if nothing was.",
    )
    currency = forms.CharField(
        required=False, max_length=3, widget=UnfoldAdminTextInputWidget(), help_text="Like eur."
    )
    reason = forms.ChoiceField(
        choices=[("", "Choose a reason"), *Correction.Reason.choices],
        widget=UnfoldAdminSelectWidget(),
    )
    note = forms.CharField(
        required=False, max_length=1000, widget=UnfoldAdminTextareaWidget({"rows": 3})
    )
    ticket = forms.CharField(
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Where the case is told: an address or a number.",
    )

    def __init__(self, *args: Any, wallet: Wallet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lots = self.fields["lot"]
        assert isinstance(lots, LotField)
        lots.offer(wallet)
        zone = timezone.get_current_timezone_name()
        self.fields[
            "expires_at"
        ].help_text = f"In your time zone, {zone}. What is granted without a date never expires."

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen action needs."""
        given = self.cleaned_data
        action = given.get("action")
        if action in (Action.GRANT, Action.DEDUCT):
            self._need("amount", "How many credits?")
        if action in (Action.VOID, Action.CHANGE_EXPIRY):
            self._need("lot", "Which lot?")
        if given.get("never_expires") and given.get("expires_at"):
            self.add_error("expires_at", "Give a date or say that it never expires, not both.")
        elif action == Action.CHANGE_EXPIRY and not given.get("never_expires"):
            self._need("expires_at", "Give a date, or say that it never expires.")
        if given.get("reason") == Correction.Reason.OTHER:
            self._need("note", "Say in your own words what the reason is.")
        return given

    def _need(self, name: str, question: str) -> None:
        if name not in self.errors and not self.cleaned_data.get(name):
            self.add_error(name, question)

    @property
    def chosen_action(self) -> Correction.Action:
        """What shall be done."""
        return Action(self.cleaned_data["action"])

    @property
    def terms(self) -> Terms:
        """The terms that the action uses; what was typed for others does not count."""
        given = self.cleaned_data
        match self.chosen_action:
            case Action.GRANT:
                return Terms(
                    amount=given["amount"],
                    kind=given["kind"] or Lot.Kind.ADJUSTMENT.value,
                    effective_at=given["effective_at"],
                    expires_at=given["expires_at"],
                    priority=given["priority"],
                    unit_cost=given["unit_cost"] or Terms.unit_cost,
                    currency=given["currency"].lower(),
                )
            case Action.DEDUCT:
                return Terms(amount=given["amount"])
            case Action.VOID:
                return Terms(lot_id=given["lot"].pk, amount=given["amount"])
            case Action.CHANGE_EXPIRY:
                return Terms(lot_id=given["lot"].pk, expires_at=given["expires_at"])

    @property
    def why(self) -> Why:
        """The reason, the words and the ticket."""
        given = self.cleaned_data
        return Why(Correction.Reason(given["reason"]), given["note"], given["ticket"])


class WalletForm(forms.Form):
    """What a wallet may do from now on, and why."""

    change = forms.ChoiceField(widget=UnfoldAdminSelectWidget({"x-model": "change"}))
    limit = forms.IntegerField(
        required=False,
        min_value=0,
        label="Credit line",
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Credits that the wallet may owe; 0 for none.",
    )
    reason = forms.CharField(max_length=1000, widget=UnfoldAdminTextareaWidget({"rows": 3}))

    def __init__(self, *args: Any, wallet: Wallet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        change = self.fields["change"]
        assert isinstance(change, forms.ChoiceField)
        change.choices = list(CHANGES.items())
        # What is so already is not offered, and does no harm when a form is sent twice.
        offered = [
            "thaw" if wallet.frozen_at else "freeze",
            "reopen" if wallet.closed_at else "close",
            "credit_line",
        ]
        change.widget.choices = [(name, CHANGES[name]) for name in offered]

    def clean(self) -> dict[str, Any]:
        """Ask for the limit where it is what changes."""
        given = self.cleaned_data
        missing = given.get("limit") is None and "limit" not in self.errors
        if given.get("change") == "credit_line" and missing:
            self.add_error("limit", "How many credits may it owe?")
        return given


class DecisionForm(forms.Form):
    """Words for whoever asked; without them nothing can be rejected."""

    comment = forms.CharField(
        required=False, max_length=1000, widget=UnfoldAdminTextareaWidget({"rows": 2})
    )


def show_refusal(form: forms.Form, error: DomainError) -> None:
    """Show a refusal of the ledger on the field that it is about, or above the form."""
    field = error.details.get("field") or FIELDS.get(type(error))
    form.add_error(field if field in form.fields else None, str(error))


def _name_of_lot(lot: Lot) -> str:
    ends = f"ends {timezone.localtime(lot.expires_at):%-d %b %Y}" if lot.expires_at else "no end"
    left = f"{lot.remaining:,} of {lot.granted:,} left"
    return f"{lot.get_kind_display()}: {left}, {ends} ({lot.public_id[-6:]})"
