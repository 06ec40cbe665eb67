"""Servers that live exactly as long as somebody uses them."""

import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from embedded.account import elsewhere
from embedded.keeper import STOP_SECONDS, attach, read_state, server_of
from embedded.ports import free_port

ROOT = Path(__file__).parents[2]
USER = """
import sys, time
from pathlib import Path
from embedded.keeper import attach
attachment = attach(sys.argv[1], Path(sys.argv[2]), is_careless=True)
print(attachment.port, flush=True)
time.sleep(60)
"""


def user_of(kind: str, home: Path, **options) -> subprocess.Popen[str]:
    """Start a process that uses the server, and wait until it has it."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, kind, str(home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )
    assert process.stdout.readline().strip().isdigit()
    return process


def wait_until_stopped(home: Path, kind: str) -> bool:
    deadline = time.monotonic() + 15
    while read_state(home, kind) and time.monotonic() < deadline:
        time.sleep(0.05)
    return read_state(home, kind) is None


def is_alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def can_run_python(uid: int) -> bool:
    try:
        probe = subprocess.run(
            [sys.executable, "-c", "import embedded, psycopg"],
            cwd=ROOT,
            user=uid,
            check=False,
            capture_output=True,
        )
    except PermissionError:
        return False
    return probe.returncode == 0


class TestAttach:
    def test_gives_a_postgresql_that_asks_for_its_password(self, tmp_path):
        attachment = attach("postgres", tmp_path, is_careless=True)

        with psycopg.connect(attachment.url()) as database:
            version = database.execute("SHOW server_version").fetchone()[0]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(attachment.url().replace("coffer:", "coffer:wrong"))

        attachment.close()
        assert version.startswith("18")
        assert wait_until_stopped(tmp_path, "postgres")

    def test_gives_a_valkey_that_asks_for_its_password(self, tmp_path):
        attachment = attach("valkey", tmp_path, is_careless=True)

        assert redis.Redis.from_url(attachment.url()).ping()
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=attachment.port).ping()

        attachment.close()
        assert wait_until_stopped(tmp_path, "valkey")

    @pytest.mark.parametrize("kind", ["postgres", "valkey"])
    def test_shares_one_server_and_survives_the_death_of_a_user(self, tmp_path, kind):
        first, second = user_of(kind, tmp_path), user_of(kind, tmp_path)
        server = read_state(tmp_path, kind)["pid"]

        first.kill()
        first.wait()
        time.sleep(0.6)
        assert is_alive(server)
        second.kill()
        second.wait()

        assert wait_until_stopped(tmp_path, kind)
        assert not is_alive(server)

    @pytest.mark.parametrize("kind", ["postgres", "valkey"])
    def test_starts_anew_after_the_keeper_was_killed(self, tmp_path, kind):
        user = user_of(kind, tmp_path)
        before = read_state(tmp_path, kind)
        os.kill(before["keeper"], signal.SIGKILL)
        assert wait_until_stopped(tmp_path, kind)  # a signal takes a moment to arrive

        attachment = attach(kind, tmp_path, is_careless=True)

        assert attachment.pid != before["pid"]
        assert not is_alive(before["pid"])
        user.kill()
        user.wait()
        attachment.close()
        assert wait_until_stopped(tmp_path, kind)

    def test_finds_its_data_again(self, tmp_path):
        attachment = attach("postgres", tmp_path)
        with psycopg.connect(attachment.url()) as database:
            database.execute("CREATE TABLE kept AS SELECT 7 AS number")
        attachment.close()
        assert wait_until_stopped(tmp_path, "postgres")

        attachment = attach("postgres", tmp_path)

        with psycopg.connect(attachment.url()) as database:
            assert database.execute("SELECT number FROM kept").fetchone() == (7,)
        attachment.close()
        assert wait_until_stopped(tmp_path, "postgres")

    def test_is_not_confused_by_the_pid_of_a_server_long_gone(self, tmp_path):
        attachment = attach("postgres", tmp_path, is_careless=True)
        data = attachment.server.data
        attachment.close()
        assert wait_until_stopped(tmp_path, "postgres")
        (data / "postmaster.pid").write_text("999999\n/nowhere\n0\n1\n\n\n")

        attachment = attach("postgres", tmp_path, is_careless=True)

        with psycopg.connect(attachment.url()) as database:
            assert database.execute("SELECT 1").fetchone() == (1,)
        attachment.close()
        assert wait_until_stopped(tmp_path, "postgres")

    @pytest.mark.parametrize(
        ("kind", "pid_file"), [("postgres", "postmaster.pid"), ("valkey", "valkey.pid")]
    )
    def test_leaves_an_innocent_process_alone_that_got_the_pid(self, tmp_path, kind, pid_file):
        server, innocent = server_with_stale_pid(tmp_path, kind, pid_file)

        began = time.monotonic()
        attachment = attach(kind, tmp_path, is_careless=True)
        seconds = time.monotonic() - began

        assert innocent.poll() is None
        assert seconds < STOP_SECONDS / 2  # it did not wait for the innocent one to end
        assert int((server.data / pid_file).read_text().split()[0]) == attachment.pid
        innocent.kill()
        innocent.wait()
        attachment.close()
        assert wait_until_stopped(tmp_path, kind)

    @pytest.mark.parametrize("kind", ["postgres", "valkey"])
    def test_stops_a_server_that_outlived_its_keeper(self, tmp_path, kind):
        server = server_of(kind, tmp_path, is_careless=True)
        server.prepare()
        port = free_port()
        orphan = subprocess.Popen(
            server.command(port), cwd="/", **server.account.process_options, stdout=2
        )
        while not server.is_ready(port):
            time.sleep(0.02)

        attachment = attach(kind, tmp_path, is_careless=True)

        assert orphan.wait(1) == 0
        assert attachment.pid != orphan.pid
        attachment.close()
        assert wait_until_stopped(tmp_path, kind)


def server_with_stale_pid(home: Path, kind: str, pid_file: str):
    """Return a stopped server, and a process of its account that has the pid in its file."""
    attachment = attach(kind, home, is_careless=True)
    server = attachment.server
    attachment.close()
    assert wait_until_stopped(home, kind)
    innocent = subprocess.Popen(["sleep", "60"], cwd="/", **server.account.process_options)
    (server.data / pid_file).write_text(f"{innocent.pid}\n{server.data}\n0\n1\n\n\n")
    return server, innocent


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
class TestAccounts:
    def test_lays_data_where_the_server_can_enter(self, tmp_path):
        hidden = tmp_path / "hidden"
        hidden.mkdir(mode=0o700)

        attachment = attach("postgres", hidden / "home", is_careless=True)

        assert attachment.server.data.is_relative_to(elsewhere(hidden / "home"))
        assert hidden.stat().st_mode & 0o777 == 0o700
        attachment.close()
        assert wait_until_stopped(hidden / "home", "postgres")
        subprocess.run(["rm", "-rf", str(elsewhere(hidden / "home"))], check=True)

    def test_works_for_an_ordinary_user(self, tmp_path):
        nobody = pwd.getpwnam("nobody")
        home = Path(f"/var/tmp/coffer-test-{os.getpid()}")
        home.mkdir()
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        if not can_run_python(nobody.pw_uid):
            home.rmdir()
            pytest.skip("nobody cannot enter this checkout or its Python")

        user = user_of("postgres", home, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])

        assert read_state(home, "postgres")
        user.kill()
        user.wait()
        assert wait_until_stopped(home, "postgres")
        subprocess.run(["rm", "-rf", str(home)], check=True)
