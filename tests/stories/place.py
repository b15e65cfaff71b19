"""One place: a real engine, the real integration in a real Home Assistant, a strike, a camera.

Only the camera's pictures, the strike and the engine's clock are told what to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
import shutil
import sqlite3
import time
from typing import Any

from homeassistant.components.lock.const import LockState
from homeassistant.core import Event, EventStateChangedData, ServiceCall, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    async_mock_service,
)

from facegate import assembly
from facegate.assembly import running
from facegate.domain import Image, MaskClassifier
from facegate.settings import CameraSettings, parse
from tests.engine.clips import resident_photos
from tests.engine.face.real import carphone
from tests.engine.passage import ScriptedCamera, residents_scene
from tests.integration.hardware import STRIKE, Strike
from tests.integration.home import Home
from tests.integration.real import RealEngine
from tests.support import FakeClock, by_motion, lend_models, until

BLUEPRINTS = Path(__file__).parents[2] / "blueprints"
CAMERA = "porch"
CONSENT: dict[str, Any] = {"text_version": "2026-1", "purpose": "access", "language": "en"}
# Pictures a second of a scene in which liveness can be told.
LIVE_RATE = 15
_NOTHING = {"unknown", "unavailable"}


class MovedClock(FakeClock):
    """The computer's own clock, moved: relays take real time, days need not."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.passed + self.wall)

    def monotonic(self) -> float:
        return time.monotonic() + self.passed


class StoryEngine(RealEngine):
    """An engine with its models."""

    def __init__(self, data: Path, options: dict[str, Any], masks: MaskClassifier | None) -> None:
        super().__init__(data)
        self.data = data
        self.options = {**by_motion(options), "api": {"port": self.port}}
        self.clock = MovedClock()
        self.cameras: dict[str, ScriptedCamera] = {}
        self._masks = masks

    async def start(self) -> None:
        await asyncio.to_thread(lend_models, self.data)
        self._site = await self._stack.enter_async_context(
            running(parse(self.options), self.data, self.clock, self._masks)
        )


@dataclass
class Place:
    """Where a story happens. ``told`` is what the event entities told that was not read yet."""

    home: Home
    engine: StoryEngine
    strike: Strike
    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def clock(self) -> MovedClock:
        return self.engine.clock

    @property
    def camera(self) -> ScriptedCamera:
        return self.engine.cameras[CAMERA]

    @property
    def data(self) -> Path:
        return self.engine.data

    # --- at the door ----------------------------------------------------------------------------

    async def show(self, pictures: Iterable[Image]) -> None:
        """Show pictures to the camera, and return when all that comes of them is done."""
        await self.camera.show(pictures)

    def nobody(self, seconds: float = 3) -> None:
        """Let time pass in which nobody is there."""
        self.clock.passed += seconds

    async def later(self, **span: float) -> None:
        """Let hours and days pass; Home Assistant's clock stays, so it compares clocks anew."""
        self.clock.passed += timedelta(**span).total_seconds()
        client = self.home.coordinator.client
        before = client._connection
        client.reconnect()
        await until(lambda: client._connection not in (None, before))
        await self.ready()

    async def ready(self) -> None:
        """Return when the door can be opened."""
        await self.home.shows("lock", "lock", LockState.LOCKED)
        doors = self.engine.site.board.state
        await until(lambda: all(door.fault is None for door in doors().doors))

    async def present(self, **fields: Any) -> dict[str, Any]:
        """Present a credential at the front door as a reader's automation does."""
        receipt: dict[str, Any] = await self.home.act("present_credential", door="front", **fields)
        return receipt

    async def decision(self, key: str = "access") -> dict[str, Any]:
        """Return the attributes of the next event of the front door that was not read yet."""
        await until(lambda: self.told.get(key))
        return self.told[key].pop(0)

    async def pulsed(self, times: int) -> None:
        """Return when the strike has let pass so often, no more, and is shut again."""
        await until(lambda: self.strike.asked.count("off") >= times, timeout_s=20)
        assert self.strike.asked == ["on", "off"] * times

    # --- in the office --------------------------------------------------------------------------

    async def add(self, name: str, **fields: Any) -> dict[str, Any]:
        """Add somebody who may pass the front door."""
        fields = {"permits": [{"door": "front"}], **fields}
        view: dict[str, Any] = await self.home.act("add_person", name=name, **fields)
        return view

    async def enroll(self, subject_id: str, guardian: str | None = None) -> None:
        """Record a consent and enroll the face that the camera shows."""
        signed: dict[str, Any] = {"signer": guardian or "Ann"}
        if guardian is not None:
            signed["guardian"] = guardian
        await self.home.act("record_consent", subject_id=subject_id, **CONSENT, **signed)
        for index, photo in enumerate(await asyncio.to_thread(resident_photos)):
            path = self.file(f"photo-{index}.png", photo)
            await self.home.act("enroll_photo", subject_id=subject_id, photo_path=str(path))

    def file(self, name: str, content: bytes) -> Path:
        """Write a file that Home Assistant may read."""
        path = self.data.parent / name
        path.write_bytes(content)
        return path

    # --- in Home Assistant ----------------------------------------------------------------------

    def phone(self, name: str) -> list[ServiceCall]:
        """Add a phone's notify action and return what it is sent."""
        sent: list[ServiceCall] = async_mock_service(self.home.hass, "notify", name)
        return sent

    async def automate(self, blueprint: str, **inputs: Any) -> None:
        """Make an automation of a blueprint as it is shipped."""
        hass = self.home.hass
        target = Path(hass.config.config_dir) / "blueprints"
        await asyncio.to_thread(shutil.copytree, BLUEPRINTS, target)
        used = {"path": f"facegate/{blueprint}.yaml", "input": inputs}
        config = {"automation": {"alias": "Story", "use_blueprint": used}}
        assert await async_setup_component(hass, "automation", config)
        await hass.async_block_till_done()
        automation = hass.states.get("automation.story")
        assert automation is not None
        assert automation.state == "on", "Home Assistant does not accept the automation"

    # --- on record ------------------------------------------------------------------------------

    async def record(self, kind: str) -> list[dict[str, Any]]:
        """Return the rows of a kind in the engine's record, once none is still being written."""
        await self.engine.site.bulletin.finish()
        events = await self.engine.site.store.events(limit=1000)
        path = self.data / "facegate.db"
        found = await asyncio.to_thread(_rows, path, kind)
        assert len(found) == sum(event.kind == kind for event in events)
        return found

    def listen(self) -> None:
        """Remember what the front door's events tell."""
        for key in ("access", "passage", "visitor", "alarm"):
            told = self.told[key] = []
            shown = set[str]()

            @callback
            def note(
                event: Event[EventStateChangedData],
                told: list[dict[str, Any]] = told,
                shown: set[str] = shown,
            ) -> None:
                new = event.data["new_state"]
                # After a reconnection an event is shown again with its old moment.
                if new is None or new.state in _NOTHING or new.state in shown:
                    return
                shown.add(new.state)
                told.append(dict(new.attributes))

            entity_id = self.home.entity_id("event", key)
            async_track_state_change_event(self.home.hass, entity_id, note)


def _rows(path: Path, kind: str) -> list[dict[str, Any]]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        rows = connection.execute("SELECT * FROM events WHERE kind = ? ORDER BY seq", (kind,))
        return [dict(row) for row in rows]
    finally:
        connection.close()


def engine_in(
    data: Path,
    options: dict[str, Any],
    masks: MaskClassifier | None,
    start: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> StoryEngine:
    """Return an engine whose cameras are scripted, and whose clock shows ``start`` (ISO)."""
    engine = StoryEngine(data, options, masks)
    if start is not None:
        ahead = datetime.fromisoformat(start) - datetime.now(UTC)
        engine.clock.wall = ahead.total_seconds()

    def open_camera(settings: CameraSettings, *_: object) -> ScriptedCamera:
        engine.cameras[settings.id] = ScriptedCamera(settings.id, engine.clock)
        return engine.cameras[settings.id]

    monkeypatch.setattr(assembly, "open_camera", open_camera)
    return engine


@asynccontextmanager
async def opened(home: Home, strike: Strike, engine: StoryEngine) -> AsyncIterator[Place]:
    """Run an engine with Home Assistant, which drives its front door."""
    await engine.start()
    try:
        await home.add(engine, {"front": STRIKE})
        place = Place(home, engine, strike)
        place.listen()
        await place.ready()
        yield place
    finally:
        await home.unload()
        await engine.stop()


def front(**door: Any) -> dict[str, Any]:
    """Return options of a front door before which a camera stands; no liveness unless told."""
    return {
        "site": {"time_zone": "Europe/Vienna"},
        "cameras": [{"id": CAMERA, "clip": "scripted"}],
        "doors": [
            {
                "id": "front",
                "name": "Front door",
                "entry_camera": CAMERA,
                "pulse_seconds": 1,
                "controls": {"liveness": "off"},
                **door,
            }
        ],
    }


@cache
def face() -> tuple[Image, ...]:
    """Return three seconds of the face that ``Place.enroll`` enrolls, five pictures a second."""
    return tuple(residents_scene())


@cache
def living_face() -> tuple[Image, ...]:
    """Return two and a half seconds of the same head moving, ``LIVE_RATE`` pictures a second."""
    return tuple(carphone()[:75:2])


def failed(decision: dict[str, Any]) -> dict[str, str]:
    """Return the required controls that denied, each with its reason."""
    return {
        verdict["control"]: verdict["reason"]
        for verdict in decision["verdicts"]
        if verdict["requirement"] == "required" and verdict["outcome"] != "pass"
    }
