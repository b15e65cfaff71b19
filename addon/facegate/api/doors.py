"""REST: modes of doors, what is presented at them, and areas."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from aiohttp import web

from facegate.api.request import access_point_of, body_of, user_of
from facegate.domain import AccessPoint, Decision
from facegate.errors import ModelError, NotFoundError
from facegate.protocol import (
    AREAS_PATH,
    CALL_PICTURE_PATH,
    DOOR_PICTURE_PATH,
    DOORS_PATH,
    MODE_PATH,
    Direction,
    DoorMode,
)
from facegate.register import Area
from facegate.site import Site
from facegate.site.instruments.instruments import PICTURE_S
from facegate.site.presenting import Presented
from facegate.views import area_view, verdict_view
from facegate.vision import Vision

_DOOR = DOORS_PATH + "/{door_id}"
_AREA = AREAS_PATH + "/{area_id}"


@dataclass(frozen=True, slots=True)
class ModeBody:
    """The mode that a door, or every door, shall be in."""

    mode: DoorMode


@dataclass(frozen=True, slots=True)
class PresentedBody:
    """A credential at a reader: number and PIN, a card's number, or the code of a pass."""

    direction: Direction = Direction.ENTRY
    number: str | None = None
    pin: str | None = None
    card_number: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class TemperatureBody:
    """A body temperature in degrees Celsius; taken now where ``at`` is null."""

    celsius: float
    direction: Direction = Direction.ENTRY
    at: float | None = None


@dataclass(frozen=True, slots=True)
class UnitBody:
    """The unit that a visitor asks for, null for the desk."""

    unit: str | None = None


@dataclass(frozen=True, slots=True)
class OccupancyBody:
    """How many people are in an area."""

    count: int


@dataclass(frozen=True, slots=True)
class ResetBody:
    """Whom to take out of an area, everybody where null."""

    subject_id: str | None = None


class DoorRoutes:
    """Handlers over the site; errors are translated by the server."""

    def __init__(self, site: Site, vision: Vision | None) -> None:
        self._site = site
        self._vision = vision

    def table(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(DOOR_PICTURE_PATH, self._door_picture),
            web.get(CALL_PICTURE_PATH, self._call_picture),
            web.put(MODE_PATH, self._put_mode),
            web.put(_DOOR + "/mode", self._put_mode),
            web.post(_DOOR + "/credentials", self._present),
            web.post(_DOOR + "/temperature", self._take_temperature),
            web.post(_DOOR + "/document", self._show_document),
            web.post(_DOOR + "/unit", self._ask_unit),
            web.post(_DOOR + "/ring", self._ring),
            web.get(AREAS_PATH, self._areas),
            web.put(_AREA + "/occupancy", self._put_occupancy),
            web.post(_AREA + "/reset", self._reset),
        ]

    async def _door_picture(self, request: web.Request) -> web.Response:
        return _jpeg(self._site.board.door_picture(request.match_info["door_id"]))

    async def _call_picture(self, request: web.Request) -> web.Response:
        return _jpeg(await self._site.visitors.picture(request.match_info["call_id"]))

    async def _put_mode(self, request: web.Request) -> web.Response:
        body = await body_of(request, ModeBody)
        await self._site.modes.put(body.mode, user_of(request), request.match_info.get("door_id"))
        return web.json_response(asdict(body))

    async def _present(self, request: web.Request) -> web.Response:
        body = await body_of(request, PresentedBody)
        point = AccessPoint(request.match_info["door_id"], body.direction)
        presented = Presented(body.number, body.pin, body.card_number, body.code)
        decision = await self._site.presenting.present(point, presented)
        return web.json_response(_receipt(decision))

    async def _take_temperature(self, request: web.Request) -> web.Response:
        body = await body_of(request, TemperatureBody)
        point = AccessPoint(request.match_info["door_id"], body.direction)
        self._site.presenting.take_temperature(point, body.celsius, body.at)
        return web.Response(status=204)

    async def _show_document(self, request: web.Request) -> web.Response:
        point = access_point_of(request)
        self._site.passages.door(point.door_id)
        if self._vision is None:
            raise ModelError("faces cannot be read: a model is missing, see the engine's log")
        picture = await request.read()
        face = await self._vision.read_photo(picture)
        await self._site.presenting.show_document(point, face.embedding, picture)
        return web.Response(status=204)

    async def _ask_unit(self, request: web.Request) -> web.Response:
        body = await body_of(request, UnitBody)
        self._site.visitors.ask_unit(request.match_info["door_id"], body.unit)
        return web.Response(status=204)

    async def _ring(self, request: web.Request) -> web.Response:
        """Let whoever pressed the doorbell ring; while the door has a call it changes nothing."""
        point = AccessPoint(request.match_info["door_id"], Direction.ENTRY)
        self._site.passages.door(point.door_id)
        picture = self._site.board.fresh_picture(point.door_id, PICTURE_S)
        await self._site.visitors.press(point, picture or b"")
        return web.Response(status=204)

    async def _areas(self, _request: web.Request) -> web.Response:
        areas = self._site.gate.presence.areas
        return web.json_response({"areas": [self._area_json(area) for area in areas]})

    async def _put_occupancy(self, request: web.Request) -> web.Response:
        area = self._area(request)
        body = await body_of(request, OccupancyBody)
        await self._site.correct(area.id, body.count, user_of(request))
        return web.json_response(self._area_json(area))

    async def _reset(self, request: web.Request) -> web.Response:
        area = self._area(request)
        body = await body_of(request, ResetBody)
        await self._site.reset(area.id, body.subject_id, user_of(request))
        return web.json_response(self._area_json(area))

    def _area(self, request: web.Request) -> Area:
        area_id = request.match_info["area_id"]
        if (area := self._site.gate.presence.area(area_id)) is None:
            known = ", ".join(item.id for item in self._site.gate.presence.areas) or "none"
            raise NotFoundError(f"no area has the id {area_id!r}; areas: {known}")
        return area

    def _area_json(self, area: Area) -> dict[str, object]:
        presence = self._site.gate.presence
        return {
            **asdict(area_view(area, presence)),
            "subjects": sorted(presence.inside(area.id)),
        }


def _receipt(decision: Decision) -> dict[str, object]:
    return {
        "decision_id": decision.id,
        "granted": decision.granted,
        "reason": decision.reason,
        "verdicts": [asdict(verdict_view(verdict)) for verdict in decision.verdicts],
    }


def _jpeg(data: bytes) -> web.Response:
    return web.Response(body=data, content_type="image/jpeg", headers={"Cache-Control": "no-store"})
