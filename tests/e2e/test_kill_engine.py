"""Killed at any moment, the engine leaves no grant without its row, and repeats none."""

from __future__ import annotations

import asyncio
from collections import Counter
import contextlib
from dataclasses import dataclass, field
import json
from pathlib import Path
import random
import sqlite3
from typing import Any

import aiohttp
import pytest

from facegate.enroll import enroll
from facegate.protocol import (
    PROTOCOL_VERSION,
    SOCKET_PATH,
    AccessEvent,
    Actuate,
    Actuated,
    ActuatorAction,
    ActuatorPhase,
    ActuatorStatus,
    AnswerCall,
    CallAnswer,
    CallOpened,
    DoorAction,
    DoorCommand,
    Hello,
    Result,
    StateMessage,
    decode_engine,
    encode,
)
from tests.engine.clips import resident, resident_photos, write_clip
from tests.engine.process import Forks, Program, forks, started
from tests.support import consenting, lend_models

KILLS = 100
# Two engines at a time: one knows the face before its camera, to the other it is a visitor.
LANES = ("resident", "visitor")
# Of ten kills one comes while the engine starts, and one after the face at the door was granted,
# or rang; the others come while it opens doors.
CYCLE = 10
WISHES = (*[DoorAction.OPEN] * 6, DoorAction.UNLOCK, DoorAction.LOCK)


@dataclass
class Relay:
    """The hardware: it remembers every command that reached it, over all the engine's lives."""

    wishes: random.Random
    commands: list[Actuate] = field(default_factory=list)
    faced: asyncio.Event = field(default_factory=asyncio.Event)
    _number: int = 0

    async def serve(self, program: Program) -> None:
        """Ask for one opening after the other and confirm each, until the engine is gone."""
        headers = {"Authorization": f"Bearer {program.token}"}
        async with (
            aiohttp.ClientSession(program.url, headers=headers) as session,
            session.ws_connect(SOCKET_PATH) as ws,
        ):
            await ws.send_str(encode(Hello(PROTOCOL_VERSION, "relay")))
            await ws.send_str(encode(ActuatorStatus("front", available=True, unlocked=False)))
            await ws.send_str(self._wish())
            async for received in ws:
                for answer in self._answers(received.data):
                    await ws.send_str(answer)

    def _answers(self, text: str) -> list[str]:
        match decode_engine(text):
            case Actuate() as command:
                self.commands.append(command)
                pulse = command.action is ActuatorAction.PULSE
                phases = ActuatorPhase if pulse else (ActuatorPhase.ON,)
                return [encode(Actuated(command.command_id, phase, ok=True)) for phase in phases]
            case CallOpened(call) | StateMessage(calls=(call, *_)):
                self.faced.set()
                return [encode(AnswerCall(0, call.id, CallAnswer.LET_IN, "Ann"))]
            case AccessEvent(basis="face", granted=True):
                self.faced.set()
                return []
            case Result(id=number) if number == self._number:
                return [self._wish()]
            case _:
                return []

    def _wish(self) -> str:
        self._number += 1
        return encode(DoorCommand(self._number, "front", self.wishes.choice(WISHES), "Ann"))


async def live_and_die(
    options: dict[str, Any], folder: Path, forked_from: Forks, relay: Relay, kill: int
) -> None:
    async with started(options, folder, forked_from) as program:
        if kill % CYCLE == 0:
            await asyncio.sleep(relay.wishes.uniform(0, 0.6))
            return
        await program.listening()
        serving = asyncio.create_task(relay.serve(program))
        if kill % CYCLE == 1:
            relay.faced.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(relay.faced.wait(), 20)
        await asyncio.sleep(relay.wishes.uniform(0.02, 0.6))
        await program.kill()
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            await asyncio.wait_for(serving, 10)


async def first_life(options: dict[str, Any], folder: Path, photos: list[Path]) -> None:
    """Let an engine make its records, and enroll whom it shall know."""
    await asyncio.to_thread(lend_models, folder / "data")
    async with started(options, folder) as program:
        await program.listening()
        if photos:
            await enroll(program.data, program.url, consenting("Ann", ["front"]), photos)


async def last_life(options: dict[str, Any], folder: Path) -> list[Actuate]:
    """Start once more; return what the engine asks of the hardware without being asked."""
    options = {**options, "cameras": [], "doors": [{"id": "front"}]}
    relay = Relay(random.Random(0))
    relay._wish = lambda: encode(DoorCommand(0, "nowhere", DoorAction.OPEN))  # type: ignore[method-assign]
    async with started(options, folder) as program:
        await program.listening()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(relay.serve(program), 1)
    return relay.commands


@pytest.mark.timeout(600)
async def test_a_hundred_kills_lose_no_grant_and_double_none(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "porch.mp4", resident())
    photos = [tmp_path / f"{number}.png" for number in range(2)]
    for path, data in zip(photos, resident_photos(), strict=True):
        path.write_bytes(data)
    door = {
        "id": "front",
        "entry_camera": "porch",
        "pulse_seconds": 1,
        "controls": {"liveness": "off"},
    }
    options = {"cameras": [{"id": "porch", "clip": str(clip)}], "doors": [door]}

    async def lane(name: str, forked_from: Forks) -> Counter[str]:
        folder, relay = tmp_path / name, Relay(random.Random(name))
        folder.mkdir()
        await first_life(options, folder, photos if name == "resident" else [])
        for kill in range(KILLS // len(LANES)):
            await live_and_die(options, folder, forked_from, relay, kill)
        assert await last_life(options, folder) == []
        assert len(relay.commands) > KILLS // len(LANES), "hardly any kill met an opening"
        return check(relay.commands, folder / "data" / "facegate.db")

    async with forks() as forked_from:
        bases = await asyncio.gather(*(lane(name, forked_from) for name in LANES))
    assert bases[0]["face"] > 0
    assert bases[1]["visitor"] > 0


def check(commands: list[Actuate], database: Path) -> Counter[str]:
    """Hold the commands that the hardware got against the record; return what grants stood on."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute("SELECT kind, ref, opening_id, body FROM events").fetchall()
    events = [(kind, ref, opening, json.loads(body)) for kind, ref, opening, body in rows]
    granted = [
        (ref, opening, body["basis"])
        for kind, ref, opening, body in events
        if kind == "access" and body["granted"]
    ]
    # Who is let in while the door stands open joins that opening; only the others began one.
    grants = Counter(ref for ref, opening, _ in granted if opening == ref)
    locks = Counter(ref for kind, ref, _, _ in events if kind == "lock")
    outcomes: dict[str, list[str]] = {}
    for kind, ref, _, body in events:
        if kind == "opening":
            outcomes.setdefault(ref, []).append(body["outcome"])
    opened = [c.command_id for c in commands if c.action is not ActuatorAction.RELEASE]
    released = [c.command_id for c in commands if c.action is ActuatorAction.RELEASE]
    assert max(Counter([*opened, *released]).values()) == 1, "a command came twice"
    assert set(opened) <= grants.keys(), "the hardware opened without a row"
    assert set(released) <= locks.keys()
    assert max(grants.values()) == 1
    assert grants.keys() <= outcomes.keys(), "an opening was left open in the record"
    interrupted = [ref for ref, found in outcomes.items() if "interrupted" in found]
    assert interrupted, "no kill met an opening"
    assert all(outcomes[ref] == ["interrupted"] for ref in interrupted)
    return Counter(basis for *_, basis in granted)
