"""Everything that the story needs, started together and stopped together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
import sys
from types import TracebackType
from typing import Self

from demo.back_door import BACK_DOOR_ID, BackDoor
from demo.camera import DemoCamera
from demo.dashboard import FrontDoor, dashboard, lock_of
from demo.engine import AREA_ID, CAMERA_ID, DOOR_ID, Engine, liveness_models, options
from demo.home import RELAY, Home
from demo.program import Program, free_port
from demo.scenes import Scenes, locate

RESIDENT, SECOND_RESIDENT = "Robin", "Grace"
READY_LIMIT_S = 30.0

type Tell = Callable[[str], None]


class Stage:
    """A camera, an engine that knows two residents, and a Home Assistant that drives a relay.

    A second relay is the engine's own.

    ``folder`` must not exist; logs and records are left in it. ``cache`` keeps the scenes from
    one run to the next. Entering raises ``ProgramError``, ``HomeError`` or ``EngineError``.
    """

    camera: DemoCamera
    engine: Engine
    home: Home
    door: FrontDoor
    back_door: BackDoor
    back_lock: str | None

    def __init__(
        self,
        folder: Path,
        cache: Path,
        *,
        home_port: int = 0,
        clip: bool = False,
        tell: Tell = lambda _: None,
    ) -> None:
        self.folder = folder.absolute()
        self._cache = cache.absolute()
        self._home_port = home_port
        self._clip = clip
        self._tell = tell
        self.models = liveness_models()
        self._parts = AsyncExitStack()

    @property
    def scenes(self) -> Scenes:
        """The camera's scenes."""
        return locate(self._cache)

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True)
        async with AsyncExitStack() as parts:
            self.home = Home(
                self.folder / "home",
                Path(sys.executable).with_name("hass"),
                self._home_port or free_port(),
            )
            parts.push_async_callback(self.home.stop)
            try:
                async with asyncio.TaskGroup() as starting:
                    starting.create_task(self.home.start())
                    starting.create_task(self._start_engine(parts))
            except ExceptionGroup as errors:
                # One cause is told; the other part was stopped for it.
                raise errors.exceptions[0] from None
            await self._join()
            self._parts = parts.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Home Assistant first, which would otherwise warn of losing the engine.
        try:
            await self.home.stop()
        finally:
            await self._parts.aclose()

    async def _start_engine(self, parts: AsyncExitStack) -> None:
        if not self.scenes.empty.exists():
            self._tell("composing the camera's scenes (the first time only)")
            # A program, so that it can be stopped at any time.
            maker = Program(
                "the composer of the scenes",
                (sys.executable, "-m", "demo.scenes", self._cache),
                self.folder / "scenes.log",
            )
            parts.push_async_callback(maker.kill)
            await maker.start()
            await maker.finish()
        self.camera = DemoCamera(self.folder, self.scenes, clip=self._clip)
        parts.push_async_callback(self.camera.stop)
        await self.camera.start()
        self.back_door = BackDoor(self.folder)
        parts.push_async_callback(self.back_door.stop)
        await self.back_door.start()
        port = free_port()
        back_door = self.back_door if self.back_door.there else None
        settings = options(self.camera.options, port, self.models, back_door)
        self.engine = Engine(self.folder, settings, port)
        parts.push_async_callback(self.engine.stop)
        await self.engine.start()
        await self.engine.enroll(RESIDENT, self.scenes.resident_pictures)
        await self.engine.enroll(SECOND_RESIDENT, self.scenes.second_resident_pictures)

    async def _join(self) -> None:
        """Let Home Assistant know the engine, drive the relay and show the door."""
        entry = await self.home.add_facegate("127.0.0.1", self.engine.port, self.engine.token)
        await self.home.choose_relay(entry, RELAY)
        entities = await self.home.entities()
        self.door = FrontDoor.find(entities, DOOR_ID, CAMERA_ID, AREA_ID)
        await self.home.client.wait_state(self.door.lock, "locked", READY_LIMIT_S)
        await self.home.client.wait_state(self.door.camera, "on", READY_LIMIT_S)
        self.back_lock = lock_of(entities, BACK_DOOR_ID) if self.back_door.there else None
        if self.back_lock is not None:
            await self.home.client.wait_state(self.back_lock, "locked", READY_LIMIT_S)
        await self.home.save_dashboard(dashboard(self.door, self.back_lock))
