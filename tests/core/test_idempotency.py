"""Requests that may be repeated."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from apps.core import idempotency
from apps.core.clock import database_now
from apps.core.errors import (
    DomainError,
    IdempotencyInProgress,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    IdempotencyKeySpent,
    NotFound,
)
from apps.core.idempotency import Answer
from apps.core.models import IdempotencyKey
from apps.tenants.models import AdminConfig
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DIGEST = b"d" * 32


def run(effect, *, key="key-1", scope="org:person:POST:jobs", digest=DIGEST) -> Answer:
    return idempotency.run_once(scope=scope, key=key, digest=digest, effect=effect)


def write_down(name: str = "effect") -> Answer:
    """An effect that can be counted."""
    number = AdminConfig.objects.count() + 1
    AdminConfig.objects.create(key=f"{name}-{number}", value=number)
    return Answer(201, {"number": number}, {"Location": f"/{number}"})


def effects() -> int:
    return AdminConfig.objects.count()


def refuse() -> Answer:
    write_down()
    raise NotFound


class TestReadKey:
    @pytest.mark.parametrize(
        ("header", "key"), [("abc", "abc"), ('"abc"', "abc"), (" abc ", "abc"), ("a" * 255,) * 2]
    )
    def test_takes_it_with_quotes_or_without(self, header, key):
        assert idempotency.read_key(header) == key

    @pytest.mark.parametrize("header", [None, "", '""', "a" * 256, "two words", "käse", "a\x00b"])
    def test_refuses_what_is_no_key(self, header):
        with pytest.raises(IdempotencyKeyRequired):
            idempotency.read_key(header)


class TestRunOnce:
    def test_gives_the_first_answer_again(self):
        first, second = run(write_down), run(write_down)

        assert (second.status, second.body, second.headers) == (201, {"number": 1}, first.headers)
        assert (first.is_replayed, second.is_replayed, effects()) == (False, True, 1)

    def test_refuses_another_body_under_the_same_key(self):
        run(write_down)

        with pytest.raises(IdempotencyKeyReused):
            run(write_down, digest=b"e" * 32)

        assert effects() == 1

    def test_keeps_the_keys_of_different_askers_apart(self):
        run(write_down)
        run(write_down, scope="org:other:POST:jobs")

        assert effects() == 2

    def test_keeps_nothing_of_a_refusal(self):
        with pytest.raises(NotFound):
            run(refuse)
        assert (effects(), IdempotencyKey.objects.count()) == (0, 0)

        assert run(write_down).is_replayed is False

    def test_tells_a_twin_to_wait(self):
        seen: list[DomainError] = []

        def ask_meanwhile() -> Answer:
            def twin() -> None:
                try:
                    run(write_down)
                except DomainError as error:
                    seen.append(error)

            at_once([twin])
            return write_down()

        run(ask_meanwhile)

        assert [type(error) for error in seen] == [IdempotencyInProgress]
        assert 1 <= seen[0].details["retry_after"] <= 5
        assert effects() == 1

    def test_takes_a_claim_over_when_its_lease_has_run_out(self):
        claim_without_answer(locked_until=database_now() - timedelta(seconds=1))

        assert run(write_down).is_replayed is False

    def test_leaves_a_claim_alone_while_its_lease_lasts(self):
        claim_without_answer(locked_until=database_now() + timedelta(seconds=30))

        with pytest.raises(IdempotencyInProgress):
            run(write_down)

        assert effects() == 0

    def test_undoes_the_effect_of_whoever_lost_his_claim(self):
        def be_overtaken() -> Answer:
            answer = write_down()

            def take_over() -> None:
                IdempotencyKey.objects.update(locked_until=Now() - timedelta(seconds=1))
                run(lambda: write_down("other"))

            at_once([take_over])
            return answer

        with pytest.raises(IdempotencyInProgress):
            run(be_overtaken)

        assert list(AdminConfig.objects.values_list("key", flat=True)) == ["other-1"]
        assert run(write_down).body == {"number": 1}

    def test_has_one_effect_for_many_at_once(self):
        def send() -> str:
            try:
                return "replayed" if run(write_down).is_replayed else "done"
            except IdempotencyInProgress:
                return "wait"

        said = at_once([send] * 20)

        assert said.count("done") == 1
        assert effects() == 1

    def test_refuses_to_run_inside_a_transaction(self):
        with transaction.atomic(), pytest.raises(RuntimeError, match="must not run in"):
            run(write_down)


class TestPruneAnswers:
    def test_forgets_the_answer_and_never_the_key(self):
        run(write_down)
        IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=73))

        assert idempotency.prune_answers() == 1

        with pytest.raises(IdempotencyKeySpent) as refusal:
            run(write_down)
        assert refusal.value.details["location"] == "/1"
        assert effects() == 1

    def test_leaves_young_answers_alone(self):
        run(write_down)
        IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=71))

        assert idempotency.prune_answers() == 0
        assert run(write_down).is_replayed


def claim_without_answer(*, locked_until) -> None:
    """What a process leaves that died between its claim and its answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT gen_random_uuid()")
        (claim,) = cursor.fetchone()
    IdempotencyKey.objects.create(
        scope="org:person:POST:jobs",
        key="key-1",
        digest=DIGEST,
        claim=claim,
        locked_until=locked_until,
    )
