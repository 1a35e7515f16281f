"""PostgreSQL and Valkey of one machine: real servers in folders of their own, really killed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from footprint.configuration import CHECKOUT
from footprint.embedded import EmbeddedError, Hold, Home, launch, postgres
from footprint.processes import Process
from tests.house import Processes, Started, wait_until

# Says that the servers are up, then holds them until its standard input ends or it is killed.
HOLDER = """
import sys
from pathlib import Path
from footprint.embedded import Hold, Home
with Hold(Home(Path(sys.argv[1])), durable="durable" in sys.argv):
    print("holding", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "data")
    yield home
    end_servers(home)


def end_servers(home: Home) -> None:
    for process in server_processes(home).values():
        process.signal(signal.SIGKILL)
        process.wait(30)


def server_processes(home: Home) -> dict[str, Process]:
    """The servers of a data directory, by the name of their pid file."""
    found = {}
    for path in (home.data_dir / "postgres" / "postmaster.pid", home.data_dir / "valkey" / "valkey.pid"):
        if path.exists():
            process = Process.of(int(path.read_text().split()[0]))
            if process is not None:
                found[path.name] = process
    return found


def hold(home: Home, *, durable: bool = False) -> Hold:
    return Hold(home, durable=durable)


def database_answers(home: Home) -> bool:
    with home.connect("footprint") as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def holder(home: Home, *how: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home.data_dir), *how],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"holding\n"
    return process


def end(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGKILL) -> None:
    process.send_signal(number)
    process.wait(30)
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()


def test_both_servers_answer_while_held_and_are_gone_afterwards(home):
    with hold(home):
        assert database_answers(home)
        servers = server_processes(home)
        assert set(servers) == {"postmaster.pid", "valkey.pid"}
    assert not any(server.is_alive() for server in servers.values())
    assert not home.run_dir.exists()


def test_what_was_written_is_there_the_next_time(home):
    with hold(home), home.connect("footprint") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    with hold(home), home.connect("footprint") as connection:
        assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)


def test_no_tcp_port_is_opened(home):
    with hold(home), home.connect() as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW port").fetchone() == ("5432",)


def test_text_sorts_by_code_point_and_folds_more_than_ascii(home):
    with hold(home), home.connect("footprint") as connection:
        assert connection.execute("SELECT lower('ÄÖ'), 'Z' < 'a'").fetchone() == ("äö", True)


def test_the_sockets_lie_where_only_their_owner_gets(home):
    with hold(home):
        status = home.run_dir.stat()
        assert stat.S_IMODE(status.st_mode) == 0o700
        assert status.st_uid == os.geteuid()
        assert len(str(home.postgres_run_dir / ".s.PGSQL.5432")) < 107


def test_a_run_directory_of_somebody_else_is_not_used(home, tmp_path):
    home.run_dir.symlink_to(tmp_path)
    try:
        with pytest.raises(EmbeddedError, match="belongs to somebody else"), hold(home):
            pass
    finally:
        home.run_dir.unlink()


def test_a_long_path_with_spaces_and_quotes_works(tmp_path):
    home = Home(tmp_path / ("long" * 30) / "with 'a' \"space\" $HOME ü")
    try:
        with hold(home):
            assert database_answers(home)
    finally:
        end_servers(home)


def test_an_unkind_environment_is_not_passed_on(home, monkeypatch):
    for name, value in {"LANG": "xx_YY", "LC_ALL": "xx_YY", "PGHOST": "db.example", "PGPORT": "1"}.items():
        monkeypatch.setenv(name, value)
    with hold(home):
        assert database_answers(home)


def test_nothing_that_is_kept_is_readable_by_others(home):
    """The folders are closed, whatever the umask; lock files say nothing."""
    before = os.umask(0o022)
    try:
        with hold(home):
            assert database_answers(home)
            open_to_others = [
                path for path in home.data_dir.iterdir() if path.is_dir() and path.stat().st_mode & 0o077
            ]
    finally:
        os.umask(before)
    assert open_to_others == []


def test_two_data_directories_do_not_meet(tmp_path):
    one, two = Home(tmp_path / "one"), Home(tmp_path / "two")
    try:
        with hold(one), hold(two):
            with one.connect("footprint") as connection:
                connection.execute("CREATE TABLE only_in_one ()")
            with two.connect("footprint") as connection:
                assert connection.execute("SELECT to_regclass('only_in_one')").fetchone() == (None,)
        assert not server_processes(one)
        assert not server_processes(two)
    finally:
        end_servers(one)
        end_servers(two)


def test_the_servers_stay_until_the_last_user_is_out(home):
    with hold(home):
        other = holder(home)
        before = server_processes(home)
    try:
        assert database_answers(home)
        assert server_processes(home) == before
    finally:
        assert other.stdin is not None
        other.stdin.close()
        assert other.wait(30) == 0
        assert other.stdout is not None
        other.stdout.close()
    assert not server_processes(home)


def test_two_first_users_at_once_start_one_pair_of_servers(home):
    command = [sys.executable, "-c", HOLDER, str(home.data_dir)]
    holders = [
        subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in holders:
        assert process.stdout is not None
        assert process.stdout.readline() == b"holding\n"
    assert database_answers(home)
    for process in holders:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0
        assert process.stdout is not None
        process.stdout.close()
    assert not server_processes(home)


def test_servers_whose_user_was_killed_are_taken_over_and_stopped(home):
    end(holder(home))
    left = server_processes(home)
    assert len(left) == 2
    with hold(home):
        assert server_processes(home) == left
        assert database_answers(home)
    assert not any(server.is_alive() for server in left.values())


def test_what_was_committed_outlives_a_kill_of_everything(home):
    process = holder(home, "durable")
    with home.connect("footprint") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    end_servers(home)
    end(process)
    with hold(home), home.connect("footprint") as connection:
        assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)


def test_a_server_that_dies_while_held_is_started_again(home):
    with hold(home) as held:
        server_processes(home)["postmaster.pid"].signal(signal.SIGKILL)
        wait_until(lambda: "postmaster.pid" not in server_processes(home))
        assert held.ensure() == ["PostgreSQL"]
        assert database_answers(home)
        assert held.ensure() == []


@pytest.mark.parametrize("left", ["postgres/postmaster.pid", "valkey/valkey.pid"])
def test_a_pid_that_now_belongs_to_another_program_is_not_mistaken(home, left):
    with hold(home):
        pass
    (home.data_dir / left).write_text(f"{os.getpid()}\n{home.data_dir}/postgres\n1\n5432\n\n\n")
    with hold(home):
        assert database_answers(home)
    assert Process.of(os.getpid()) is not None


def test_a_data_directory_that_was_left_half_made_is_made_anew(home):
    half = home.data_dir / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with hold(home):
        assert database_answers(home)
    assert not half.exists()


def test_data_of_another_version_is_left_alone(home):
    old = home.data_dir / "postgres"
    old.mkdir(parents=True)
    (old / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 15"), hold(home):
        pass
    assert [path.name for path in old.iterdir()] == ["PG_VERSION"]


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(EmbeddedError, match="cannot be made"), hold(Home(blocked / "data")):
        pass


def test_a_server_that_does_not_start_says_why(home):
    with (
        patch.dict(postgres.SETTINGS, {"shared_buffers": "nonsense"}),
        patch.object(launch, "RETRY_SECONDS", 0),
        pytest.raises(EmbeddedError, match=r"PostgreSQL does not start: .*shared_buffers"),
        hold(home),
    ):
        pass
    assert not server_processes(home)


if os.geteuid() == 0:

    @pytest.fixture
    def no_namespaces(monkeypatch):
        """As in many containers, where root may make none."""
        monkeypatch.setattr(shutil, "which", lambda name: None)

    @pytest.fixture
    def open_home() -> Iterator[Home]:
        """A data directory that everybody may enter."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            home = Home(Path(folder) / "data")
            yield home
            end_servers(home)

    def test_root_without_namespaces_lets_nobody_run_postgresql(open_home, no_namespaces):
        with hold(open_home):
            assert database_answers(open_home)
            owner = open_home.data_dir.joinpath("postgres").stat().st_uid
            assert owner == pwd.getpwnam("nobody").pw_uid
        assert not server_processes(open_home)

    def test_what_nobody_wrote_can_be_used_with_namespaces_again(open_home, monkeypatch):
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "which", lambda name: None)
            with hold(open_home), open_home.connect("footprint") as connection:
                connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        with hold(open_home), open_home.connect("footprint") as connection:
            assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)

    def test_a_folder_that_nobody_may_enter_is_named(home, no_namespaces):
        with pytest.raises(EmbeddedError, match="runs as nobody here, who may not enter"), hold(home):
            pass


def test_a_command_finds_the_servers_that_run(home, processes: Processes):
    with hold(home):
        before = server_processes(home)
        assert command(processes, home, "check", "--database", "default").process.wait(60) == 0
        assert server_processes(home) == before
        assert database_answers(home)


def test_a_command_starts_the_servers_for_its_own_time(home, processes: Processes):
    check = command(processes, home, "check", "--database", "default")
    assert check.process.wait(60) == 0, check.said()
    assert (home.data_dir / "postgres" / "PG_VERSION").exists()
    assert not server_processes(home)


def test_a_command_that_is_told_to_end_stops_them_too(home, processes: Processes):
    shell = command(
        processes, home, "shell", "--command", "import time; print('in', flush=True); time.sleep(99)"
    )
    wait_until(lambda: "in" in shell.said().split())
    shell.process.terminate()
    assert shell.process.wait(60) == 128 + signal.SIGTERM
    assert not server_processes(home)


@pytest.mark.parametrize("arguments", [["help"], ["migrate", "--help"], ["check"], []])
def test_a_command_that_needs_no_database_starts_none(home, processes: Processes, arguments):
    assert command(processes, home, *arguments).process.wait(60) == 0
    assert not (home.data_dir / "postgres").exists()


def command(processes: Processes, home: Home, *arguments: str) -> Started:
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    environment["FOOTPRINT_DATA"] = str(home.data_dir)
    return processes.start("manage.py", *arguments, environment=environment)
