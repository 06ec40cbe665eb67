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

    def open_wallets(self):
        organization = make_organization(name="Random")
        # Members' wallets, because the main one begins with a trial.
        opened = [
            Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)
            for _ in range(2)
        ]
        return [wallet.id for wallet in opened]

    def run(self, commands):
        with moved_to(self.now), transaction.atomic():
            outcomes = post(commands)
            with connection.cursor() as cursor:
                # What is asked at commit is asked now, or the test's transaction would hide it.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        return outcomes

    def totals(self, which):
        wallet = Wallet.objects.get(pk=self.wallet_ids[which])
        return wallet.balance, wallet.held

    def remaining(self, which):
        lots = Lot.objects.filter(wallet=self.wallet_ids[which], has_credits=True)
        return [(lot.kind, str(lot.expires_at), lot.remaining) for lot in lots]

    def lot_ids(self, which):
        lots = Lot.objects.filter(wallet=self.wallet_ids[which])
        return list(lots.values_list("origin", "id"))

    def teardown(self):
        super().teardown()
        # L18 asks the true clock, and nobody sweeps what returns here.
        ours = [one for one in all_invariants() if one.code.startswith("L") and one.code != "L18"]
        assert [finding for finding in verify(ours) if finding.failures] == []


def live(machine: type[LedgerMachine], *, lives: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=QUIET,
            print_blob=True,
        ),
    )


class TestTheRules:
    def test_agree_with_the_model(self):
        live(PlanMachine, lives=100, steps=50)


@pytest.mark.slow
@pytest.mark.django_db
class TestTheLedger:
    def test_agrees_with_the_model(self):
        live(PostMachine, lives=12, steps=40)
