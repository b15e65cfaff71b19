"""Construction: the only file that names concrete classes, in the order of the passage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import logging
from pathlib import Path

from facegate.api.auth import read_token
from facegate.api.server import Server
from facegate.background import Background
from facegate.camera.clip import ClipCamera
from facegate.camera.stream import RtspCamera
from facegate.clock import SystemClock
from facegate.domain import Camera, CameraStatus, Clock
from facegate.door.homeassistant import HomeAssistantActuator
from facegate.errors import ModelError, SettingsError
from facegate.face.detect import FaceDetector
from facegate.face.engine import open_session
from facegate.face.graph import prepare
from facegate.face.weights import SFACE, YUNET
from facegate.identity.embed import Embedder
from facegate.identity.gallery import Gallery
from facegate.people import People
from facegate.pipeline import Pipeline
from facegate.protocol import CameraStateName
from facegate.record.store import Store
from facegate.settings import CameraSettings, Settings
from facegate.site import Site
from facegate.vision import Vision
from facegate.visitor.call import Calls

_LOGGER = logging.getLogger(__name__)

TICK_S = 1.0


@asynccontextmanager
async def running(
    settings: Settings, data: Path, clock: Clock | None = None
) -> AsyncIterator[Site]:
    """Run one site's engine for as long as the block; its records are in the folder ``data``.

    Raises ``SettingsError`` and ``RecordError``. Without its models the engine runs, names the
    fault and opens no door to a face.
    """
    clock = clock or SystemClock()
    token = await asyncio.to_thread(_prepare_folder, data)
    store = await Store.open(data / "facegate.db")
    vision, model_fault = await asyncio.to_thread(_open_vision, data / "models")
    gallery = Gallery(SFACE.id)
    people = People(store, gallery, vision, clock, tuple(door.id for door in settings.doors))
    actuators = {door.id: HomeAssistantActuator(door.id) for door in settings.doors}
    site = Site(settings, store, Calls(clock), actuators, clock)
    site.model_fault = model_fault
    server = Server(settings.api, site, people, store, token)
    work = Background()
    cameras: list[Camera] = []
    pipeline = Pipeline(settings, vision, gallery, people, site, clock) if vision else None
    try:
        await people.load()
        await site.start()
        if pipeline is not None:
            for camera_settings in settings.cameras:
                camera = _open_camera(camera_settings, clock, site)
                cameras.append(camera)
                site.camera_changed(camera.id, camera.status)
                work.spawn(pipeline.watch(camera))
        else:
            _LOGGER.error("No door opens to a face: %s", model_fault)
            for camera_settings in settings.cameras:
                status = CameraStatus(CameraStateName.REFUSED, model_fault)
                site.camera_changed(camera_settings.id, status)
        work.spawn(_tick(site))
        await server.start()
        yield site
    finally:
        await asyncio.gather(*(camera.close() for camera in cameras))
        await work.cancel()
        if pipeline is not None:
            await pipeline.close()
        await server.stop()
        await site.close()
        if vision is not None:
            vision.close()
        await store.close()


def _prepare_folder(data: Path) -> str:
    """Make the data folder and read the token."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        return read_token(data / "token")
    except OSError as err:
        raise SettingsError((f"data folder {data}: {err.strerror}",)) from err


def _open_vision(cache: Path) -> tuple[Vision | None, str | None]:
    try:
        detector = FaceDetector(open_session(prepare(YUNET, cache)))
        embedder = Embedder(open_session(prepare(SFACE, cache)), SFACE.id)
    except ModelError as err:
        return None, str(err)
    return Vision(detector, embedder), None


def _open_camera(settings: CameraSettings, clock: Clock, site: Site) -> Camera:
    def changed(status: CameraStatus) -> None:
        site.camera_changed(settings.id, status)

    if settings.url is not None:
        return RtspCamera(settings.id, settings.url, clock, on_status=changed)
    if settings.clip is not None:
        return ClipCamera(
            settings.id,
            settings.clip,
            clock,
            paced=settings.paced,
            loop=settings.loop,
            on_status=changed,
        )
    raise SettingsError((f"camera {settings.id}: expected either url or clip",))


async def _tick(site: Site) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        site.tick()
