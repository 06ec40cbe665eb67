"""Two demos that start at the same moment."""

from embedded import ports
from embedded.keeper import free_port


def test_get_two_ports_where_both_want_the_same(monkeypatch):
    monkeypatch.setattr(ports, "_reserved", [])
    wanted = free_port()

    first, second = ports.reserve_port(wanted), ports.reserve_port(wanted)

    assert first == wanted
    assert second != wanted


def test_leave_their_ports_to_the_next(monkeypatch):
    wanted = free_port()
    monkeypatch.setattr(ports, "_reserved", [])
    ports.reserve_port(wanted)
    for lock in ports._reserved:
        lock.close()

    assert ports.reserve_port(wanted) == wanted
