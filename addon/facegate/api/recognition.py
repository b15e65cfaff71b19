"""REST: how well faces are told apart at this site."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from facegate.api.request import whole
from facegate.office.recognition import STRANGERS_A_DAY, Recognition
from facegate.protocol import RECOGNITION_PATH

_MOST_STRANGERS = 1_000_000


class RecognitionRoutes:
    """Handlers over the office; errors are translated by the server."""

    def __init__(self, recognition: Recognition) -> None:
        self._recognition = recognition

    def table(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get(RECOGNITION_PATH, self._report)]

    async def _report(self, request: web.Request) -> web.Response:
        strangers = whole(request, "strangers_a_day", STRANGERS_A_DAY, _MOST_STRANGERS)
        return web.json_response(asdict(await self._recognition.report(strangers)))
