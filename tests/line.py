"""A line to a server that a test can cut, or leave open and silent."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

_BLOCK = 65_536


class Line:
    """Forwards a port of this machine to the Unix socket `target`."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._lock = Lock()
        self._ends: list[socket.socket] = []
        self._is_cut = False
        self._heard = Event()
        self._heard.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._heard.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._thread.join(5)

    def cut(self) -> None:
        """As a server that is killed: every connection ends, and no new one is served."""
        with self._lock:
            self._is_cut = True
            ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def silence(self) -> None:
        """Half open: what is sent is taken, and nobody answers."""
        self._heard.clear()

    def mend(self) -> None:
        self._is_cut = False
        self._heard.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            with self._lock:
                if self._is_cut:
                    near.close()
                    far.close()
                    continue
                far.connect(str(self._target))
                self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(_BLOCK):
                self._heard.wait()
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)
