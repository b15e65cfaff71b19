"""REST: visitor passes."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from facegate.api.request import body_of, user_of
from facegate.errors import InvalidError
from facegate.office.pass_desk import IssuedPass, PassDesk, PassWish
from facegate.protocol import PASSES_PATH
from facegate.register import VisitorPass

_PASS = PASSES_PATH + "/{pass_id}"


@dataclass(frozen=True, slots=True)
class PassBody:
    """The pass that is asked for; moments are seconds since 1970 UTC, from now where null."""

    name: str
    door_ids: tuple[str, ...]
    valid_until: float
    valid_from: float | None = None
    max_uses: int = 1
    unit: str | None = None


class PassRoutes:
    """Handlers over the desk; errors are translated by the server."""

    def __init__(self, desk: PassDesk) -> None:
        self._desk = desk

    def table(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(PASSES_PATH, self._passes),
            web.post(PASSES_PATH, self._issue),
            web.post(_PASS + "/code", self._renew),
            web.delete(_PASS, self._revoke),
        ]

    async def _passes(self, _request: web.Request) -> web.Response:
        return web.json_response({"passes": [_view(item) for item in self._desk.all]})

    async def _issue(self, request: web.Request) -> web.Response:
        body = await body_of(request, PassBody)
        wish = PassWish(
            body.name,
            body.door_ids,
            _moment("valid_until", body.valid_until),
            None if body.valid_from is None else _moment("valid_from", body.valid_from),
            body.max_uses,
            body.unit,
        )
        return _told(await self._desk.issue(wish, user_of(request)))

    async def _renew(self, request: web.Request) -> web.Response:
        return _told(await self._desk.renew(request.match_info["pass_id"], user_of(request)))

    async def _revoke(self, request: web.Request) -> web.Response:
        revoked = await self._desk.revoke(request.match_info["pass_id"], user_of(request))
        return web.json_response(_view(revoked))


def _told(issued: IssuedPass) -> web.Response:
    return web.json_response(
        {
            "pass": _view(issued.visitor_pass),
            "code": issued.code,
            "pin": issued.pin,
            "qr": base64.b64encode(issued.qr).decode(),
        },
        status=201,
        headers={"Cache-Control": "no-store"},
    )


def _view(item: VisitorPass) -> dict[str, object]:
    return {
        "id": item.id,
        "name": item.name,
        "made_by": item.made_by,
        "door_ids": item.door_ids,
        "valid_from": item.valid_from.timestamp(),
        "valid_until": item.valid_until.timestamp(),
        "max_uses": item.max_uses,
        "used": item.used,
        "unit": item.unit,
        "number": item.number,
        "revoked": item.revoked_at is not None,
    }


def _moment(name: str, seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as err:
        raise InvalidError(
            f"{name}: {seconds:g} is not a moment: use seconds since 1970, UTC"
        ) from err
