"""Four cameras by real RTSP, each with two streams, and the engine's options for them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from benchmarks.films import SMALL_RATE, View
from demo.rtsp import RtspServer, Stream


def server_of(views: tuple[View, ...]) -> RtspServer:
    """Return a server with a large and a small stream for each view."""
    streams: dict[str, Stream] = {}
    for number, view in enumerate(views):
        streams[f"/cam{number}/large"] = Stream(view.large)
        streams[f"/cam{number}/small"] = Stream(view.small, rate=Fraction(SMALL_RATE))
    return RtspServer(streams)


def options_of(server: RtspServer, count: int, models: Path | None) -> dict[str, object]:
    """Return the options of a site with a door for each of ``count`` cameras."""
    options: dict[str, object] = {
        "cameras": [
            {
                "id": f"cam{number}",
                "url": server.url(f"/cam{number}/large"),
                "substream_url": server.url(f"/cam{number}/small"),
            }
            for number in range(count)
        ],
        "doors": [
            {"id": f"door{number}", "entry_camera": f"cam{number}", "pulse_seconds": 1}
            for number in range(count)
        ],
    }
    return options if models is None else options | {"models": {"folder": str(models.resolve())}}
