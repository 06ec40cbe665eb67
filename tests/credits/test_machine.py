"""The ledger and the model live through the same random lives."""

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from apps.core.clock import moved_to
from apps.core.invariants import all_invariants, verify
from apps.credits.ledger.posting import post
from apps.credits.models import Lot, Wallet
from tests.credits.machine import LedgerMachine, PlanMachine
from tests.people import make_organization

QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


class PostMachine(LedgerMachine):
    """Drives the whole ledger, PostgreSQL and its triggers included."""

    def open_wallet(self):
        organization = make_organization(name="Random")
        # A member's wallet, because the main one begins with a trial.
        self.wallet = Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)
        self.wallet_id = self.wallet.id

    def run(self, command):
        with moved_to(self.now), transaction.atomic():
            (outcome,) = post([command])
            with connection.cursor() as cursor:
                # What is asked at commit is asked now, or the test's transaction would hide it.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        return outcome

    def set_status(self, *, is_frozen):
        Wallet.objects.filter(pk=self.wallet_id).update(frozen_at=self.now if is_frozen else None)

    def balance(self):
        return Wallet.objects.get(pk=self.wallet_id).balance

    def remaining(self):
        lots = Lot.objects.filter(wallet=self.wallet_id, remaining__gt=0)
        return [(lot.kind, str(lot.expires_at), lot.remaining) for lot in lots]

    def teardown(self):
        ours = [one for one in all_invariants() if one.code.startswith("L")]
        assert [finding for finding in verify(ours) if finding.failures] == []


class TestTheRules:
    def test_agree_with_the_model(self):
        run_state_machine_as_test(
            PlanMachine,
            settings=settings(
                max_examples=60,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=QUIET,
                print_blob=True,
            ),
        )


@pytest.mark.slow
@pytest.mark.django_db
class TestTheLedger:
    def test_agrees_with_the_model(self):
        run_state_machine_as_test(
            PostMachine,
            settings=settings(
                max_examples=12,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=QUIET,
                print_blob=True,
            ),
        )
