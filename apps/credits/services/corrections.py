"""Change a wallet by hand: with a reason, a preview, and above a limit with a second person."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from apps.core import ids
from apps.core.clock import database_now
from apps.core.errors import NotFound
from apps.credits import selectors
from apps.credits.errors import CorrectionDecided, CorrectionDiffers, SecondPersonNeeded
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Command
from apps.credits.ledger.posting import DRY_RUN, Mode, post_one
from apps.credits.models import Correction, Lot, Wallet
from apps.credits.services.correction_terms import Terms, command_of
from apps.tenants.models import User
from apps.tenants.services.audit import record

TIME_TO_DECIDE = timedelta(days=7)


@dataclass(frozen=True)
class Why:
    """Why a correction is made: a reason that reports can count, words, and a ticket."""

    reason: Correction.Reason
    note: str = ""
    ticket: str = ""


@dataclass(frozen=True)
class Preview:
    """What a correction would do, and whether a second person has to agree."""

    outcome: Outcome
    amount: int  # credits that it is about
    needs_second_person: bool

    @property
    def token(self) -> str:
        """What stands for exactly this, when it is confirmed."""
        return self.outcome.preview_token

    @property
    def balance_before(self) -> int:
        """Credits in the wallet when it would be posted."""
        first = self.outcome.entries[0]
        return first.balance_after - first.amount

    @property
    def balance_after(self) -> int:
        """Credits in the wallet when it would have been posted."""
        return self.outcome.entries[-1].balance_after


@transaction.atomic
def preview_correction(*, wallet: Wallet, action: Correction.Action, terms: Terms) -> Preview:
    """
    Return what a correction would do now; nothing is written.

    :raises InvalidTerms: naming the term that is missing or cannot be.
    :raises DomainError: whatever else the ledger would refuse.
    """
    outcome = post_one(command_of(wallet, action, terms, reference="correction:preview"), DRY_RUN)
    # All of a lot is meant where no amount is given, and then it is the first movement.
    amount = terms.amount or abs(outcome.entries[0].amount)
    return Preview(outcome, amount, _needs_second_person(action, terms, amount))


@transaction.atomic
def request_correction(
    *,
    wallet: Wallet,
    action: Correction.Action,
    terms: Terms,
    why: Why,
    user: User,
    preview_token: str = "",
    correction_id: UUID | None = None,
) -> Correction:
    """
    Post a correction, or keep it for a second person if it is above the limit.

    `correction_id` names the form that was filled in: sent twice, it has one effect.

    :raises PreviewOutdated: if the wallet moved since the preview of the token.
    :raises CorrectionDiffers: if the same form was sent before with other values.
    :raises InvalidTerms: naming the term that is missing or cannot be.
    :raises DomainError: whatever else the ledger refuses.
    """
    wallet = Wallet.objects.select_for_update(no_key=True).get(pk=wallet.pk)
    correction_id = correction_id or ids.new_id()
    if earlier := Correction.objects.filter(pk=correction_id).first():
        said = (earlier.wallet_id, earlier.action, earlier.terms, earlier.requested_by_id)
        if said != (wallet.id, action.value, terms.as_json(), user.pk):
            raise CorrectionDiffers
        return earlier
    shown = preview_correction(wallet=wallet, action=action, terms=terms)
    correction = Correction(
        id=correction_id,
        organization_id=wallet.organization_id,
        wallet=wallet,
        action=action.value,
        terms=terms.as_json(),
        amount=shown.amount,
        reason=why.reason.value,
        note=why.note,
        ticket=why.ticket,
        requested_by=user,
        needs_second_person=shown.needs_second_person,
        expires_at=database_now() + TIME_TO_DECIDE,
    )
    if not shown.needs_second_person:
        correction.status = Correction.Status.POSTED
        post_one(_command(correction), Mode(preview_token=preview_token))
    correction.save(force_insert=True)
    _record(correction, "requested" if shown.needs_second_person else "posted")
    return correction


@transaction.atomic
def approve_correction(*, correction: Correction, user: User, comment: str = "") -> Correction:
    """
    Post a correction that somebody else asked for, on the wallet as it is now.

    :raises SecondPersonNeeded: if it is the one who asked.
    :raises CorrectionDecided: if it was decided before, or waited too long.
    :raises DomainError: whatever the ledger refuses; the correction then stays pending.
    """
    correction = _decide(correction, user, Correction.Status.POSTED, comment)
    post_one(_command(correction))
    _record(correction, "approved")
    return correction


@transaction.atomic
def reject_correction(*, correction: Correction, user: User, comment: str) -> Correction:
    """
    Refuse a correction that somebody else asked for; nothing is posted.

    :raises SecondPersonNeeded: if it is the one who asked.
    :raises CorrectionDecided: if it was decided before, or waited too long.
    """
    correction = _decide(correction, user, Correction.Status.REJECTED, comment)
    _record(correction, "rejected")
    return correction


def _decide(
    correction: Correction, user: User, status: Correction.Status, comment: str
) -> Correction:
    """Lock the correction, check that this person may decide it now, and write the decision."""
    found = Correction.objects.select_for_update(no_key=True).filter(pk=correction.pk).first()
    if found is None:
        raise NotFound
    if found.status != Correction.Status.PENDING:
        raise CorrectionDecided(decision=found.status)
    now = database_now()
    if found.expires_at <= now:
        raise CorrectionDecided(decision="too old")
    if found.requested_by_id == user.pk:
        raise SecondPersonNeeded
    found.status, found.decided_by, found.decided_at, found.comment = status, user, now, comment
    found.save(update_fields=["status", "decided_by", "decided_at", "comment"])
    return found


def _needs_second_person(action: Correction.Action, terms: Terms, amount: int) -> bool:
    """Tell whether one person may not do this alone: much, or what the customer paid for."""
    if amount > selectors.correction_limit():
        return True
    if action != Correction.Action.VOID or terms.lot_id is None:
        return False
    return Lot.objects.filter(pk=terms.lot_id, kind=Lot.Kind.PURCHASE).exists()


def _command(correction: Correction) -> Command:
    action = Correction.Action(correction.action)
    return command_of(
        correction.wallet,
        action,
        Terms.from_json(correction.terms),
        reference=correction.reference,
        description=correction.note or correction.get_reason_display(),
        metadata={"reason": correction.reason, "ticket": correction.ticket},
    )


def _record(correction: Correction, verb: str) -> None:
    record(
        action=f"correction.{verb}",
        organization=correction.organization,
        object_id=correction.public_id,
        after={
            "wallet": correction.wallet.public_id,
            "action": correction.action,
            "terms": correction.terms,
            "amount": correction.amount,
        },
        reason=correction.comment or correction.note or correction.reason,
    )
