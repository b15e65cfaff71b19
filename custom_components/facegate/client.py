"""The engine as its client sees it: a connection that is kept, and commands.

Nothing here knows Home Assistant. Nothing that was asked while the connection was lost is asked
again when it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import itertools
import logging
import random
import time
from typing import Protocol

import aiohttp

from .connection import Address, Connection, decode, open_connection
from .errors import (
    CannotConnectError,
    ClientError,
    CommandError,
    CommandTimeoutError,
)
from .protocol import (
    AccessEvent,
    Actuate,
    AlarmEvent,
    AnswerCall,
    AreaChanged,
    CallAnswer,
    CallClosed,
    CallOpened,
    CameraChanged,
    ClientMessage,
    Direction,
    DoorAction,
    DoorChanged,
    DoorCommand,
    EngineMessage,
    ErrorCode,
    ErrorMessage,
    ImportProgress,
    PassageEvent,
    PeopleChanged,
    PerformanceChanged,
    ProtocolError,
    Result,
    StateMessage,
    Welcome,
)
from .rest import Rest

_LOGGER = logging.getLogger(__name__)

COMMAND_TIMEOUT_S = 10.0
FLUSH_TIMEOUT_S = 1.0
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0

type Push = (
    StateMessage
    | DoorChanged
    | CameraChanged
    | AreaChanged
    | PerformanceChanged
    | PeopleChanged
    | CallOpened
    | CallClosed
    | AccessEvent
    | PassageEvent
    | AlarmEvent
    | ImportProgress
    | Actuate
)


class Listener(Protocol):
    """Is told what happens to the connection, in the event loop."""

    def on_lost(self, error: ClientError) -> None:
        """Take note that there is no connection, also after each vain attempt."""
        ...

    def on_found(self, connection: Connection) -> None:
        """Take over the engine's whole state after a reconnection."""
        ...

    def on_push(self, message: Push) -> None:
        """Take over one message of the engine."""
        ...


class FaceGateClient:
    """One engine; ``site_id`` is the site that must answer, or None for any."""

    def __init__(
        self, session: aiohttp.ClientSession, address: Address, site_id: str | None = None
    ) -> None:
        self.rest = Rest(session, address)
        self._session = session
        self._address = address
        self._site_id = site_id
        self._connection: Connection | None = None
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Result]] = {}

    @property
    def connected(self) -> bool:
        """Whether messages can be sent now."""
        return self._connection is not None

    async def connect(self) -> Connection:
        """Open the socket and shake hands; raises ``ClientError``."""
        self._connection = await open_connection(self._session, self._address, self._site_id)
        return self._connection

    async def run(self, connection: Connection, listener: Listener) -> None:
        """Serve the connection and restore it whenever it is lost, until cancelled."""
        delay = FIRST_DELAY_S
        while True:
            began = time.monotonic()
            listener.on_lost(await self._serve(connection, listener))
            if time.monotonic() - began > LONGEST_DELAY_S:
                delay = FIRST_DELAY_S
            while not self.connected:
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311  not a secret
                delay = min(2 * delay, LONGEST_DELAY_S)
                try:
                    connection = await self.connect()
                except CannotConnectError as err:
                    listener.on_lost(err)
                except ClientError as err:  # a person has to change something first
                    delay = LONGEST_DELAY_S
                    listener.on_lost(err)
            listener.on_found(connection)

    async def disconnect(self) -> None:
        """Close the socket, if one is open."""
        if (connection := self._connection) is not None:
            self._connection = None
            await connection.socket.close()

    async def flush(self) -> None:
        """Wait a little until what was posted is sent."""
        if (connection := self._connection) is not None:
            try:
                async with asyncio.timeout(FLUSH_TIMEOUT_S):
                    await connection.outgoing.join()
            except TimeoutError:
                _LOGGER.debug("The engine did not take the last messages")

    def reconnect(self) -> None:
        """Begin the connection anew, after what was posted before."""
        if self._connection is not None:
            self._connection.outgoing.put_nowait(None)

    def post(self, message: ClientMessage) -> bool:
        """Send in order and without an answer; False where there is no connection."""
        if self._connection is None:
            return False
        self._connection.outgoing.put_nowait(message)
        return True

    def seconds_until(self, engine_time: float) -> float:
        """Return how far ahead a moment of the engine's clock lies; raises ``ClientError``."""
        if self._connection is None:
            raise CannotConnectError("not connected")
        return engine_time - self._connection.clock_offset - time.monotonic()

    def engine_time(self) -> float:
        """Return what the engine's clock shows now (epoch); raises ``ClientError``."""
        if self._connection is None:
            raise CannotConnectError("not connected")
        return self._connection.clock_offset + time.monotonic()

    async def command_door(
        self,
        door_id: str,
        action: DoorAction,
        user: str | None,
        direction: Direction = Direction.ENTRY,
    ) -> None:
        """Ask something of a door; raises ``ClientError``."""
        await self._command(lambda number: DoorCommand(number, door_id, action, user, direction))

    async def answer_call(self, call_id: str, answer: CallAnswer, user: str | None) -> None:
        """Answer a visitor; raises ``ClientError``."""
        await self._command(lambda number: AnswerCall(number, call_id, answer, user))

    async def _serve(self, connection: Connection, listener: Listener) -> ClientError:
        writer = asyncio.create_task(connection.write())
        try:
            return await self._read(connection.socket, listener)
        finally:
            self._connection = None
            writer.cancel()
            for future in self._pending.values():
                if not future.done():
                    future.set_exception(CannotConnectError("the connection was lost"))
            await connection.socket.close()

    async def _read(
        self, socket: aiohttp.ClientWebSocketResponse, listener: Listener
    ) -> ClientError:
        async for frame in socket:
            if frame.type is aiohttp.WSMsgType.ERROR:
                break
            try:
                message = decode(frame)
            except ProtocolError as err:
                if err.code is ErrorCode.UNKNOWN_MESSAGE:  # of a newer engine that still fits
                    _LOGGER.debug("Passed over a message: %s", err)
                    continue
                return CannotConnectError(f"the engine sent what cannot be read: {err}")
            self._take(message, listener)
        reason = socket.exception()
        return CannotConnectError(f"the connection ended{f': {reason!r}' if reason else ''}")

    def _take(self, message: EngineMessage, listener: Listener) -> None:
        match message:
            case Result():
                future = self._pending.get(message.id)
                if future is not None and not future.done():
                    future.set_result(message)
            case ErrorMessage():
                _LOGGER.warning("The engine refused a message: %s", message.message)
            case Welcome():
                _LOGGER.debug("The engine welcomed twice")
            case _:
                listener.on_push(message)

    async def _command(self, build: Callable[[int], ClientMessage]) -> None:
        number = next(self._ids)
        future = asyncio.get_running_loop().create_future()
        if not self.post(build(number)):
            raise CannotConnectError("not connected")
        self._pending[number] = future
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                result = await future
        except TimeoutError as err:
            raise CommandTimeoutError("the engine did not answer in time") from err
        finally:
            del self._pending[number]
        if not result.ok:
            raise CommandError(result.code or ErrorCode.INTERNAL, result.message or "")
