"""An engine that says what a test tells it to: for what a real one cannot be made to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
import time
from typing import Any
from urllib.parse import unquote

from aiohttp import WSMsgType, web

from custom_components.facegate.protocol import (
    CALL_PICTURE_PATH,
    DOOR_PICTURE_PATH,
    PROTOCOL_VERSION,
    SOCKET_PATH,
    USER_HEADER,
    Actuate,
    Actuated,
    ActuatorAction,
    ActuatorPhase,
    ActuatorStatus,
    AreaView,
    CallView,
    CameraStateName,
    CameraView,
    ClientMessage,
    DoorStateName,
    DoorView,
    EngineMessage,
    ErrorCode,
    Hello,
    LatencyView,
    StateMessage,
    Welcome,
    decode_client,
    encode,
)
from tests.support import until

SITE = "site-of-scripts"
TOKEN = "token-of-scripts"

DOOR = DoorView("front", "Front door", DoorStateName.LOCKED, camera_ids=("porch",))
CAMERA = CameraView("porch", "Porch", CameraStateName.STREAMING)
HALL = AreaView("hall", "Hall", 2, 10)


def call_view(call_id: str = "call-1", door_id: str = "front") -> CallView:
    """Return a call that was opened now."""
    return CallView(call_id, door_id, time.time(), time.time() + 60)


def refused(code: ErrorCode, message: str = "because", status: int = 409) -> web.Response:
    """Return the engine's refusal of a request."""
    body = {"type": "error", "code": code.value, "message": message}
    return web.json_response(body, status=status)


@dataclass(frozen=True)
class Request:
    """What was asked of the engine's REST interface, and by whom."""

    method: str
    path: str
    query: Mapping[str, str]
    user: str | None
    content: bytes
    origin: web.Request

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def json(self) -> Any:
        return json.loads(self.content) if self.content else None


@dataclass
class ScriptedEngine:
    """Speaks the wire; every attribute may be changed while it runs."""

    doors: tuple[DoorView, ...] = (DOOR,)
    cameras: tuple[CameraView, ...] = (CAMERA,)
    calls: tuple[CallView, ...] = ()
    areas: tuple[AreaView, ...] = ()
    latencies: tuple[LatencyView, ...] = ()
    need_photos: int = 0
    site_id: str = SITE
    token: str = TOKEN
    clock_offset: float = 0.0
    protocol: int = PROTOCOL_VERSION
    greeting: Callable[[web.WebSocketResponse], object] | None = None
    answer: Callable[[ClientMessage], EngineMessage | None] = lambda _: None
    pictures: dict[str, web.Response | bytes] = field(default_factory=dict)
    answers: dict[str, object] = field(default_factory=dict)  # "GET /path" to JSON or a response
    requests: list[Request] = field(default_factory=list)
    received: list[ClientMessage] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    socket: web.WebSocketResponse | None = None
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen, on the port of the last time if there was one."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get(SOCKET_PATH, self._connect)
        app.router.add_get(CALL_PICTURE_PATH, self._picture)
        app.router.add_get(DOOR_PICTURE_PATH, self._picture)
        app.router.add_route("*", "/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and drop who is connected."""
        await self.drop()
        assert self._runner is not None
        await self._runner.cleanup()

    async def drop(self) -> None:
        """Drop who is connected."""
        if self.socket is not None:
            socket, self.socket = self.socket, None
            await socket.close()

    async def push(self, *messages: EngineMessage) -> None:
        """Send messages to who is connected."""
        assert self.socket is not None
        for message in messages:
            await self.socket.send_str(encode(message))

    async def push_text(self, text: str) -> None:
        """Send what may not be a message at all."""
        assert self.socket is not None
        await self.socket.send_str(text)

    async def command(
        self,
        action: ActuatorAction,
        command_id: str = "command-1",
        *,
        door_id: str = "front",
        pulse_s: float = 0.1,
        life_s: float = 2.0,
    ) -> None:
        """Ask for a door to be driven."""
        expires_at = time.time() + self.clock_offset + life_s
        await self.push(Actuate(command_id, door_id, action, pulse_s, expires_at))

    def all[M](self, kind: type[M]) -> list[M]:
        """Return what was received of a kind."""
        return [message for message in self.received if isinstance(message, kind)]

    async def actuated(self, number: int = 1) -> list[Actuated]:
        """Return the answers to commands, once there are so many."""
        await until(lambda: len(self.all(Actuated)) >= number)
        return self.all(Actuated)

    async def status_of(self, door_id: str, *, available: bool) -> ActuatorStatus:
        """Return the newest word on a door's entity, once it says so."""

        def newest() -> ActuatorStatus | None:
            found = [status for status in self.all(ActuatorStatus) if status.door_id == door_id]
            return found[-1] if found and found[-1].available is available else None

        return await until(newest)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.socket = None
        hello = decode_client(await socket.receive_str())
        assert isinstance(hello, Hello)
        self.received.append(hello)
        if self.greeting is not None:
            greeted = self.greeting(socket)
            if asyncio.iscoroutine(greeted):
                await greeted
            return socket
        now = time.time() + self.clock_offset
        await socket.send_str(encode(Welcome(self.protocol, "9.9.9", self.site_id, now)))
        await socket.send_str(encode(self._state()))
        self.socket = socket
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                message = decode_client(frame.data)
                self.received.append(message)
                if (answer := self.answer(message)) is not None:
                    await socket.send_str(encode(answer))
        return socket

    def _state(self) -> StateMessage:
        return StateMessage(
            self.doors,
            self.cameras,
            self.calls,
            self.areas,
            latencies=self.latencies,
            need_photos=self.need_photos,
        )

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        user = request.headers.get(USER_HEADER)
        asked = Request(
            request.method,
            request.raw_path.partition("?")[0],
            dict(request.query),
            unquote(user) if user is not None else None,
            await request.read(),
            request,
        )
        self.requests.append(asked)
        answer = self.answers.get(asked.line)
        if callable(answer):
            answer = answer(asked)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer is None:
            return refused(ErrorCode.NOT_FOUND, f"no script for {asked.line}", 404)
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)

    async def _picture(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        found = self.pictures.get(request.path)
        if found is None:
            return web.Response(status=404)
        if isinstance(found, web.Response):
            return found
        return web.Response(body=found, content_type="image/jpeg")


@asynccontextmanager
async def scripted_engine() -> AsyncIterator[ScriptedEngine]:
    """Run a scripted engine on a free port."""
    engine = ScriptedEngine()
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


def told(answers: list[Actuated]) -> list[tuple[str, ActuatorPhase, bool]]:
    """Return which command each answer is of, which half of it, and whether it was done."""
    return [(answer.command_id, answer.phase, answer.ok) for answer in answers]
