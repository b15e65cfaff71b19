"""The socket: who may speak, what is refused, and that nobody can hold the engine up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
import json
from pathlib import Path
import socket
import time
from typing import Any

import aiohttp
import pytest

from facegate.api import socket as sockets
from facegate.protocol import (
    MAX_MESSAGE_BYTES,
    OLDEST_PROTOCOL_VERSION,
    PROTOCOL_VERSION,
    SOCKET_PATH,
    ActuatorStatus,
    DoorAction,
    DoorCommand,
    DoorStateName,
    EngineMessage,
    ErrorCode,
    ErrorMessage,
    Hello,
    Result,
    StateMessage,
    Welcome,
    decode_engine,
    encode,
)
from tests.support import Client, Engine, engine, until

pytestmark = pytest.mark.usefixtures("free_loop")

OPTIONS: dict[str, Any] = {"doors": [{"id": "front", "pulse_seconds": 1}, {"id": "back"}]}
HELLO = encode(Hello(PROTOCOL_VERSION, "test"))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Engine]:
    async with engine(OPTIONS, tmp_path) as running:
        yield running


@asynccontextmanager
async def connection(site: Engine) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with site.session() as session, session.ws_connect(SOCKET_PATH) as ws:
        yield ws


async def next_message(ws: aiohttp.ClientWebSocketResponse) -> EngineMessage:
    return decode_engine(await ws.receive_str(timeout=10))


async def is_closed(ws: aiohttp.ClientWebSocketResponse) -> bool:
    message = await ws.receive(timeout=10)
    return message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_a_client_is_welcomed_and_shown_everything(site: Engine) -> None:
    async with connection(site) as ws:
        await ws.send_str(HELLO)
        welcome = await next_message(ws)
        assert isinstance(welcome, Welcome)
        assert welcome.protocol == PROTOCOL_VERSION
        state = await next_message(ws)
        assert isinstance(state, StateMessage)
        assert [door.id for door in state.doors] == ["front", "back"]
        assert {door.state for door in state.doors} == {DoorStateName.UNAVAILABLE}


async def test_another_version_is_told_what_to_update(site: Engine) -> None:
    for protocol, code in (
        (OLDEST_PROTOCOL_VERSION - 1, ErrorCode.PROTOCOL_TOO_OLD),
        (PROTOCOL_VERSION + 1, ErrorCode.PROTOCOL_TOO_NEW),
    ):
        async with connection(site) as ws:
            await ws.send_str(encode(Hello(protocol, "test")))
            answer = await next_message(ws)
            assert isinstance(answer, ErrorMessage)
            assert answer.code == code
            assert "update the FaceGate" in answer.message
            assert await is_closed(ws)


async def test_who_does_not_say_hello_first_is_refused(site: Engine) -> None:
    for first, code in (
        ("{", ErrorCode.MALFORMED),
        ('{"type": "hello"}', ErrorCode.INVALID),
        ('{"type": "open_sesame"}', ErrorCode.UNKNOWN_MESSAGE),
        (encode(DoorCommand(1, "front", DoorAction.OPEN)), ErrorCode.INVALID),
    ):
        async with connection(site) as ws:
            await ws.send_str(first)
            answer = await next_message(ws)
            assert isinstance(answer, ErrorMessage)
            assert answer.code == code, first
            assert await is_closed(ws)


async def test_who_says_nothing_is_shown_out(site: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "_HELLO_TIMEOUT_S", 0.1)
    async with connection(site) as ws:
        assert await is_closed(ws)


async def test_a_hello_that_is_not_text_is_refused(site: Engine) -> None:
    async with connection(site) as ws:
        await ws.send_bytes(HELLO.encode())
        assert await is_closed(ws)


async def test_what_cannot_be_read_is_answered_and_the_client_stays(site: Engine) -> None:
    async with Client.connected(site.url, site.token) as client:
        for nonsense in ("{", '{"type": "door_command", "id": "x"}', HELLO):
            await client.socket.send_str(nonsense)
        await client.socket.send_bytes(b"\x00")
        await until(lambda: len(client.all(ErrorMessage)) == 4)
        codes = [error.code for error in client.all(ErrorMessage)]
        assert codes == ["malformed", "invalid", "invalid", "malformed"]
        assert (await client.operate("back", DoorAction.OPEN)).code == "actuator_unavailable"


async def test_an_unknown_door_is_refused_by_name(site: Engine) -> None:
    async with Client.connected(site.url, site.token) as client:
        result = await client.operate("garage", DoorAction.OPEN)
        assert not result.ok
        assert result.code == ErrorCode.NOT_FOUND
        assert result.message == "no door has the id 'garage'; doors: front, back"
        await client.send(ActuatorStatus("garage", available=True))
        error = await client.wait_for(ErrorMessage)
        assert error.code == ErrorCode.NOT_FOUND


async def test_a_message_that_is_too_long_ends_the_connection_and_nothing_else(
    site: Engine,
) -> None:
    async with connection(site) as ws, Client.connected(site.url, site.token) as other:
        await ws.send_str(HELLO)
        await next_message(ws)
        await next_message(ws)
        padding = "x" * MAX_MESSAGE_BYTES
        await ws.send_str(json.dumps({"type": "hello", "client": padding, "protocol": 1}))
        message = await ws.receive(timeout=10)
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await ws.receive(timeout=10)
        assert ws.closed
        assert (await other.operate("garage", DoorAction.OPEN)).code == ErrorCode.NOT_FOUND


async def test_a_command_that_fails_unexpectedly_is_answered(
    site: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def operate(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(site.site, "operate", operate)
    async with Client.connected(site.url, site.token) as client:
        result = await client.operate("front", DoorAction.OPEN)
    assert result.code == ErrorCode.INTERNAL
    assert "ZeroDivisionError" in caplog.text


async def test_a_message_that_cannot_be_written_ends_the_connection(
    site: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async with Client.connected(site.url, site.token) as client:
        site.site.bulletin.publish(Result(1, ok=float("nan")))  # type: ignore[arg-type]
        await until(lambda: client.socket.closed)
    assert "could not be written" in caplog.text


@asynccontextmanager
async def deaf_client(site: Engine) -> AsyncIterator[socket.socket]:
    """Connect a client that says hello, offers to drive the front door, and never reads."""
    host, _, port = site.url.removeprefix("http://").partition(":")
    request = (
        f"GET {SOCKET_PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {site.token}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    said = (HELLO, encode(ActuatorStatus("front", available=True)))
    # Text frames of under 126 bytes, masked with zeros.
    frames = b"".join(bytes([0x81, 0x80 | len(s), 0, 0, 0, 0]) + s.encode() for s in said)
    loop = asyncio.get_running_loop()
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(0)
        await loop.sock_connect(raw, (host, int(port)))
        await loop.sock_sendall(raw, request.encode() + frames)
        yield raw


def front_is(site: Engine, state: DoorStateName) -> bool:
    return site.site.board.state().doors[0].state is state


async def test_a_client_that_does_not_read_is_dropped_and_drives_no_door(site: Engine) -> None:
    async with deaf_client(site):
        await until(lambda: front_is(site, DoorStateName.LOCKED))
        for _ in range(1000):
            site.site.bulletin.publish(ErrorMessage("invalid", "x" * 100_000))
            await asyncio.sleep(0)
        await until(lambda: front_is(site, DoorStateName.UNAVAILABLE), 3)
        assert site.site.bulletin._listeners == []


async def test_the_engine_stops_though_a_client_does_not_read(tmp_path: Path) -> None:
    async with AsyncExitStack() as outlives:
        async with engine(OPTIONS, tmp_path) as site:
            await outlives.enter_async_context(deaf_client(site))
            await until(lambda: front_is(site, DoorStateName.LOCKED))
            for _ in range(200):
                site.site.bulletin.publish(ErrorMessage("invalid", "x" * 100_000))
            await asyncio.sleep(0.1)
            stopping = time.monotonic()
        assert time.monotonic() - stopping < 8


async def test_a_stopping_engine_says_goodbye(tmp_path: Path) -> None:
    async with engine(OPTIONS, tmp_path) as site:
        session = aiohttp.ClientSession(site.url, headers=site.headers)
        ws = await session.ws_connect(SOCKET_PATH)
        await ws.send_str(HELLO)
        await next_message(ws)
        await next_message(ws)
        closing = asyncio.create_task(ws.receive(timeout=10))
    assert (await closing).data == aiohttp.WSCloseCode.GOING_AWAY
    await session.close()
