"""The processes of a demo: started together, watched, and ended together, each with a log of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

STOP_S = 10.0
START_S = 60.0
TAIL = 2_000


class StageError(RuntimeError):
    """A process of the demo ended or does not answer; the message shows the end of its log."""


class Stage:
    """Processes with one working folder and one environment."""

    def __init__(self, folder: Path, environ: Mapping[str, str], logs: Path) -> None:
        self._folder, self._environ, self._logs = folder, dict(environ), logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, Sequence[str]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start one process in a group of its own, so that Ctrl-C reaches us alone and we end them in order."""
        self._commands[name] = command
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, cwd=self._folder, env=self._environ, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str) -> None:
        """End one process as a power cut would, and start it again."""
        process = self._running[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.start(name, self._commands[name])

    def check(self) -> None:
        """Raise StageError when a process has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise StageError(f"{name} ended with {process.returncode}:\n{self._tail(name)}")

    def wait_for(self, url: str) -> None:
        """Wait until `url` answers. Raises StageError when a process ends meanwhile or time is over."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            self.check()
            try:
                if requests.get(url, timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.05)
        raise StageError(f"{url} does not answer")

    def stop(self) -> None:
        """End every process, the last started first; one that does not listen is killed."""
        for process in reversed(self._running.values()):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in reversed(self._running.values()):
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._running.clear()

    def _tail(self, name: str) -> str:
        return (self._logs / f"{name}.log").read_bytes()[-TAIL:].decode("utf-8", "replace")


def free_ports(count: int) -> list[int]:
    """`count` different ports on loopback that are free right now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
