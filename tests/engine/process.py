"""The engine as a program of its own, to be stopped, killed and started again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import json
import os
from pathlib import Path
import signal
import sys
from typing import Any

from tests.support import by_motion, free_port, until

# Without written bytecode every start would compile some thousand modules anew.
_ENV = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

# Starts engines as often as it is asked to, with the modules loaded once.
_FORKS = """
import json, os, signal, sys
from facegate.__main__ import main

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    asked = json.loads(line)
    if (engine := os.fork()) == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        os._exit(main(asked["arguments"]))
    print(engine, flush=True)
"""


@dataclass
class Program:
    """A running engine; ``process`` where it is a child of this process."""

    pid: int
    url: str
    data: Path
    process: asyncio.subprocess.Process | None = None

    @property
    def token(self) -> str:
        return (self.data / "token").read_text().strip()

    @property
    def ended(self) -> bool:
        if self.process is not None:
            return self.process.returncode is not None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False

    async def kill(self) -> None:
        """Kill it, as a power cut would, and return when it is gone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        await until(lambda: self.ended)

    async def listening(self, timeout_s: float = 60) -> None:
        """Return once the API listens; raises ``ConnectionError`` if the program ends first."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        async with asyncio.timeout(timeout_s):
            while not self.ended:
                try:
                    _, writer = await asyncio.open_connection(host, int(port))
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return
        raise ConnectionError(f"the engine {self.pid} ended before it listened")


class Forks:
    """Engines that are forked from a program that has their modules loaded."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asking = asyncio.Lock()

    async def start(self, arguments: list[str], log: Path) -> int:
        """Start an engine and return its process id."""
        asked, told = self._process.stdin, self._process.stdout
        assert asked is not None
        assert told is not None
        async with self._asking:
            asked.write(json.dumps({"arguments": arguments, "log": str(log)}).encode() + b"\n")
            return int(await told.readline())


@asynccontextmanager
async def forks() -> AsyncIterator[Forks]:
    """Load the engine's modules once, for as many starts as are needed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _FORKS,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=_ENV,
    )
    try:
        yield Forks(process)
    finally:
        process.kill()
        await process.wait()


async def command(*arguments: str | Path, errors: Path) -> asyncio.subprocess.Process:
    """Start a command of the engine's command line; what it says goes to the file ``errors``."""
    with errors.open("ab") as file:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "facegate",
            *map(str, arguments),
            stdout=file,
            stderr=file,
            env=_ENV,
        )


@asynccontextmanager
async def started(
    options: dict[str, Any], folder: Path, forked_from: Forks | None = None
) -> AsyncIterator[Program]:
    """Start an engine whose options, data and log are in ``folder``; kill it at the end."""
    port = free_port()
    url, data, file = f"http://127.0.0.1:{port}", folder / "data", folder / "options.json"
    file.write_text(json.dumps({**by_motion(options), "api": {"port": port}}))
    arguments = ["run", "--options", str(file), "--data", str(data)]
    if forked_from is None:
        process = await command(*arguments, errors=folder / "log")
        program = Program(process.pid, url, data, process)
    else:
        program = Program(await forked_from.start(arguments, folder / "log"), url, data)
    try:
        yield program
    finally:
        await program.kill()
