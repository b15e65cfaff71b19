"""REST: people, pictures, events, health."""

from __future__ import annotations

from dataclasses import asdict
import json

from aiohttp import web

from facegate import __version__
from facegate.errors import InvalidError
from facegate.people import People
from facegate.protocol import (
    CALL_PICTURE_PATH,
    DOOR_PICTURE_PATH,
    EVENTS_PATH,
    HEALTH_PATH,
    STATE_PATH,
    SUBJECTS_PATH,
    CameraStateName,
    PermitsBody,
    SubjectBody,
    decode_body,
    encode,
)
from facegate.record.store import Store
from facegate.site import Site
from facegate.views import subject_view

_MOST_EVENTS = 1000
_SUBJECT_PATH = SUBJECTS_PATH + "/{subject_id}"


class Routes:
    """Handlers over the site; errors are translated by the server."""

    def __init__(self, site: Site, people: People, store: Store) -> None:
        self._site = site
        self._people = people
        self._store = store

    def table(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(HEALTH_PATH, self._health),
            web.get(STATE_PATH, self._state),
            web.get(EVENTS_PATH, self._events),
            web.get(DOOR_PICTURE_PATH, self._door_picture),
            web.get(CALL_PICTURE_PATH, self._call_picture),
            web.get(SUBJECTS_PATH, self._subjects),
            web.post(SUBJECTS_PATH, self._add_subject),
            web.get(_SUBJECT_PATH, self._subject),
            web.delete(_SUBJECT_PATH, self._remove_subject),
            web.put(_SUBJECT_PATH + "/permits", self._replace_permits),
            web.post(_SUBJECT_PATH + "/photos", self._add_photo),
        ]

    async def _health(self, _request: web.Request) -> web.Response:
        """Answer without a token, and so without anything that is not for everybody."""
        state = self._site.state()
        down = sum(camera.state is not CameraStateName.STREAMING for camera in state.cameras)
        records = self._site.record_fault is None
        models = self._site.model_fault is None
        return web.json_response(
            {
                "status": "ok" if records and models and not down else "degraded",
                "version": __version__,
                "records": "ok" if records else "failing",
                "models": "ok" if models else "failing",
                "cameras": len(state.cameras),
                "cameras_down": down,
            }
        )

    async def _state(self, _request: web.Request) -> web.Response:
        return web.Response(text=encode(self._site.state()), content_type="application/json")

    async def _events(self, request: web.Request) -> web.Response:
        events = await self._store.events(
            after=_whole(request, "after", 0, 2**62),
            limit=_whole(request, "limit", 100, _MOST_EVENTS),
            door_id=request.query.get("door_id"),
        )
        return web.json_response(
            {
                "events": [
                    {
                        "seq": event.seq,
                        "at": event.at.timestamp(),
                        "kind": event.kind,
                        "ref": event.ref,
                        "door_id": event.door_id,
                        "subject_id": event.subject_id,
                        "opening_id": event.opening_id,
                        "body": json.loads(event.body),
                    }
                    for event in events
                ]
            }
        )

    async def _door_picture(self, request: web.Request) -> web.Response:
        return _jpeg(self._site.door_picture(request.match_info["door_id"]))

    async def _call_picture(self, request: web.Request) -> web.Response:
        return _jpeg(self._site.call_picture(request.match_info["call_id"]))

    async def _subjects(self, _request: web.Request) -> web.Response:
        views = [asdict(subject_view(person)) for person in self._people.all]
        return web.json_response({"subjects": views})

    async def _subject(self, request: web.Request) -> web.Response:
        person = self._people.get(request.match_info["subject_id"])
        return web.json_response(asdict(subject_view(person)))

    async def _add_subject(self, request: web.Request) -> web.Response:
        person = await self._people.add(decode_body(await request.read(), SubjectBody))
        return web.json_response(asdict(subject_view(person)), status=201)

    async def _remove_subject(self, request: web.Request) -> web.Response:
        await self._people.remove(request.match_info["subject_id"])
        return web.Response(status=204)

    async def _replace_permits(self, request: web.Request) -> web.Response:
        body = decode_body(await request.read(), PermitsBody)
        person = await self._people.replace_permits(request.match_info["subject_id"], body.permits)
        return web.json_response(asdict(subject_view(person)))

    async def _add_photo(self, request: web.Request) -> web.Response:
        data = await request.read()
        person = await self._people.add_photo(request.match_info["subject_id"], data)
        return web.json_response(asdict(subject_view(person)), status=201)


def _jpeg(data: bytes) -> web.Response:
    return web.Response(body=data, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _whole(request: web.Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    longest = len(str(most))
    if not text.isascii() or not text.isdigit() or len(text) > longest or int(text) > most:
        raise InvalidError(f"{name}: {text[:40]!r} is not a whole number from 0 to {most}")
    return int(text)
