"""REST: what a user asks of a door or answers to a call, for pages that have no socket."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from facegate.api.request import body_of, user_of
from facegate.protocol import CALL_PICTURE_PATH, DOORS_PATH, CallAnswer, Direction, DoorAction
from facegate.site import Site

OPERATION_PATH = DOORS_PATH + "/{door_id}/operation"
ANSWER_PATH = CALL_PICTURE_PATH.removesuffix("/picture") + "/answer"


@dataclass(frozen=True, slots=True)
class OperationBody:
    """What a door shall do."""

    action: DoorAction
    direction: Direction = Direction.ENTRY


@dataclass(frozen=True, slots=True)
class AnswerBody:
    """How a call is answered."""

    answer: CallAnswer


class OperationRoutes:
    """Handlers over the site; errors are translated by the server."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def table(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.post(OPERATION_PATH, self._operate), web.post(ANSWER_PATH, self._answer)]

    async def _operate(self, request: web.Request) -> web.Response:
        body = await body_of(request, OperationBody)
        door_id, user = request.match_info["door_id"], user_of(request)
        await self._site.operate(door_id, body.action, user, body.direction)
        return web.Response(status=204)

    async def _answer(self, request: web.Request) -> web.Response:
        body = await body_of(request, AnswerBody)
        call_id, user = request.match_info["call_id"], user_of(request)
        await self._site.visitors.answer(call_id, body.answer, user)
        return web.Response(status=204)
