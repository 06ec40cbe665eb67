"""Rules 4.6, sentence by sentence, as an API client meets them."""

import json
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from rest_framework import exceptions

from apps.core import api, idempotency
from apps.core.errors import Busy, DomainError, PermissionDenied
from apps.core.models import IdempotencyKey
from apps.credits import selectors as credits_selectors
from apps.credits.errors import InsufficientCredits, InvalidAmount, WalletFrozen
from apps.credits.models import CreditTransaction, Wallet
from apps.credits.services.charges import charge_event
from apps.jobs.models import GenerationJob
from apps.jobs.services import submission
from apps.jobs.services.changing import cancel_job
from config.celery import app as celery
from tests.jobs.work import OPERATION, available, make_upload, set_price
from tests.people import make_key, make_member, make_organization, with_key
from tests.problem_documents import problem_of
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "/api/v1/jobs"
COST = 5


class Caller:
    """A developer with an API key and a picture, in an organization of his own."""

    def __init__(self, organization=None, person=None):
        self.organization = organization or make_organization()
        self.person = person or make_member(self.organization, "developer")
        self.client = with_key(
            make_key(self.organization, self.person, "jobs:read", "jobs:write")[1]
        )
        self.upload = make_upload(self.organization, self.person)

    def body(self, **changes):
        body = {"operation": OPERATION, "parameters": {"style": "dusk"}}
        return {**body, "upload_id": self.upload.public_id, **changes}

    def send(self, key='"key-1"', address=JOBS, body=None):
        """Send a body, or a text as it stands."""
        body = self.body() if body is None else body
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.client.post(address, text, content_type="application/json", headers=headers)

    @property
    def spent(self):
        return 100 - available(self.organization)


@pytest.fixture
def caller():
    set_price(COST)
    return Caller()


class TestTheHeader:
    def test_is_required(self, caller):
        for address in (JOBS, f"{JOBS}/{caller.send().json()['id']}/cancel"):
            problem_of(caller.send(None, address), 400, "idempotency_key_required")

        assert caller.spent == COST

    def test_is_accepted_quoted_and_bare_as_one_key(self, caller):
        quoted, bare = caller.send('"key-1"'), caller.send("key-1")

        assert bare["Idempotent-Replayed"] == "true"
        assert bare.json() == quoted.json()

    def test_holds_up_to_255_characters(self, caller):
        assert caller.send("k" * 255).status_code == 201
        assert caller.send(f'"{"q" * 255}"').status_code == 201
        problem_of(caller.send("k" * 256), 400, "idempotency_key_required")
        problem_of(caller.send(f'"{"q" * 256}"'), 400, "idempotency_key_required")

    @pytest.mark.parametrize(
        ("header", "key"),
        [('"a\\"b"', 'a"b'), ('"a\\\\b"', "a\\b"), ('"two words"', "two words"), ("a\\b", "a\\b")],
    )
    def test_is_read_as_a_structured_field(self, header, key):
        assert idempotency.read_key(header) == key

    @pytest.mark.parametrize("header", ['"abc', '"', '"a"b"', '"abc";v=1', '"a\\b"', "two words"])
    def test_is_refused_when_malformed(self, caller, header):
        problem_of(caller.send(header), 400, "idempotency_key_required")

        assert caller.spent == 0


class TestTheScope:
    def test_keeps_organizations_apart(self, caller):
        other = Caller()

        assert {caller.send().status_code, other.send().status_code} == {201}
        assert (caller.spent, other.spent) == (COST, COST)

    def test_keeps_principals_apart(self, caller):
        colleague = Caller(caller.organization)
        second_key = Caller(caller.organization, caller.person)

        ids = {one.send().json()["id"] for one in (caller, colleague, second_key)}

        assert len(ids) == 3
        assert caller.spent == 3 * COST

    def test_keeps_routes_apart(self, caller):
        job = caller.send().json()

        cancelled = caller.send(address=f"{JOBS}/{job['id']}/cancel", body={})

        assert (cancelled.status_code, caller.spent) == (200, 0)
        assert "Idempotent-Replayed" not in cancelled


class TestTheDigest:
    @pytest.mark.parametrize(
        "changes", [{"parameters": {"style": "meadow"}}, {"note": "more"}, {"upload_id": ""}]
    )
    def test_refuses_another_body_with_422(self, caller, changes, monkeypatch):
        monkeypatch.setattr("apps.jobs.api.views.validated", lambda _, data: dict(data))
        caller.send()

        answer = caller.send(body=caller.body(**changes))

        problem_of(answer, 422, "idempotency_key_reused")
        assert caller.spent == COST

    def test_refuses_another_object_with_422(self, caller):
        first, second = caller.send("a").json(), caller.send("b").json()
        caller.send("c", f"{JOBS}/{first['id']}/cancel", {})

        problem_of(caller.send("c", f"{JOBS}/{second['id']}/cancel", {}), 422)

        assert caller.spent == COST

    def test_does_not_ask_how_the_body_was_written(self, caller):
        first = caller.send()
        body = caller.body()
        text = json.dumps(dict(reversed(body.items())), indent=4).replace("dusk", "d\\u0075sk")

        again = caller.send(body=text)

        assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")

    def test_refuses_another_query_with_422(self, caller):
        caller.send()

        problem_of(caller.send(address=f"{JOBS}?fast=1"), 422, "idempotency_key_reused")

    def test_covers_the_api_version(self, caller, monkeypatch):
        caller.send()
        monkeypatch.setattr(api, "API_VERSION", "v2")

        problem_of(caller.send(), 422, "idempotency_key_reused")

    def test_writes_whole_numbers_in_one_way(self):
        assert api.canonical({"a": [1.0, 1.5, True, None, 10**20]}) == {
            "a": [1, 1.5, True, None, 10**20]
        }
        assert api.canonical(True) is True


class TestTheAnswer:
    def test_is_replayed_with_status_body_and_the_headers_that_matter(self, caller):
        first, second = caller.send(), caller.send()

        assert "Idempotent-Replayed" not in first
        assert second["Idempotent-Replayed"] == "true"
        assert (second.status_code, second.content) == (first.status_code, first.content)
        for header in ("Location", "Content-Type"):
            assert second[header] == first[header]
        assert second["X-Request-ID"] != first["X-Request-ID"]  # each request has its own

    def test_is_stored_in_the_transaction_of_the_effect(self, caller, monkeypatch):
        """A crash between effect and answer leaves neither."""

        def crash(*_):
            raise RuntimeError("between effect and answer")

        caller.client.raise_request_exception = False
        with monkeypatch.context() as broken:
            broken.setattr(idempotency, "_store", crash)
            problem_of(caller.send(), 500, "internal_error")
        assert (caller.spent, GenerationJob.objects.count()) == (0, 0)

        assert caller.send().status_code == 201
        assert caller.spent == COST

    def test_is_found_again_by_whoever_lost_it_on_the_way(self, caller, monkeypatch):
        """A crash after commit, before the answer is sent."""

        def crash(*_, **__):
            raise RuntimeError("after commit")

        caller.client.raise_request_exception = False
        with monkeypatch.context() as broken:
            broken.setattr(api, "Response", crash)
            problem_of(caller.send(), 500, "internal_error")
        assert caller.spent == COST

        assert caller.send()["Idempotent-Replayed"] == "true"
        assert caller.spent == COST

    def test_is_undone_with_a_connection_that_breaks_before_commit(self, caller, monkeypatch):
        store = idempotency._store

        def lose_the_connection(*args):
            store(*args)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

        caller.client.raise_request_exception = False
        with monkeypatch.context() as broken:
            broken.setattr(idempotency, "_store", lose_the_connection)
            problem_of(caller.send(), 500, "internal_error")

        assert (caller.spent, GenerationJob.objects.count()) == (0, 0)
        assert caller.send().status_code == 201

    def test_is_replayed_even_when_the_wallet_is_frozen(self, caller):
        first = caller.send()
        Wallet.objects.filter(organization=caller.organization).update(frozen_at=Now())

        assert caller.send().json() == first.json()
        problem_of(caller.send("key-2"), 409, "wallet_frozen")


class TestNotStored:
    @pytest.mark.parametrize(
        ("refusal", "status"),
        [
            (InvalidAmount(amount=0, largest=1), 400),
            (exceptions.NotAuthenticated(), 401),
            (InsufficientCredits(required=2, available=1, held=0), 402),
            (PermissionDenied(permission="jobs.submit"), 403),
            (WalletFrozen(), 409),
            (exceptions.Throttled(wait=3), 429),
            (RuntimeError("broken"), 500),
            (Busy(retry_after=1), 503),
        ],
        ids=lambda value: str(value) if isinstance(value, int) else "",
    )
    def test_is_what_was_refused_or_failed(self, caller, monkeypatch, refusal, status):
        def refuse(**_):
            raise refusal

        caller.client.raise_request_exception = False
        with monkeypatch.context() as broken:
            broken.setattr(submission, "submit_job", refuse)
            problem_of(caller.send(), status)

        assert not IdempotencyKey.objects.exists()
        again = caller.send()
        assert (again.status_code, "Idempotent-Replayed" in again) == (201, False)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
    def test_can_not_be_an_answer(self, status):
        with pytest.raises(ValueError, match="raises its refusal"):
            idempotency.Answer(status, {})


class TestAtOnce:
    def test_fifty_equal_requests_have_one_effect(self, caller):
        answers = at_once([caller.send] * 50)

        said = Counter(
            (answer.status_code, answer.headers.get("Idempotent-Replayed")) for answer in answers
        )
        assert said.keys() <= {(201, None), (201, "true"), (409, None)}
        assert said[201, None] == 1
        assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
        assert (caller.spent, GenerationJob.objects.count()) == (COST, 1)

    def test_a_twin_in_flight_is_told_when_to_ask_again(self, caller, monkeypatch):
        submit, seen = submission.submit_job, []

        def ask_meanwhile(**fields):
            with monkeypatch.context() as patch:
                patch.setattr(submission, "submit_job", submit)
                seen.extend(at_once([caller.send]))
            return submit(**fields)

        monkeypatch.setattr(submission, "submit_job", ask_meanwhile)
        first = caller.send()

        problem_of(seen[0], 409, "idempotency_in_progress")
        assert 1 <= int(seen[0]["Retry-After"]) <= 5
        assert (first.status_code, caller.spent) == (201, COST)

    def test_many_take_over_a_dead_claim_and_one_has_it(self, caller):
        leave_claim(caller, seconds=-1)

        statuses = Counter(answer.status_code for answer in at_once([caller.send] * 12))

        assert statuses.keys() <= {201, 409}
        assert (caller.spent, GenerationJob.objects.count()) == (COST, 1)

    def test_a_living_claim_is_left_alone(self, caller):
        leave_claim(caller, seconds=30)

        answer = caller.send()

        problem_of(answer, 409, "idempotency_in_progress")
        assert answer["Retry-After"] == "5"
        assert caller.spent == 0


class TestNeverFailsOpen:
    def test_refuses_while_keys_cannot_be_kept(self, caller):
        caller.client.raise_request_exception = False
        rename("core_idempotencykey", "away")
        try:
            problem_of(caller.send(), 500, "internal_error")
        finally:
            rename("away", "core_idempotencykey")

        assert (caller.spent, GenerationJob.objects.count()) == (0, 0)

    def test_has_no_effect_when_the_answer_cannot_be_kept(self, caller, monkeypatch):
        monkeypatch.setattr("apps.jobs.api.serializers.JobOut.data", {"id": object()})
        caller.client.raise_request_exception = False

        problem_of(caller.send(), 500, "internal_error")

        assert (caller.spent, GenerationJob.objects.count()) == (0, 0)


class TestAfterThreeDays:
    def test_the_clock_prunes_answers(self):
        scheduled = {entry["task"] for entry in celery.conf.beat_schedule.values()}

        assert "core.prune_idempotency_keys" in scheduled

    def test_a_repeat_is_not_carried_out_again(self, caller):
        job = caller.send().json()
        age(hours=73)
        celery.tasks["core.prune_idempotency_keys"]()

        problem = problem_of(caller.send(), 409, "idempotency_key_spent")

        assert problem["location"] == f"{JOBS}/{job['id']}"
        assert (caller.spent, GenerationJob.objects.count()) == (COST, 1)

    def test_an_answer_younger_than_that_is_replayed(self, caller):
        caller.send()
        age(hours=71)
        idempotency.prune_answers()

        assert caller.send()["Idempotent-Replayed"] == "true"

    def test_an_answer_is_as_old_as_itself_and_not_as_the_claim_before_it(self, caller):
        leave_claim(caller, seconds=-1)
        age(hours=80)
        caller.send()
        idempotency.prune_answers()

        assert caller.send()["Idempotent-Replayed"] == "true"

    def test_a_claim_that_never_came_to_anything_is_forgotten(self, caller):
        leave_claim(caller, seconds=-1)
        idempotency.prune_answers()
        assert IdempotencyKey.objects.count() == 1

        age(hours=73)
        idempotency.prune_answers()
        assert not IdempotencyKey.objects.exists()

    def test_the_ledgers_own_key_stays_for_ever(self, caller):
        """Not even without any row about the request is a cause charged twice."""
        wallet = credits_selectors.main_wallet(caller.organization)

        def spend():
            outcome = charge_event(
                wallet=wallet, event=OPERATION, reference="api:key-1", source="api"
            )
            (entry,) = outcome.entries
            body = {"id": str(entry.id), "is_replayed": outcome.is_replayed}
            return idempotency.Answer(201, body)

        first = run(spend)
        IdempotencyKey.objects.all().delete()
        second = run(spend)

        assert second.body == {"id": first.body["id"], "is_replayed": True}
        assert CreditTransaction.objects.filter(reference="api:key-1").count() == 1
        with pytest.raises(DomainError) as refusal, transaction.atomic():
            charge_event(
                wallet=wallet, event=OPERATION, reference="api:key-1", source="api", quantity=2
            )
        assert refusal.value.code == "reference_reused"

    def test_a_claim_that_is_taken_over_finds_the_ledgers_own_key(self, caller):
        """The first one charged on a way of its own, and died before it could answer."""
        wallet = credits_selectors.main_wallet(caller.organization)
        charge = {"wallet": wallet, "event": OPERATION, "reference": "api:key-1", "source": "api"}
        charge_event(**charge)
        IdempotencyKey.objects.create(
            scope="s", key="k", digest=b"d" * 32, locked_until=Now() - timedelta(seconds=1)
        )

        answer = run(lambda: idempotency.Answer(200, charge_event(**charge).is_replayed))

        assert answer.body is True
        assert caller.spent == COST


def run(effect):
    return idempotency.run_once(scope="s", key="k", digest=b"d" * 32, effect=effect)


def leave_claim(caller, *, seconds):
    """Leave what a process leaves that died before it answered, with so long a lease."""
    caller.send()
    kept = IdempotencyKey.objects.get()
    scope, key, digest = kept.scope, kept.key, bytes(kept.digest)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_idempotencykey")
    IdempotencyKey.objects.create(
        scope=scope,
        key=key,
        digest=digest,
        claim=uuid4(),
        locked_until=Now() + timedelta(seconds=seconds),
    )
    # The first request was only sent for its digest: take its effect back.
    cancel_job(job=GenerationJob.objects.get())
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE jobs_generationjob CASCADE")


def age(*, hours):
    IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=hours))


def rename(old, new):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")
