"""REST: health and state."""

from __future__ import annotations

from aiohttp import web

from facegate import __version__
from facegate.protocol import HEALTH_PATH, STATE_PATH, CameraStateName, encode
from facegate.site import Site


class Routes:
    """Handlers over the site; errors are translated by the server."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def table(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get(HEALTH_PATH, self._health), web.get(STATE_PATH, self._state)]

    async def _health(self, _request: web.Request) -> web.Response:
        """Answer without a token, and so without anything that is not for everybody."""
        state = self._site.board.state()
        cameras = state.cameras
        down = sum(camera.state is not CameraStateName.STREAMING for camera in cameras)
        parts = {
            "records": self._site.bulletin.record_fault is None,
            "models": not state.model_faults,
            "vault": self._site.vault_fault is None,
        }
        stages = self._site.latencies.summary()
        return web.json_response(
            {
                "status": "ok" if all(parts.values()) and not down else "degraded",
                "version": __version__,
                **{part: "ok" if well else "failing" for part, well in parts.items()},
                "model_faults": [fault.model for fault in state.model_faults],
                "need_photos": state.need_photos,
                "cameras": len(cameras),
                "cameras_down": down,
                # Without counts: how often a door opens is not for everybody.
                "latency_ms": {
                    stage: {"p50": _ms(found.p50_s), "p95": _ms(found.p95_s)}
                    for stage, found in stages.items()
                },
            }
        )

    async def _state(self, _request: web.Request) -> web.Response:
        text = encode(self._site.board.state())
        return web.Response(text=text, content_type="application/json")


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
