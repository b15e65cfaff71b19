"""REST: the test of how a door's camera hangs."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from aiohttp import web

from facegate.api.request import access_point_of, body_of
from facegate.domain import AccessPoint
from facegate.errors import ModelError
from facegate.protocol import DOORS_PATH, Direction
from facegate.site import Site
from facegate.site.placement import DEFAULT_S, PlacementResult

_PLACEMENT = DOORS_PATH + "/{door_id}/placement"


@dataclass(frozen=True, slots=True)
class PlacementBody:
    """How long a test runs, in seconds, and at which of a door's cameras."""

    seconds: int = DEFAULT_S
    direction: Direction = Direction.ENTRY


class PlacementRoutes:
    """Handlers over the site; errors are translated by the server."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def table(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.post(_PLACEMENT, self._start), web.get(_PLACEMENT, self._result)]

    async def _start(self, request: web.Request) -> web.Response:
        body = await body_of(request, PlacementBody)
        if self._site.model_fault is not None:
            raise ModelError("faces cannot be read: a model is missing, see the engine's log")
        point = AccessPoint(request.match_info["door_id"], body.direction)
        return _answer(self._site.placement.start(point, body.seconds))

    async def _result(self, request: web.Request) -> web.Response:
        return _answer(self._site.placement.result(access_point_of(request)))


def _answer(result: PlacementResult) -> web.Response:
    return web.json_response(asdict(result))
