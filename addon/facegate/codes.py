"""Codes of visitor passes that are held up to a camera."""

from __future__ import annotations

import asyncio

from facegate.background import Background
from facegate.decision.policy import MAX_FRAME_AGE_S
from facegate.domain import AccessPoint, Camera, Clock, Frame
from facegate.face.track import Tracker
from facegate.settings import Settings
from facegate.site import Site
from facegate.vision import scene
from facegate.visitor.qr import LOOK_WIDTH, find_code
from facegate.watch import Code, Watch, follow

CODE_S = 0.4
"""How often a camera's picture is searched for a code, while something moves."""

AGAIN_S = 10.0
"""A code that stays before the camera is presented again after this time away."""


class CodeReader:
    """Reads codes where a pass may open a door, and presents each once."""

    def __init__(
        self, settings: Settings, site: Site, clock: Clock, background: Background
    ) -> None:
        self._access_points = settings.access_points
        self._min_face_px = settings.recognition.min_face_px
        self._site = site
        self._clock = clock
        self._background = background

    async def watch(self, camera: Camera) -> None:
        """Look for codes alone, until a camera ends: while faces cannot be seen, passes open."""
        watch = Watch(Tracker(camera.id), self._min_face_px)

        async def look(frame: Frame) -> bool:
            watch.looks(frame)
            return self.look(frame, watch)

        await follow(camera, look)

    async def close(self) -> None:
        """Finish what was presented; to be called once no camera is watched any more."""
        await self._background.finish()

    def look(self, frame: Frame, watch: Watch) -> bool:
        """Begin to read the code in a frame: faces do not wait for it.

        Return whether a code may be held up now: it is read in the large picture.
        """
        points = [
            point
            for point in self._access_points(frame.camera_id)
            if self._site.presenting.reads_codes(point.door_id)
        ]
        if not points or not watch.moving:
            return False
        seen = watch.code
        if frame.detail and not seen.reading and frame.arrived - seen.looked >= CODE_S:
            seen.looked, seen.reading = frame.arrived, True
            self._background.spawn(self._read(frame, points, seen))
        return True

    async def _read(self, frame: Frame, points: list[AccessPoint], seen: Code) -> None:
        """Read the code in a frame, and present it once while it is held up."""
        try:
            code = await asyncio.to_thread(_find_code, frame)
        finally:
            seen.reading = False
        if code is None:
            return
        before, seen.text, since = seen.text, code, frame.arrived - seen.at
        seen.at = frame.arrived
        if code == before and since < AGAIN_S:
            return
        for point in points:
            await self._present(point, code, frame)

    async def _present(self, point: AccessPoint, code: str, frame: Frame) -> None:
        age_s = self._clock.monotonic() - frame.arrived
        if age_s <= MAX_FRAME_AGE_S:
            await self._site.presenting.present_code(point, code, age_s)
            self._site.board.show_picture(point.door_id, await scene(frame))


def _find_code(frame: Frame) -> str | None:
    """Return the code in a frame; it is looked for at this width, so that no more is converted."""
    width, height = frame.pixels.size
    share = min(1.0, LOOK_WIDTH / width)
    return find_code(frame.pixels.scaled(round(width * share), round(height * share)))
