"""An engine whose clock is moved, the client that drives its doors, and what a reader presents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from facegate.protocol import ActuatorStatus, AlarmEvent, DoorView
from tests.engine.api.office import add, ask
from tests.support import Client, Engine, FakeClock, engine, until

PIN = "4711"


@dataclass
class Gated:
    """A site at which somebody stands with a credential."""

    engine: Engine
    session: aiohttp.ClientSession
    client: Client
    clock: FakeClock

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        return await ask(self.session, method, f"/api/v1/{path}", body)

    async def make(self, method: str, path: str, body: object = None) -> Any:
        """Ask for what must not be refused."""
        status, answer = await self.ask(method, path, body)
        assert status < 300, answer
        return answer

    async def present(self, door: str = "front", **credential: str) -> Any:
        """Present a credential and return the receipt."""
        return await self.make("POST", f"doors/{door}/credentials", credential)

    async def resident(self, name: str = "Ann", *doors: str, **more: str) -> tuple[str, Any]:
        """Return a resident with a PIN, who may pass these doors, and what the PIN is used with."""
        permits = [{"door_id": door} for door in doors or ("front",)]
        subject_id = await add(self.session, name, permits=permits)
        body = {"kind": "pin", "pin": PIN, **more}
        shown = await self.make("POST", f"subjects/{subject_id}/credentials", body)
        return subject_id, {"number": shown["number"], "pin": PIN}

    def door(self, door_id: str = "front") -> DoorView:
        return next(door for door in self.engine.site.board.state().doors if door.id == door_id)

    async def drive(self, *, unlocked: bool = False) -> None:
        """Let the client drive every door, and wait until the engine knows."""
        for door in self.engine.site.board.state().doors:
            await self.client.send(ActuatorStatus(door.id, available=True, unlocked=unlocked))
        await until(lambda: all(d.fault is None for d in self.engine.site.board.state().doors))

    async def tick(self, seconds: float = 1) -> None:
        """Let time pass, and return when what comes of it is done."""
        self.clock.passed += seconds
        self.engine.site.tick()
        await self.engine.site.bulletin.finish()

    async def events(self, *kinds: str) -> list[dict[str, Any]]:
        await self.engine.site.bulletin.finish()
        return [event for event in await self.engine.events() if event["kind"] in kinds]

    async def alarms(self) -> list[str]:
        """Return the kinds of all alarms on record; each was told as well."""
        kinds = [event["body"]["alarm"] for event in await self.events("alarm")]
        await until(lambda: len(self.client.all(AlarmEvent)) >= len(kinds))
        assert [alarm.kind for alarm in self.client.all(AlarmEvent)] == kinds
        return kinds


@asynccontextmanager
async def gated(
    data: Path, chosen: dict[str, Any] | None = None, clock: FakeClock | None = None
) -> AsyncIterator[Gated]:
    """Run an engine with these options, a front and a back door where there are none."""
    clock = clock or FakeClock()
    doors = [{"id": "front", "pulse_seconds": 1}, {"id": "back", "pulse_seconds": 1}]
    async with (
        engine({"doors": doors, **(chosen or {})}, data, clock) as running,
        running.session() as session,
        Client.connected(running.url, running.token) as client,
    ):
        found = Gated(running, session, client, clock)
        await found.drive()
        yield found
