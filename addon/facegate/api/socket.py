"""The WebSocket: everything that happens is pushed, commands are answered, nothing is replayed."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import WSCloseCode, WSMsgType, web

from facegate import __version__
from facegate.background import Background
from facegate.errors import FaceGateError
from facegate.protocol import (
    MAX_MESSAGE_BYTES,
    OLDEST_PROTOCOL_VERSION,
    PROTOCOL_VERSION,
    SOCKET_PATH,
    Actuate,
    Actuated,
    ActuatorStatus,
    AnswerCall,
    ClientMessage,
    ContactStatus,
    DoorCommand,
    EngineMessage,
    ErrorCode,
    ErrorMessage,
    Hello,
    ProtocolError,
    Result,
    Welcome,
    decode_client,
    encode,
)
from facegate.site import Site

_LOGGER = logging.getLogger(__name__)

_HEARTBEAT_S = 10.0
_HELLO_TIMEOUT_S = 5.0
_GOODBYE_S = 2.0
_MOST_WAITING = 256


class Sockets:
    """The clients that are connected."""

    def __init__(self, site: Site, site_id: str) -> None:
        self._site = site
        self._site_id = site_id
        self._open: set[_Client] = set()

    @property
    def unsent(self) -> int:
        """How many messages wait to be sent, to all clients together."""
        return sum(client.unsent for client in self._open)

    def table(self) -> list[web.RouteDef]:
        """Return the route."""
        return [web.get(SOCKET_PATH, self._connect)]

    async def close(self) -> None:
        """Say goodbye to everybody."""
        await asyncio.gather(*(client.dismiss() for client in self._open))

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=MAX_MESSAGE_BYTES)
        await socket.prepare(request)
        client = _Client(socket, request.transport, self._site)
        self._open.add(client)
        try:
            await client.serve(self._site_id)
        finally:
            self._open.discard(client)
        return socket


class _Client:
    """One connected client; what it is sent waits in a bounded queue."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, site: Site
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._site = site
        self._name = ""
        self._waiting: asyncio.Queue[EngineMessage] = asyncio.Queue(_MOST_WAITING)
        self._work = Background()
        # Bound once: the actuator tells clients apart by this very object.
        self._actuate = self._send_actuate

    @property
    def unsent(self) -> int:
        return self._waiting.qsize()

    async def serve(self, site_id: str) -> None:
        """Greet the client, then push and answer until it leaves."""
        if not await self._greet(site_id):
            return
        unsubscribe = self._site.bulletin.subscribe(self._push)
        writer = asyncio.create_task(self._write())
        try:
            self._push(self._site.board.state())
            await self._read()
        finally:
            unsubscribe()
            self._site.client_left(self._actuate)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await self._work.finish()

    async def dismiss(self) -> None:
        """Say goodbye, for a short time."""
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"the engine stops")
        except TimeoutError:
            _LOGGER.info("%s did not answer the goodbye", self._name)
        finally:
            self._drop()

    async def _greet(self, site_id: str) -> bool:
        try:
            async with asyncio.timeout(_HELLO_TIMEOUT_S):
                hello = _hello(await self._socket.receive_str())
        except ProtocolError as err:
            await self._socket.send_str(encode(ErrorMessage(err.code, str(err))))
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION)
            return False
        except (TimeoutError, TypeError, ConnectionError):
            # Silent, gone, or sent something that is not text: not one of ours.
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION)
            return False
        self._name = hello.client or "unnamed client"
        now = self._site.clock.now().timestamp()
        welcome = Welcome(PROTOCOL_VERSION, __version__, site_id, now)
        await self._socket.send_str(encode(welcome))
        return True

    async def _read(self) -> None:
        async for received in self._socket:
            if received.type is not WSMsgType.TEXT:
                self._push(ErrorMessage(ErrorCode.MALFORMED, "expected text"))
                continue
            try:
                self._take(decode_client(received.data))
            except (ProtocolError, FaceGateError) as err:
                self._push(ErrorMessage(err.code, str(err)))

    def _take(self, message: ClientMessage) -> None:
        match message:
            case DoorCommand() | AnswerCall():
                self._work.spawn(self._answer(message))
            case ActuatorStatus():
                self._site.actuator_offered(self._actuate, message)
            case Actuated():
                self._site.actuator_answered(message)
            case ContactStatus():
                self._site.contacts.changed(message)
            case Hello():
                raise ProtocolError(ErrorCode.INVALID, "hello was said already")

    async def _answer(self, message: DoorCommand | AnswerCall) -> None:
        user = message.user or self._name
        try:
            if isinstance(message, DoorCommand):
                direction = message.direction
                await self._site.operate(message.door_id, message.action, user, direction)
            else:
                await self._site.visitors.answer(message.call_id, message.answer, user)
        except FaceGateError as err:
            self._push(Result(message.id, ok=False, code=err.code, message=str(err)))
        except Exception:
            _LOGGER.exception("A command of %s failed", user)
            text = "internal error; see the engine's log"
            self._push(Result(message.id, ok=False, code=ErrorCode.INTERNAL, message=text))
        else:
            self._push(Result(message.id, ok=True))

    def _send_actuate(self, command: Actuate) -> None:
        self._push(command)

    def _push(self, message: EngineMessage) -> None:
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            # A client that does not read must not fill the memory; it may connect again. Not a
            # word to it: what is said would wait behind all that it has not read.
            self._drop()

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def _write(self) -> None:
        try:
            while True:
                await self._socket.send_str(encode(await self._waiting.get()))
        except Exception as err:
            if not isinstance(err, ConnectionError):
                _LOGGER.exception("A message could not be written to %s", self._name)
            # Without its writer a connection would go on looking alive.
            self._drop()


def _hello(text: str) -> Hello:
    """Read a client's first message and compare versions; raises ``ProtocolError``."""
    hello = decode_client(text)
    if not isinstance(hello, Hello):
        raise ProtocolError(ErrorCode.INVALID, "expected hello first")
    if hello.protocol < OLDEST_PROTOCOL_VERSION:
        raise ProtocolError(
            ErrorCode.PROTOCOL_TOO_OLD,
            f"the client speaks protocol {hello.protocol}, this engine at least"
            f" {OLDEST_PROTOCOL_VERSION}: update the FaceGate integration",
        )
    if hello.protocol > PROTOCOL_VERSION:
        raise ProtocolError(
            ErrorCode.PROTOCOL_TOO_NEW,
            f"the client speaks protocol {hello.protocol}, this engine at most"
            f" {PROTOCOL_VERSION}: update the FaceGate engine",
        )
    return hello
