"""A camera that shows what it is told, in a time that is told, before an engine that is real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from facegate import assembly
from facegate.camera.pixels import StillPixels
from facegate.domain import CameraStatus, Frame, Image
from facegate.protocol import AccessEvent, CameraStateName
from facegate.settings import CameraSettings
from tests.engine.clips import RATE, resident, resident_photos
from tests.support import Client, Engine, FakeClock, engine, until

# Pictures a second: few, as a test pays for each.
FRAME_RATE = 5
# Pictures that are enough to be named and, without liveness, granted; to be denied and to ring.
A_LOOK = 5
A_WAIT = 14
AWAY_S = 1.0


def residents_scene() -> list[Image]:
    """Return three seconds of one moving face."""
    return resident()[:: RATE // FRAME_RATE]


class ScriptedCamera:
    """Yields the pictures of the scene that is on; its clock moves with every picture."""

    def __init__(self, camera_id: str, clock: FakeClock) -> None:
        self.id = camera_id
        self.status = CameraStatus(CameraStateName.STREAMING)
        self.delay_s = 0.0
        self.rate = FRAME_RATE
        self.dropped_frames = self.rejected_frames = 0
        self._clock = clock
        self._scenes: asyncio.Queue[list[Image] | None] = asyncio.Queue()
        self._sequence = 0

    async def show(self, pictures: Iterable[Image]) -> None:
        """Show pictures, and return when all that comes of them is done."""
        self._scenes.put_nowait(list(pictures))
        async with asyncio.timeout(60):
            await self._scenes.join()

    async def frames(self) -> AsyncIterator[Frame]:
        while (scene := await self._scenes.get()) is not None:
            for picture in scene:
                self._clock.passed += 1 / self.rate
                self._sequence += 1
                arrived = self._clock.monotonic() - self.delay_s
                yield Frame(
                    self.id, self._sequence, arrived, self._clock.now(), StillPixels(picture)
                )
                await acted_on()
            self._scenes.task_done()

    def focus(self, *, wanted: bool) -> None:
        pass

    async def close(self) -> None:
        self._scenes.put_nowait(None)


async def acted_on() -> None:
    """Return when the pipeline has done what it decided: time must not run ahead of it."""

    def busy() -> bool:
        names = (getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())
        return any(name.startswith(("Pipeline._", "CodeReader._")) for name in names)

    await until(lambda: not busy())


@dataclass
class Passage:
    """An engine, the camera before it, and the client that drives its doors."""

    site: Engine
    client: Client
    cameras: dict[str, ScriptedCamera]
    clock: FakeClock

    async def show(self, pictures: Iterable[Image], camera: str = "porch") -> None:
        await self.cameras[camera].show(pictures)

    def nobody(self, seconds: float = AWAY_S) -> None:
        """Let time pass in which nobody is there."""
        self.clock.passed += seconds

    async def enroll(self, doors: list[str], name: str = "Ann") -> str:
        return await self.site.enroll(name, await asyncio.to_thread(resident_photos), doors)

    async def events(self) -> list[AccessEvent]:
        """Return every decision that was told, once all that was sent has been received."""
        await until(lambda: self.client.received)
        await self.client.operate("nowhere", "lock")  # type: ignore[arg-type]
        return self.client.all(AccessEvent)


def options(**door: Any) -> dict[str, Any]:
    """Return options of one door whose camera looks at who comes in; no liveness unless told."""
    return {
        "cameras": [{"id": "porch", "clip": "scripted"}],
        "doors": [
            {
                "id": "front",
                "entry_camera": "porch",
                "pulse_seconds": 1,
                "controls": {"liveness": "off"},
                **door,
            }
        ],
    }


@asynccontextmanager
async def passage(
    monkeypatch: pytest.MonkeyPatch, data: Path, chosen: dict[str, Any]
) -> AsyncIterator[Passage]:
    """Run an engine whose cameras are scripted."""
    clock = FakeClock()
    cameras: dict[str, ScriptedCamera] = {}

    def open_camera(settings: CameraSettings, *_: object) -> ScriptedCamera:
        cameras[settings.id] = ScriptedCamera(settings.id, clock)
        return cameras[settings.id]

    monkeypatch.setattr(assembly, "open_camera", open_camera)
    async with (
        engine(chosen, data, clock) as site,
        Client.connected(site.url, site.token) as client,
    ):
        doors = [door["id"] for door in chosen["doors"]]
        await client.drive(*doors)
        await until(lambda: all(door.fault is None for door in site.site.board.state().doors))
        yield Passage(site, client, cameras, clock)
