"""One WebSocket to the engine, from the handshake to its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
import logging
import time

import aiohttp
from yarl import URL

from .errors import CannotConnectError, InvalidAuthError, ProtocolMismatchError, WrongSiteError
from .protocol import (
    MAX_MESSAGE_BYTES,
    OLDEST_PROTOCOL_VERSION,
    PROTOCOL_VERSION,
    SOCKET_PATH,
    ClientMessage,
    EngineMessage,
    ErrorCode,
    ErrorMessage,
    Hello,
    ProtocolError,
    StateMessage,
    Welcome,
    decode_engine,
    encode,
)

_LOGGER = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
HEARTBEAT_S = 10.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the engine listens, and the token it knows its clients by."""

    host: str
    port: int
    token: str = field(repr=False)

    def url(self, scheme: str, path: str) -> URL:
        """Return the address of a path that is already percent-encoded."""
        return URL.build(scheme=scheme, host=self.host, port=self.port, path=path, encoded=True)

    @property
    def headers(self) -> dict[str, str]:
        """Return what every request carries."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """An open socket after the handshake.

    ``clock_offset`` is the engine's time minus ``time.monotonic`` in seconds, taken as if the
    engine had stamped its welcome when the hello was sent: a command never seems younger than
    it is. None in ``outgoing`` asks for the socket to be closed.
    """

    socket: aiohttp.ClientWebSocketResponse
    welcome: Welcome
    state: StateMessage
    clock_offset: float
    outgoing: asyncio.Queue[ClientMessage | None] = field(default_factory=asyncio.Queue)

    async def write(self) -> None:
        """Send what is posted, in order, until the socket is or shall be closed."""
        try:
            while (message := await self.outgoing.get()) is not None:
                await self.socket.send_str(encode(message))
                self.outgoing.task_done()
        except (aiohttp.ClientError, ConnectionError) as err:
            _LOGGER.debug("Could not send: %s", err)
        await self.socket.close()


async def open_connection(
    session: aiohttp.ClientSession, address: Address, site_id: str | None
) -> Connection:
    """Open a socket and shake hands; raises ``ClientError``.

    ``site_id`` is the site that must answer, or None for any.
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            socket = await session.ws_connect(
                address.url("ws", SOCKET_PATH),
                headers=address.headers,
                heartbeat=HEARTBEAT_S,
                max_msg_size=MAX_MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
            )
            try:
                return await _shake_hands(socket, site_id)
            except BaseException:
                await socket.close()
                raise
    except TimeoutError as err:
        raise CannotConnectError("the engine did not answer in time") from err
    except aiohttp.WSServerHandshakeError as err:
        if err.status == HTTPStatus.UNAUTHORIZED:
            raise InvalidAuthError("the engine refused the token") from err
        raise CannotConnectError(f"not a FaceGate engine: HTTP {err.status}") from err
    except (aiohttp.ClientError, OSError, ValueError) as err:
        raise CannotConnectError(str(err) or type(err).__name__) from err


async def probe(session: aiohttp.ClientSession, address: Address) -> Welcome:
    """Shake hands once and leave; raises ``ClientError``."""
    connection = await open_connection(session, address, site_id=None)
    await connection.socket.close()
    return connection.welcome


def decode(frame: aiohttp.WSMessage) -> EngineMessage:
    """Read a frame; raises ``ProtocolError``."""
    if frame.type is not aiohttp.WSMsgType.TEXT:
        raise ProtocolError(ErrorCode.MALFORMED, "expected text")
    return decode_engine(frame.data)


async def _shake_hands(socket: aiohttp.ClientWebSocketResponse, site_id: str | None) -> Connection:
    asked = time.monotonic()
    await socket.send_str(encode(Hello(PROTOCOL_VERSION, client="home_assistant")))
    welcome = await _expect(socket, Welcome)
    # A newer engine that took the hello promised to speak this version.
    if welcome.protocol < OLDEST_PROTOCOL_VERSION:
        raise ProtocolMismatchError(
            ErrorCode.PROTOCOL_TOO_NEW, f"the engine speaks protocol {welcome.protocol}"
        )
    if site_id not in (None, welcome.site_id):
        raise WrongSiteError("another FaceGate engine answers at this address")
    state = await _expect(socket, StateMessage)
    return Connection(socket, welcome, state, welcome.time - asked)


async def _expect[T: (Welcome, StateMessage)](
    socket: aiohttp.ClientWebSocketResponse, kind: type[T]
) -> T:
    frame = await socket.receive()
    if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
        raise CannotConnectError("the engine closed the connection")
    try:
        message = decode(frame)
    except ProtocolError as err:
        raise CannotConnectError(f"the engine sent what cannot be read: {err}") from err
    if isinstance(message, kind):
        return message
    if not isinstance(message, ErrorMessage):
        raise CannotConnectError(f"the engine sent {message.type!r} instead of {kind.type!r}")
    match message.code:
        case ErrorCode.PROTOCOL_TOO_OLD | ErrorCode.PROTOCOL_TOO_NEW:
            raise ProtocolMismatchError(ErrorCode(message.code), message.message)
        case ErrorCode.UNAUTHORIZED:
            raise InvalidAuthError(message.message)
        case _:
            raise CannotConnectError(message.message)
