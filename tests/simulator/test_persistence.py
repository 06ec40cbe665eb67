"""The state file: what is in it at any moment, a disk that is full, and who is told again."""

import json
import threading
import time
from contextlib import contextmanager

import pytest
import stripe

from simulator.__main__ import make_world
from simulator.core.persistence import Keeper, dump, restore
from tests.simulator.receiver import receiving


@pytest.fixture
def alone():
    """Give a world without a server."""
    return make_world()


def change(world):
    with world.transaction() as tx:
        tx.new("customer")


@contextmanager
def told_to_one_of_two(client, world):
    """Tell an event to two endpoints of which one refuses it; give the other and both their ids."""
    with receiving() as good, receiving() as bad:
        bad.statuses = [500]
        endpoints = [
            client.v1.webhook_endpoints.create({"url": one.url, "enabled_events": ["*"]}).id
            for one in (good, bad)
        ]
        client.v1.customers.create({})
        good.wait(1)
        bad.wait(1)
        assert world.deliveries.wait_until_idle(30)
        yield good, endpoints


class TestKeys:
    def test_nobody_can_write_between_an_effect_and_its_key(self, client, world, monkeypatch):
        keep, could_look = world.keys.keep, []

        def look():
            if is_free := world.lock.acquire(blocking=False):
                world.lock.release()
            could_look.append(is_free)

        def watched(*answer):
            other = threading.Thread(target=look)
            other.start()
            other.join()
            keep(*answer)

        monkeypatch.setattr(world.keys, "keep", watched)
        client.v1.customers.create({}, {"idempotency_key": "k"})
        assert could_look == [False]

    def test_of_what_was_refused_are_written_too(self, client, world, tmp_path):
        clocks = client.v1.test_helpers.test_clocks
        clock = clocks.create({"frozen_time": 1_700_000_000})
        keeper = Keeper(world, tmp_path / "state.json")
        with pytest.raises(stripe.InvalidRequestError):
            clocks.advance(clock.id, {"frozen_time": 5}, {"idempotency_key": "k"})
        assert keeper.write()
        answers = json.loads(keeper.file.read_text())["answers"]
        assert "k" in [answer[1] for answer in answers]


class TestTheKeeper:
    def test_what_could_not_be_written_is_written_when_there_is_room(self, alone, tmp_path, caplog):
        keeper = Keeper(alone, tmp_path / "later" / "state.json")
        change(alone)
        assert not keeper.write()
        assert "cannot be written" in caplog.text
        keeper.file.parent.mkdir()
        assert keeper.stop()
        assert len(json.loads(keeper.file.read_text())["objects"]["customer"]) == 1

    def test_writes_for_the_last_time_when_nobody_else_writes(self, alone, tmp_path):
        done = []

        class Slow(Keeper):
            def run(self):
                self._ended.wait()
                time.sleep(0.1)
                done.append("its own last")

            def write(self):
                done.append("the very last")
                return True

        keeper = Slow(alone, tmp_path / "state.json")
        keeper.start()
        keeper.stop()
        assert done == ["its own last", "the very last"]


class TestEventsAfterARestart:
    @pytest.mark.parametrize(("back_off", "is_told_again"), [((3600.0,), True), ((), False)])
    def test_are_told_to_those_who_still_wait(
        self, client, world, monkeypatch, back_off, is_told_again
    ):
        monkeypatch.setattr(world.deliveries, "back_off", back_off)
        with told_to_one_of_two(client, world) as (_, endpoints):
            pass
        event = client.v1.events.list().data[0]
        assert event.pending_webhooks == 1
        other = make_world()
        restore(other, json.loads(json.dumps(dump(world))))
        planned = [(event_id, endpoint) for _, _, event_id, endpoint, _ in other.deliveries._plan]
        assert planned == ([(event.id, endpoints[1])] if is_told_again else [])

    def test_are_not_told_if_chaos_has_lost_them(self, client, world):
        made = client.v1.webhook_endpoints.create(
            {"url": "http://127.0.0.1:1/", "enabled_events": ["*"]}
        )
        client.raw_request("post", "/_sim/chaos", effect="lose")
        client.v1.customers.create({})
        event = world.store.kinds["event"].rows[client.v1.events.list().data[0].id]
        assert (event["pending_webhooks"], event["_unheard"]) == (1, {made.id: False})

    def test_that_come_twice_count_once(self, client, world, monkeypatch):
        monkeypatch.setattr(world.deliveries, "back_off", (3600.0,))
        with told_to_one_of_two(client, world) as (good, endpoints):
            event = client.v1.events.list().data[0]
            path = f"/_sim/events/{event.id}/resend"
            client.raw_request("post", path, endpoint=endpoints[0])
            good.wait(2)
            assert world.deliveries.wait_until_idle(30)
        assert client.v1.events.list().data[0].pending_webhooks == 1
