"""Real parts for tests: an engine in this process, and a client that speaks its protocol."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
import hashlib
from pathlib import Path
import shutil
import socket
import tempfile
import time
from typing import Any, Self
from unittest.mock import patch

import aiohttp
from onnxruntime import InferenceSession  # type: ignore[import-untyped]

from facegate.assembly import running
from facegate.domain import Clock, MaskClassifier
from facegate.enroll import NewPerson
from facegate.face.engine import open_session
from facegate.face.preparation import prepare
from facegate.face.weights import MODELS
from facegate.protocol import (
    PROTOCOL_VERSION,
    SOCKET_PATH,
    Actuate,
    Actuated,
    ActuatorAction,
    ActuatorPhase,
    ActuatorStatus,
    AnswerCall,
    CallAnswer,
    ClientMessage,
    DoorAction,
    DoorCommand,
    EngineMessage,
    Hello,
    Result,
    Welcome,
    decode_engine,
    encode,
)
from facegate.settings import parse
from facegate.site import Site

CONSENT = {"text_version": "1", "purpose": "access", "language": "en", "signer": "Ann"}


def consenting(name: str, doors: list[str]) -> NewPerson:
    """Return a resident with permits for doors, who signed."""
    return NewPerson(name, "resident", doors, "1", "access", "en", name)


_SESSIONS: dict[bytes, InferenceSession] = {}


def shared_session(graph: bytes) -> InferenceSession:
    """Return the one session of a graph: hundreds of engines in one process would not fit."""
    key = hashlib.sha256(graph).digest()
    if key not in _SESSIONS:
        _SESSIONS[key] = open_session(graph)
    return _SESSIONS[key]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def prepared_models() -> Path:
    """Return a folder of prepared graphs, made once a test run."""
    folder = Path(tempfile.mkdtemp(prefix="facegate-models-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for model in MODELS:
        if model.comes_with_facegate:
            prepare(model, folder)
    return folder


def by_motion(options: dict[str, Any]) -> dict[str, Any]:
    """Return options whose doors judge liveness by motion alone, unless they say how.

    The liveness models are in no package, so that a bare clone has none.
    """
    doors = [{"liveness": {"model": False}, **door} for door in options["doors"]]
    return {**options, "doors": doors}


def lend_models(data: Path) -> None:
    """Spare an engine with this data folder the preparation of its models."""
    data.mkdir(parents=True, exist_ok=True)
    if not (data / "models").exists():
        (data / "models").symlink_to(prepared_models())


async def until[T](look: Callable[[], T | None], timeout_s: float = 10) -> T:
    """Return the first true result of ``look``; raises ``TimeoutError``."""
    async with asyncio.timeout(timeout_s):
        while not (seen := look()):  # noqa: ASYNC110  what is looked at has no event
            await asyncio.sleep(0.02)
        return seen


@dataclass
class Engine:
    """An engine that runs in this process."""

    url: str
    token: str
    site: Site
    data: Path

    @property
    def database(self) -> Path:
        return self.data / "facegate.db"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Give a session that bears the token."""
        async with aiohttp.ClientSession(self.url, headers=self.headers) as session:
            yield session

    async def enroll(
        self, name: str, photos: list[bytes], doors: list[str], *, distinct: bool = False
    ) -> str:
        """Enroll a person and return the id; ``distinct`` from whoever looks alike."""
        async with self.session() as session:
            body = {"name": name, "permits": [{"door_id": door} for door in doors]}
            async with session.post("/api/v1/subjects", json=body) as response:
                assert response.status == 201, await response.text()
                subject_id: str = (await response.json())["id"]
            path = f"/api/v1/subjects/{subject_id}/consents"
            async with session.post(path, json=CONSENT) as response:
                assert response.status == 201, await response.text()
            for photo in photos:
                path = f"/api/v1/subjects/{subject_id}/photos?distinct={str(distinct).lower()}"
                async with session.post(path, data=photo) as response:
                    assert response.status == 201, await response.text()
        return subject_id

    async def events(self) -> list[dict[str, Any]]:
        """Return everything that is on record."""
        async with self.session() as session, session.get("/api/v1/events?limit=1000") as response:
            return list((await response.json())["events"])


@asynccontextmanager
async def engine(
    options: dict[str, Any],
    data: Path,
    clock: Clock | None = None,
    masks: MaskClassifier | None = None,
) -> AsyncIterator[Engine]:
    """Run an engine with these options on a free port."""
    port = free_port()
    settings = parse({**by_motion(options), "api": {"port": port}})
    await asyncio.to_thread(lend_models, data)
    async with AsyncExitStack() as running_engine:
        with patch("facegate.models.open_session", shared_session):
            site = await running_engine.enter_async_context(running(settings, data, clock, masks))
        token = (data / "token").read_text().strip()
        yield Engine(f"http://127.0.0.1:{port}", token, site, data)


@dataclass
class Client:
    """Home Assistant's side of the socket; as an actuator it confirms, unless told otherwise."""

    socket: aiohttp.ClientWebSocketResponse
    received: list[EngineMessage] = field(default_factory=list)
    confirms: bool = True
    refusal: str | None = None
    next_id: int = 1

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, token: str) -> AsyncIterator[Self]:
        """Connect, say hello, and keep reading."""
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(url, headers=headers) as session,
            session.ws_connect(SOCKET_PATH) as ws,
        ):
            client = cls(ws)
            await client.send(Hello(PROTOCOL_VERSION, "test"))
            reader = asyncio.create_task(client._read())
            await client.wait_for(Welcome)
            yield client
            await ws.close()
            await reader

    async def send(self, message: ClientMessage) -> None:
        await self.socket.send_str(encode(message))

    async def drive(self, *door_ids: str) -> None:
        """Offer to drive doors."""
        for door_id in door_ids:
            await self.send(ActuatorStatus(door_id, available=True, unlocked=False))

    async def ask(self, message: Callable[[int], ClientMessage]) -> Result:
        """Send a command and return its result."""
        number, self.next_id = self.next_id, self.next_id + 1
        await self.send(message(number))
        return await self.wait_for(Result, lambda result: result.id == number)

    async def operate(self, door_id: str, action: DoorAction, user: str | None = "Ann") -> Result:
        return await self.ask(lambda number: DoorCommand(number, door_id, action, user))

    async def answer(self, call_id: str, answer: CallAnswer, user: str | None = "Ann") -> Result:
        return await self.ask(lambda number: AnswerCall(number, call_id, answer, user))

    async def wait_for[M](
        self,
        kind: type[M],
        matches: Callable[[M], bool] = lambda _: True,
        timeout_s: float = 10,
    ) -> M:
        """Return the first message of a kind, received already or still to come."""
        return await until(
            lambda: next((m for m in self.received if isinstance(m, kind) and matches(m)), None),
            timeout_s,
        )

    def all[M](self, kind: type[M]) -> list[M]:
        return [message for message in self.received if isinstance(message, kind)]

    @property
    def pulses(self) -> list[Actuate]:
        return [m for m in self.all(Actuate) if m.action is ActuatorAction.PULSE]

    async def _read(self) -> None:
        pulses: set[asyncio.Task[None]] = set()
        async for message in self.socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            decoded = decode_engine(message.data)
            self.received.append(decoded)
            if isinstance(decoded, Actuate) and self.confirms:
                ok = self.refusal is None
                await self.send(Actuated(decoded.command_id, ActuatorPhase.ON, ok, self.refusal))
                if ok and decoded.action is ActuatorAction.PULSE:
                    pulses.add(asyncio.create_task(self._end_pulse(decoded)))
        for pulse in pulses:
            pulse.cancel()

    async def _end_pulse(self, command: Actuate) -> None:
        await asyncio.sleep(command.pulse_s)
        await self.send(Actuated(command.command_id, ActuatorPhase.OFF, ok=True))


class FakeClock:
    """Time that stands still until it is moved; ``wall`` moves as when somebody sets the clock."""

    def __init__(self) -> None:
        self._start = time.time()
        self.passed = 0.0
        self.wall = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._start + self.passed + self.wall, UTC)

    def monotonic(self) -> float:
        return self.passed
