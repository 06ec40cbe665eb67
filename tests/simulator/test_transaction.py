"""All of a transaction is kept, or nothing."""

import pytest

from simulator.__main__ import make_world
from simulator.core.errors import StripeError, invalid
from simulator.core.timers import TIMERS, advance, run_due


@pytest.fixture
def alone():
    """Give a world without a server."""
    return make_world()


@pytest.fixture
def made(alone):
    """Give the ids of two customers."""
    with alone.transaction() as tx:
        return [tx.new("customer", email=f"{name}@x.example")["id"] for name in "ab"]


def customers(world):
    return [row["id"] for row in world.store.kinds["customer"].newest()][::-1]


def fail_after(world, change):
    with pytest.raises(StripeError), world.transaction() as tx:
        change(tx)
        raise invalid("No.")


class TestAfterAnError:
    def test_what_was_changed_is_as_before(self, alone, made):
        before = alone.store.dump()

        def change(tx):
            row = tx.get("customer", made[0])
            row["email"] = "c@x.example"
            row["invoice_settings"] = {"footer": "changed"}
            assert [one["id"] for one in tx.where("customer", email="c@x.example")] == [made[0]]

        fail_after(alone, change)
        assert alone.store.dump() == before
        with alone.transaction() as tx:
            assert tx.where("customer", email="c@x.example") == []
            assert [one["id"] for one in tx.where("customer", email="a@x.example")] == [made[0]]

    def test_what_was_made_is_not_there(self, alone, made):
        fail_after(alone, lambda tx: tx.emit("customer.created", tx.new("customer")))
        assert customers(alone) == made
        assert alone.store.kinds["event"].rows == {}

    def test_what_was_removed_is_there_in_its_old_place(self, alone, made):
        def change(tx):
            row = tx.get("customer", made[0])
            row["email"] = "c@x.example"
            tx.remove(row)

        fail_after(alone, change)
        assert customers(alone) == made
        with alone.transaction() as tx:
            assert tx.find("_deleted", made[0]) is None
            assert tx.where("customer", email="a@x.example")

    def test_what_was_made_and_removed_leaves_nothing(self, alone, made):
        fail_after(alone, lambda tx: tx.remove(tx.new("customer")))
        assert customers(alone) == made

    def test_any_other_error_undoes_it_as_well(self, alone, made):
        with pytest.raises(ZeroDivisionError), alone.transaction() as tx:
            tx.new("customer")
            raise ZeroDivisionError
        assert customers(alone) == made

    def test_a_fact_is_kept(self, alone, made):
        with pytest.raises(StripeError), alone.transaction() as tx:
            tx.new("customer", id="cus_kept")
            raise StripeError(402, "card_error", "No.", keeps_effects=True)
        assert customers(alone) == [*made, "cus_kept"]


class TestEvents:
    def test_tell_what_was_before_the_last_one(self, alone, made):
        with alone.transaction() as tx:
            row = tx.get("customer", made[0])
            for name in ("first", "second"):
                row["name"] = name
                tx.emit("customer.updated", row)
        told = [alone.public(e)["data"] for e in alone.store.kinds["event"].newest()][::-1]
        assert [data["previous_attributes"] for data in told] == [{"name": None}, {"name": "first"}]
        assert told[0]["object"]["name"] == "first"

    def test_never_tell_what_is_ours(self, alone, made):
        with alone.transaction() as tx:
            row = tx.get("customer", made[0])
            row.update(_note="ours", name="N", address={"_note": "ours"})
            tx.emit("customer.updated", row)
        (event,) = alone.store.kinds["event"].rows.values()
        assert "ours" not in event["_data"]


class TestTimers:
    @pytest.fixture
    def ticks(self, monkeypatch):
        ticks = []
        monkeypatch.setitem(TIMERS, "tick", lambda tx, id_: ticks.append((id_, tx.now("clock_x"))))
        return ticks

    def test_see_their_own_time_in_order(self, alone, ticks):
        with alone.transaction() as tx:
            clock = tx.new("test_helpers.test_clock", id="clock_x", frozen_time=100)
            for due, id_ in ((160, "late"), (130, "early"), (999, "never")):
                tx.schedule(due, "tick", id_, "clock_x")
            tx.schedule(130, "tick", "of another clock", "clock_y")
            tx.schedule(131, "tick", "taken back", "clock_x")
            tx.unschedule("taken back")
            advance(tx, clock, 200)
            assert ticks == [("early", 130), ("late", 160)]
            assert clock["frozen_time"] == 200

    def test_that_fail_are_not_run_again_and_stop_no_others(self, alone, ticks, monkeypatch):
        def fail(tx, id_):
            tx.new("customer")
            raise ZeroDivisionError

        monkeypatch.setitem(TIMERS, "fail", fail)
        with alone.transaction() as tx:
            tx.schedule(tx.now() - 2, "fail", "x")
            tx.schedule(tx.now() - 1, "tick", "x")
        assert run_due(alone) == 2
        assert len(ticks) == 1
        assert customers(alone) == []
        assert run_due(alone) == 0

    def test_run_in_the_simulators_own_time(self, alone, ticks):
        with alone.transaction() as tx:
            tx.schedule(tx.now() + 100, "tick", "x")
        assert run_due(alone) == 0
        alone.shift += 100
        assert run_due(alone) == 1
        assert run_due(alone) == 0
        assert len(ticks) == 1
