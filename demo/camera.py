"""The front door's camera, whose scene can be changed: a real RTSP server, else a clip."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
import shutil
import time

import av

from demo.rtsp import RtspServer, Stream, rtsp_unavailable_reason
from demo.scenes import EMPTY_S, RATE, Scenes

_PATH = "/front"
# The empty scene is read anew each time it ends; what replaces it is on by then.
SCENE_ON_S = EMPTY_S + 0.5


class DemoCamera:
    """Plays the empty scene over and over, and others when told.

    ``kind`` is ``rtsp`` or ``clip``; ``why_clip`` says why there is no RTSP server.
    """

    def __init__(self, folder: Path, scenes: Scenes, *, clip: bool = False) -> None:
        self.why_clip = "asked for" if clip else rtsp_unavailable_reason()
        self.kind = "clip" if self.why_clip else "rtsp"
        self._scenes = scenes
        self._file = folder / ("camera.mp4" if self.why_clip else "camera.h264")
        self._kept: Path | None = None
        self._over = 0.0
        self.server = RtspServer({_PATH: Stream(self._file)})

    @property
    def options(self) -> Mapping[str, object]:
        """What the engine's options say of this camera."""
        if self.why_clip:
            return {"clip": str(self._file), "loop": True, "paced": True}
        return {"url": self.server.url(_PATH)}

    async def start(self) -> None:
        """Begin with the empty scene; raises ``RuntimeError`` if the server does not start."""
        self._show(self._scenes.empty)
        if not self.why_clip:
            await self.server.start()

    async def stop(self) -> None:
        """Stop; idempotent."""
        await self.server.kill()

    async def empty(self) -> None:
        """Return once what was played is over and the empty scene is on."""
        await asyncio.sleep(max(0.0, self._over - time.monotonic()))

    async def play(self, scene: Path) -> None:
        """Play a scene once; returns when it is surely on, and the empty one follows it.

        To be called while the empty scene is on.
        """
        self._show(scene)
        await asyncio.sleep(SCENE_ON_S)
        self._follow_with_empty(scene)

    def keep_playing(self, scene: Path) -> None:
        """Play a scene over and over, until ``clear``; to be called while the empty one is on."""
        self._kept = scene
        self._show(scene)

    def clear(self) -> None:
        """Let the empty scene follow what is kept playing."""
        if self._kept is not None:
            self._follow_with_empty(self._kept)
            self._kept = None

    def _follow_with_empty(self, scene: Path) -> None:
        self._show(self._scenes.empty)
        self._over = time.monotonic() + self._scenes.durations[scene] + 0.5

    def _show(self, scene: Path) -> None:
        """Put the scene where it is read next, in one step."""
        part = self._file.with_suffix(".part")
        if self.why_clip:
            _wrap(scene, part)
        else:
            shutil.copyfile(scene, part)
        part.replace(self._file)


def _wrap(byte_stream: Path, target: Path) -> None:
    """Give a byte stream the times that a clip needs, without encoding it anew."""
    options = {"framerate": str(RATE)}
    with (
        av.open(str(byte_stream), format="h264", options=options) as source,
        av.open(str(target), "w", format="mp4") as out,
    ):
        stream = out.add_stream_from_template(source.streams.video[0])
        for index, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.stream = stream
                packet.time_base = Fraction(1, RATE)
                packet.pts = packet.dts = index
                packet.duration = 1
                out.mux(packet)
