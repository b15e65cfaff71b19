"""A program of the demo: started with a log file, stopped with everything that it started."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
import contextlib
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess

ROOT = Path(__file__).parents[1]
STOP_LIMIT_S = 10.0
_LAST_LINES = 12


class ProgramError(Exception):
    """A part of the demo does not run; the text says which, and where its log is."""


class Program:
    """One subprocess in a process group of its own, so that Ctrl-C reaches only its owner.

    It runs in the repository's folder; ``log`` is absolute.

    Where ``setpriv`` exists the kernel ends the program with its owner, even a killed one.
    """

    def __init__(self, name: str, command: Sequence[str | Path], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it, adding to its log; raises ``ProgramError`` if it runs already."""
        if self.running:
            raise ProgramError(f"{self.name} is running already")
        setpriv = shutil.which("setpriv")
        tied = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *tied,
                *self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=ROOT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )

    async def finish(self) -> None:
        """Wait for it to end; raises ``ProgramError`` unless it ends well."""
        if self._process is not None and await self._process.wait() != 0:
            self.check()

    async def stop(self) -> None:
        """Ask it to end (SIGTERM), kill what is left after ``STOP_LIMIT_S``; idempotent."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_LIMIT_S):
                    await process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End it and its children as a power cut does (SIGKILL); idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    def check(self) -> None:
        """Raise ``ProgramError`` with its last words if it has ended."""
        if not self.running:
            code = self._process.returncode if self._process else None
            raise ProgramError(
                f"{self.name} ended (exit code {code}); its log is {self.log}\n{self.last_words()}"
            )

    def last_words(self) -> str:
        """Return the end of its log, indented."""
        if not self.log.is_file():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return "\n".join(f"    {line}" for line in lines)


def free_port(preferred: int = 0) -> int:
    """Return a free TCP port of 127.0.0.1: the preferred one if it is."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ProgramError("no free TCP port on 127.0.0.1")
