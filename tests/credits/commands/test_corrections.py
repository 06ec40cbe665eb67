"""Corrections by staff: preview, limit, second person."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.utils import timezone

from apps.core import ids
from apps.core.clock import moved_to
from apps.credits.errors import (
    CorrectionDecided,
    CorrectionDiffers,
    InsufficientCredits,
    InvalidTerms,
    PreviewOutdated,
    SecondPersonNeeded,
)
from apps.credits.models import Correction, CreditTransaction, Wallet
from apps.credits.selectors.corrections import CORRECTION_LIMIT
from apps.credits.services.charges import charge_amount
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import (
    Why,
    approve_correction,
    preview_correction,
    reject_correction,
    request_correction,
)
from apps.tenants.models import AdminConfig, AuditLog
from tests.people import make_person

Action = Correction.Action
DAY = timedelta(days=1)


@pytest.fixture
def maker():
    return make_person(is_staff=True)


@pytest.fixture
def checker():
    return make_person(is_staff=True)


@pytest.fixture
def ask(wallet, maker):
    def ask(action=Action.GRANT, user=maker, terms=None, **fields):
        return request_correction(
            wallet=wallet,
            action=action,
            terms=terms or Terms(amount=50),
            why=Why(Correction.Reason.GOODWILL, "Sorry", "T-1"),
            user=user,
            **fields,
        )

    return ask


def balance(wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).balance


class TestBelowTheLimit:
    def test_is_posted_at_once_with_its_reason(self, wallet, ask):
        correction = ask()

        entry = CreditTransaction.objects.get(reference=correction.reference)
        assert (correction.status, entry.transaction_type, entry.amount) == (
            "posted",
            "adjusted",
            50,
        )
        assert entry.metadata == {"reason": "goodwill", "ticket": "T-1"}
        assert AuditLog.objects.get(action="correction.posted").object_id == correction.public_id

    @pytest.mark.parametrize(
        ("action", "terms", "left"),
        [
            (Action.DEDUCT, {"amount": 30}, 70),
            (Action.CHANGE_EXPIRY, {"lot": True, "expires_at": timezone.now() + DAY}, 100),
            (Action.GRANT, {"amount": 30, "kind": "promotional"}, 130),
        ],
    )
    def test_does_what_the_preview_showed(self, wallet, grant, ask, action, terms, left):
        lot = grant(100)
        has_lot = terms.pop("lot", False)
        terms = Terms(**terms, lot_id=lot.id if has_lot else None)
        shown = preview_correction(wallet=wallet, action=action, terms=terms)

        ask(action, terms=terms, preview_token=shown.token)

        assert (shown.balance_before, shown.balance_after, balance(wallet)) == (100, left, left)

    def test_refuses_what_the_preview_did_not_show(self, wallet, grant, ask):
        grant(100)
        terms = Terms(amount=30)
        shown = preview_correction(wallet=wallet, action=Action.DEDUCT, terms=terms)
        charge_amount(wallet=wallet, amount=1, reference="job:1", source="test")

        with pytest.raises(PreviewOutdated):
            ask(Action.DEDUCT, terms=terms, preview_token=shown.token)

        assert not Correction.objects.exists()

    def test_has_one_effect_when_the_form_is_sent_twice(self, wallet, ask):
        form = ids.new_id()

        assert ask(correction_id=form).pk == ask(correction_id=form).pk
        assert balance(wallet) == 50
        with pytest.raises(CorrectionDiffers):
            ask(correction_id=form, terms=Terms(amount=51))

    @pytest.mark.parametrize("action", [Action.GRANT, Action.DEDUCT, Action.VOID])
    def test_names_the_term_that_is_missing(self, ask, action):
        with pytest.raises(InvalidTerms):
            ask(action, terms=Terms())


class TestAboveTheLimit:
    @pytest.fixture
    def pending(self, ask):
        AdminConfig.objects.create(key=CORRECTION_LIMIT, value=40)
        return ask()

    def test_waits_for_a_second_person(self, wallet, pending):
        assert (pending.status, balance(wallet)) == ("pending", 0)

    def test_is_posted_when_he_approves(self, wallet, pending, checker):
        approve_correction(correction=pending, user=checker)

        pending.refresh_from_db()
        assert (pending.status, pending.decided_by, balance(wallet)) == ("posted", checker, 50)
        assert AuditLog.objects.filter(action="correction.approved").exists()

    def test_is_not_posted_when_he_rejects(self, wallet, pending, checker):
        reject_correction(correction=pending, user=checker, comment="No")

        with pytest.raises(CorrectionDecided):
            approve_correction(correction=pending, user=checker)
        assert balance(wallet) == 0

    def test_cannot_be_decided_by_who_asked(self, wallet, pending, maker):
        with pytest.raises(SecondPersonNeeded):
            approve_correction(correction=pending, user=maker)
        with pytest.raises(SecondPersonNeeded):
            reject_correction(correction=pending, user=maker, comment="")
        assert balance(wallet) == 0

    def test_cannot_be_decided_twice_or_late(self, wallet, ask, pending, checker):
        approve_correction(correction=pending, user=checker)
        with pytest.raises(CorrectionDecided):
            approve_correction(correction=pending, user=checker)
        late = ask()
        with moved_to(late.expires_at), pytest.raises(CorrectionDecided):
            approve_correction(correction=late, user=checker)
        assert balance(wallet) == 50

    def test_is_carried_out_on_the_wallet_as_it_is_then(self, wallet, grant, ask, checker):
        AdminConfig.objects.create(key=CORRECTION_LIMIT, value=40)
        grant(100)
        correction = ask(Action.DEDUCT, terms=Terms(amount=60))
        charge_amount(wallet=wallet, amount=50, reference="job:1", source="test")

        with pytest.raises(InsufficientCredits):
            approve_correction(correction=correction, user=checker)

        correction.refresh_from_db()
        assert (correction.status, balance(wallet)) == ("pending", 50)

    def test_is_needed_for_whatever_a_customer_bought(self, wallet, grant, ask):
        lot = grant(5)

        correction = ask(Action.VOID, terms=Terms(lot_id=lot.id))

        assert (correction.status, correction.amount, balance(wallet)) == ("pending", 5, 5)

    @pytest.mark.parametrize("value", ["many", {}, True])
    def test_means_the_default_where_the_setting_is_no_number(self, ask, value):
        AdminConfig.objects.create(key=CORRECTION_LIMIT, value=value)

        assert ask(terms=Terms(amount=10_000)).status == "posted"
        assert ask(terms=Terms(amount=10_001)).status == "pending"


class TestTheDatabase:
    @pytest.mark.parametrize(
        "wrong",
        [
            "decided_by_id = requested_by_id, status = 'posted'",
            "status = 'posted'",
            "decided_by_id = %(checker)s",
            "amount = 1",
            "terms = '{}'",
        ],
    )
    def test_refuses_a_decision_that_cannot_be(self, ask, checker, wrong):
        AdminConfig.objects.create(key=CORRECTION_LIMIT, value=40)
        ask()

        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE credits_correction SET {wrong}", {"checker": checker.pk})

    @pytest.mark.parametrize(
        "change",
        ["UPDATE credits_correction SET comment = 'x'", "DELETE FROM credits_correction"],
    )
    def test_keeps_what_was_decided(self, ask, change):
        ask()

        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change)
