"""The engine as a program of its own, so that what it uses is its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
import json
from pathlib import Path
import signal
import socket
import sys
import time

import aiohttp

from facegate.bench.metrics import Latency, Metrics, parse_latencies, parse_metrics
from facegate.bench.usage import Usage, read_usage
from facegate.errors import FaceGateError, NotFoundError
from facegate.protocol import HEALTH_PATH

_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 20.0
_POLL_S = 0.5
_LAST_WORDS = 2000
_TIMEOUT = aiohttp.ClientTimeout(total=20)
_METRICS_PATH = "/metrics"


@dataclass(frozen=True, slots=True)
class Program:
    """A running engine; ``log`` is where it says what goes wrong."""

    pid: int
    url: str
    data: Path
    log: Path
    session: aiohttp.ClientSession

    @property
    def token(self) -> str:
        """The token that it made at its first start."""
        return (self.data / "token").read_text(encoding="ascii").strip()

    def usage(self) -> Usage:
        """Return what it uses now; raises ``NotFoundError`` once it has ended."""
        return read_usage(self.pid)

    async def metrics(self) -> Metrics:
        """Return its own figures; raises ``FaceGateError`` where it does not answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return parse_metrics(await self._get(_METRICS_PATH, headers))

    async def latencies(self) -> Mapping[str, Latency]:
        """Return how long its stages take; raises ``FaceGateError`` where it does not answer."""
        return parse_latencies(await self._get(HEALTH_PATH, {}))

    async def streaming(self, cameras: int, limit_s: float = _START_LIMIT_S) -> None:
        """Return once at least so many cameras stream; raises ``FaceGateError`` in the end."""
        await self._until(lambda streaming: streaming >= cameras, limit_s)

    async def streaming_no_more(self, limit_s: float) -> None:
        """Return once no camera streams; raises ``FaceGateError`` after ``limit_s``."""
        await self._until(lambda streaming: streaming == 0, limit_s)

    async def _until(self, wanted: Callable[[int], bool], limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            health = json.loads(await self._get(HEALTH_PATH, {}))
            if wanted(health["cameras"] - health["cameras_down"]):
                return
            await asyncio.sleep(_POLL_S)
        raise FaceGateError(f"the cameras do not do what was waited for; the log is {self.log}")

    async def _get(self, path: str, headers: Mapping[str, str]) -> str:
        try:
            async with self.session.get(path, headers=headers) as response:
                if response.status != HTTPStatus.OK:
                    raise FaceGateError(f"{path}: the engine answered {response.status}")
                return await response.text()
        except (aiohttp.ClientError, TimeoutError) as err:
            raise FaceGateError(f"{path}: the engine does not answer: {err}") from err


@asynccontextmanager
async def running(options: Mapping[str, object], folder: Path) -> AsyncIterator[Program]:
    """Run an engine with these options, on a free port, its records below ``folder``.

    Raises ``FaceGateError`` with the end of its log if it does not start.
    """
    port = _free_port()
    file, data, log = folder / "options.json", folder / "data", folder / "engine.log"
    file.write_text(json.dumps({**options, "api": {"host": "127.0.0.1", "port": port}}))
    arguments = ("-m", "facegate", "run", "--options", str(file), "--data", str(data))
    url = f"http://127.0.0.1:{port}"
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said
        )
    try:
        async with aiohttp.ClientSession(url, timeout=_TIMEOUT) as session:
            await _answers(process, session, log)
            yield Program(process.pid, url, data, log, session)
    finally:
        await _end(process)


def read_options(file: Path) -> dict[str, object]:
    """Return an options file; what it says of the API is left out. Raises ``NotFoundError``.

    Paths in it are told from its folder, as the engine does.
    """
    try:
        raw = json.loads(file.read_bytes())
    except (OSError, ValueError) as err:
        raise NotFoundError(f"{file}: cannot be read: {err}") from err
    return {name: value for name, value in raw.items() if name != "api"}


async def _answers(
    process: asyncio.subprocess.Process, session: aiohttp.ClientSession, log: Path
) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline and process.returncode is None:
        with suppress(aiohttp.ClientError):
            async with session.get(HEALTH_PATH) as response:
                if response.status == HTTPStatus.OK:
                    return
        await asyncio.sleep(_POLL_S)
    said = await asyncio.to_thread(log.read_text, errors="replace")
    raise FaceGateError(f"the engine does not start:\n{said[-_LAST_WORDS:]}")


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_LIMIT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
