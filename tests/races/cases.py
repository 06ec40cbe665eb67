"""Every command of the ledger, and every service that writes beside it, on a scene."""

from contextlib import suppress
from datetime import timedelta
from uuid import NAMESPACE_OID, uuid5

from django.db import transaction

from apps.core import idempotency
from apps.core.clock import moved_to
from apps.core.idempotency import Answer
from apps.credits.errors import BudgetExists
from apps.credits.ledger import commands as ask
from apps.credits.ledger.posting import post
from apps.credits.ledger.returning import Recall
from apps.credits.models import Correction, Lot
from apps.credits.services import corrections, holds, transfers, wallets
from apps.credits.services.budgets import create_budget
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import Why
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.transfers import RecallRequest
from tests.races.scenes import BEGINS, DAY, HOUR, Case, Scene

MUCH = 10_001  # credits; above the limit of one member of staff


def _request(scene: Scene, amount: int) -> Correction:
    return corrections.request_correction(
        wallet=scene.wallet,
        action=Correction.Action.GRANT,
        terms=Terms(amount=amount),
        why=Why(Correction.Reason.GOODWILL),
        user=scene.maker,
        correction_id=uuid5(NAMESPACE_OID, str(scene.wallet.id)),
    )


def _keep_for_another(scene: Scene) -> None:
    scene.correction = _request(scene, MUCH)


def _approve(scene: Scene) -> None:
    corrections.approve_correction(correction=scene.correction, user=scene.checker)


def _reject(scene: Scene) -> None:
    corrections.reject_correction(correction=scene.correction, user=scene.checker, comment="No")


def _transfer(scene: Scene) -> None:
    transfers.transfer_credits(
        wallet=scene.wallet,
        target=scene.target,
        amount=30,
        kind=Lot.Kind.PARTNER,
        reference="handed on",
        source="test",
    )


def _lend(scene: Scene) -> None:
    """Hand credits on that return, for two days from the beginning."""
    terms = {"target_id": scene.target.id, "amount": 40, "expires_at": BEGINS + 2 * DAY}
    with moved_to(BEGINS):
        scene.post(ask.Transfer, "lent", returns=True, kind="partner", **terms)


def _recall_many(scene: Scene) -> None:
    request = RecallRequest(
        wallet_id=scene.target.id, lot_ids=[scene.lent().id], reference="called back", amount=30
    )
    transfers.recall_many(target=scene.wallet, requests=[request], source="test")


def _four_at_once(scene: Scene) -> None:
    cause = {"wallet_id": scene.wallet.id, "source": "test"}
    with transaction.atomic():
        post([ask.Charge(**cause, reference=f"batch:{n}", amount=n + 1) for n in range(4)])


def _with_a_key(scene: Scene) -> None:
    def effect() -> Answer:
        scene.post(ask.Charge, amount=3)
        return Answer(201, {})

    idempotency.run_once(scope=str(scene.wallet.id), key="k", digest=bytes(32), effect=effect)


def _make_a_budget(scene: Scene) -> None:
    """Make it, or find that it was made before."""
    with suppress(BudgetExists):
        create_budget(wallet=scene.wallet, monthly_limit=1000)


CASES: dict[str, Case] = {
    "grant": Case(lambda s: s.post(ask.Grant, kind="promotional", amount=7)),
    "charge": Case(lambda s: s.post(ask.Charge, amount=30)),
    "charge_within_budgets": Case(
        lambda s: s.post(ask.Charge, amount=30),
        prepare=lambda s: create_budget(wallet=s.wallet, monthly_limit=1000),
    ),
    "make_a_budget": Case(_make_a_budget),
    "charge_into_debt": Case(lambda s: s.post(ask.Charge, amount=200)),
    "charge_after_expiry": Case(lambda s: s.post(ask.Charge, amount=5), after=2 * DAY),
    "refund": Case(lambda s: s.post(ask.Refund, of="job", amount=22)),
    "refund_to_a_dead_lot": Case(
        lambda s: s.post(ask.Refund, of="job", is_our_fault=True), after=11 * DAY
    ),
    "expire": Case(lambda s: s.post(ask.Expire), after=2 * DAY),
    "hold": Case(lambda s: s.post(ask.PlaceHold, amount=30, ttl=HOUR)),
    "renew_hold": Case(lambda s: s.post(ask.RenewHold, "held", ttl=3 * HOUR)),
    "capture": Case(lambda s: s.post(ask.Capture, "held", amount=5)),
    "capture_and_overflow": Case(lambda s: s.post(ask.Capture, "flexible", amount=90)),
    "release": Case(lambda s: s.post(ask.Release, "held")),
    "void": Case(lambda s: s.post(ask.Void, lot_id=s.lot("purchase").id, amount=9)),
    "deduct": Case(lambda s: s.post(ask.Deduct, amount=40)),
    "transfer": Case(
        lambda s: s.post(ask.Transfer, target_id=s.target.id, amount=40, kind="partner")
    ),
    "recall": Case(
        lambda s: s.post(Recall, wallet=s.target, target_id=s.wallet.id, lots=(s.lent().id,)),
        prepare=_lend,
    ),
    "recall_after_its_date": Case(
        lambda s: s.post(Recall, wallet=s.target, target_id=s.wallet.id, lots=(s.lent().id,)),
        prepare=_lend,
        after=11 * DAY,
    ),
    "service_recall_many": Case(_recall_many, prepare=_lend),
    "change_expiry": Case(
        lambda s: s.post(
            ask.ChangeExpiry, lot_id=s.lot("purchase").id, expires_at=BEGINS + 90 * DAY
        )
    ),
    "renew_allowance": Case(
        lambda s: s.post(
            ask.RenewAllowance,
            amount=30,
            expires_at=BEGINS + 31 * DAY,
            ended_lot_id=s.lot("subscription").id,
            rollover_cap=10,
        ),
        after=2 * DAY,
    ),
    "freeze": Case(lambda s: s.post(ask.ChangeStatus, is_frozen=True)),
    "credit_line": Case(lambda s: s.post(ask.SetCreditLine, limit=70)),
    "batch": Case(_four_at_once),
    "service_transfer": Case(_transfer),
    "service_capture": Case(
        lambda s: holds.capture_hold(hold=s.hold("held"), amount=5, source="test")
    ),
    "service_freeze": Case(
        lambda s: wallets.change_status(wallet=s.wallet, reason="fraud", is_frozen=True)
    ),
    "service_credit_line": Case(
        lambda s: wallets.set_credit_line(wallet=s.wallet, limit=70, reason="contract")
    ),
    "sweep": Case(lambda s: sweep_expired_lots(limit=1), after=2 * DAY, skips_locked=True),
    "correction_posted": Case(lambda s: _request(s, 10)),
    "correction_requested": Case(lambda s: _request(s, MUCH)),
    "correction_approved": Case(_approve, prepare=_keep_for_another),
    "correction_rejected": Case(_reject, prepare=_keep_for_another),
    "with_an_idempotency_key": Case(_with_a_key, after=timedelta(0)),
}
