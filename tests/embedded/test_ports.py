"""Two demos that start at the same moment."""

from embedded import ports
from embedded.ports import free_port


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


def test_do_not_get_the_port_of_a_server_that_is_about_to_listen(monkeypatch):
    monkeypatch.setattr(ports, "_reserved", [])
    offered = [first := free_port(), first, free_port()]
    monkeypatch.setattr(ports, "free_port", lambda wanted=0: offered.pop(0))

    assert ports.reserve_port(first) == first  # a demo's, before its web server listens
    assert ports.reserve_port() != first  # as PostgreSQL asks
