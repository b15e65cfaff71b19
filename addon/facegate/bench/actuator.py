"""Home Assistant's side of the socket: a lock that confirms at once, and a witness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import time

import aiohttp

from facegate.protocol import (
    PROTOCOL_VERSION,
    SOCKET_PATH,
    AccessEvent,
    Actuate,
    Actuated,
    ActuatorAction,
    ActuatorPhase,
    ActuatorStatus,
    ClientMessage,
    Hello,
    decode_engine,
    encode,
)


@dataclass(slots=True)
class Witness:
    """What the lock was told: ``granted`` and ``denied`` decisions, and each opening's delay.

    ``delays_s`` are seconds from the arrival of the first frame that showed a face until the
    lock was told to open for it, by one clock: both processes run on this machine.
    """

    accesses: list[AccessEvent] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    _pulses: dict[str, float] = field(default_factory=dict)
    _seen: dict[str, float] = field(default_factory=dict)

    @property
    def granted(self) -> int:
        """How many decisions let somebody through."""
        return sum(access.granted for access in self.accesses)

    def saw(self, access: AccessEvent) -> None:
        """Take note of a decision; its event and its command may come in any order."""
        self.accesses.append(access)
        if access.granted and access.first_seen_at is not None:
            self._match(self._seen, self._pulses, access.door_id, access.first_seen_at)

    def opened(self, door_id: str) -> None:
        """Take note of a command to open."""
        self._match(self._pulses, self._seen, door_id, time.time())

    def _match(
        self, mine: dict[str, float], others: dict[str, float], door_id: str, at: float
    ) -> None:
        if (other := others.pop(door_id, None)) is None:
            mine[door_id] = at
        else:
            self.delays_s.append(abs(at - other))


@asynccontextmanager
async def driving(url: str, token: str, door_ids: tuple[str, ...]) -> AsyncIterator[Witness]:
    """Drive these doors for as long as the block; raises ``aiohttp.ClientError``."""
    headers = {"Authorization": f"Bearer {token}"}
    witness = Witness()
    async with (
        aiohttp.ClientSession(url, headers=headers) as session,
        session.ws_connect(SOCKET_PATH) as socket,
    ):
        await _send(socket, Hello(PROTOCOL_VERSION, "bench"))
        for door_id in door_ids:
            await _send(socket, ActuatorStatus(door_id, available=True, unlocked=False))
        reader = asyncio.create_task(_read(socket, witness))
        try:
            yield witness
        finally:
            await socket.close()
            await reader


async def _read(socket: aiohttp.ClientWebSocketResponse, witness: Witness) -> None:
    pulses: set[asyncio.Task[None]] = set()
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            continue
        decoded = decode_engine(message.data)
        if isinstance(decoded, AccessEvent):
            witness.saw(decoded)
        elif isinstance(decoded, Actuate):
            await _send(socket, Actuated(decoded.command_id, ActuatorPhase.ON, ok=True))
            if decoded.action is ActuatorAction.PULSE:
                witness.opened(decoded.door_id)
                pulse = asyncio.create_task(_end_pulse(socket, decoded))
                pulses.add(pulse)
                pulse.add_done_callback(pulses.discard)
    for pulse in pulses:
        pulse.cancel()


async def _end_pulse(socket: aiohttp.ClientWebSocketResponse, command: Actuate) -> None:
    await asyncio.sleep(command.pulse_s)
    await _send(socket, Actuated(command.command_id, ActuatorPhase.OFF, ok=True))


async def _send(socket: aiohttp.ClientWebSocketResponse, message: ClientMessage) -> None:
    await socket.send_str(encode(message))
