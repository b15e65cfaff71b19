"""REST: people and groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
import json

from aiohttp import web

from facegate.api.bodies import (
    ApprovalBody,
    ConsentBody,
    CredentialBody,
    GroupBody,
    PermitsBody,
    RetirementBody,
    SubjectBody,
    SubjectChange,
    moment,
    permits,
)
from facegate.api.people_views import SubjectView, group_view, noticed_view, subject_view
from facegate.api.request import body_of, user_of, yes
from facegate.errors import InvalidError
from facegate.office.credentials import Credentials
from facegate.office.enrollment import Enrolled, Enrollment
from facegate.office.erasure import Erasure
from facegate.office.people import People
from facegate.office.roster import GroupEntry
from facegate.protocol import GROUPS_PATH, SUBJECTS_PATH, decode_body
from facegate.record.certificate import to_json
from facegate.register import CredentialKind, Person, SubjectKind

_SUBJECT = SUBJECTS_PATH + "/{subject_id}"
_GROUP = GROUPS_PATH + "/{group_id}"


class PeopleRoutes:
    """Handlers over the office; ``where`` tells a subject's area, errors the server translates."""

    def __init__(
        self,
        people: People,
        enrollment: Enrollment,
        credentials: Credentials,
        erasure: Erasure,
        where: Callable[[str], str | None],
    ) -> None:
        self._people = people
        self._enrollment = enrollment
        self._credentials = credentials
        self._erasure = erasure
        self._where = where

    def table(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(SUBJECTS_PATH, self._subjects),
            web.post(SUBJECTS_PATH, self._add),
            web.get(_SUBJECT, self._subject),
            web.patch(_SUBJECT, self._change),
            web.delete(_SUBJECT, self._erase),
            web.put(_SUBJECT + "/permits", self._replace_permits),
            web.put(_SUBJECT + "/approval", self._approve),
            web.post(_SUBJECT + "/consents", self._consent),
            web.delete(_SUBJECT + "/consents", self._withdraw),
            web.post(_SUBJECT + "/photos", self._add_photo),
            web.post(_SUBJECT + "/clip", self._add_clip),
            web.post(_SUBJECT + "/credentials", self._give),
            web.delete(_SUBJECT + "/credentials/{credential_id}", self._take),
            web.get(_SUBJECT + "/export", self._export),
            web.get(GROUPS_PATH, self._groups),
            web.post(GROUPS_PATH, self._add_group),
            web.delete(_GROUP, self._remove_group),
            web.put(_GROUP + "/permits", self._replace_group_permits),
            web.post(_GROUP + "/retirements", self._retire),
        ]

    # --- subjects -----------------------------------------------------------------------------

    async def _subjects(self, request: web.Request) -> web.Response:
        kind, group_id = request.query.get("kind"), request.query.get("group")
        if kind is not None and kind not in list(SubjectKind):
            raise InvalidError(f"kind: {kind[:40]!r} is not one of {', '.join(SubjectKind)}")
        seen = await self._people.last_seen()
        people = self._people.all
        if group_id is not None:
            members = self._people.group(group_id).members
            people = tuple(person for person in people if person.subject.id in members)
        views = [
            self._seen(person, seen)
            for person in people
            if kind is None or person.subject.kind == kind
        ]
        return web.json_response({"subjects": [asdict(view) for view in views]})

    async def _subject(self, request: web.Request) -> web.Response:
        return await self._show(self._people.get(_subject_id(request)))

    async def _add(self, request: web.Request) -> web.Response:
        body = await body_of(request, SubjectBody)
        by = user_of(request)
        person = await self._people.add(body.details(), permits(body.permits), by)
        return await self._show(person, 201)

    async def _change(self, request: web.Request) -> web.Response:
        data = await request.read()
        body = decode_body(data, SubjectChange)
        sent = frozenset(json.loads(data))
        person = await self._people.change(
            _subject_id(request), lambda details: body.edit(details, sent), user_of(request)
        )
        return await self._show(person)

    async def _erase(self, request: web.Request) -> web.Response:
        certificate = await self._erasure.erase(_subject_id(request), user_of(request))
        return web.Response(text=to_json(certificate), content_type="application/json")

    async def _replace_permits(self, request: web.Request) -> web.Response:
        body = await body_of(request, PermitsBody)
        wanted = permits(body.permits)
        by = user_of(request)
        return await self._show(
            await self._people.replace_permits(_subject_id(request), wanted, by)
        )

    async def _approve(self, request: web.Request) -> web.Response:
        approval = (await body_of(request, ApprovalBody)).approval()
        by = user_of(request)
        return await self._show(await self._people.approve(_subject_id(request), approval, by))

    async def _export(self, request: web.Request) -> web.Response:
        return web.json_response(await self._erasure.export(_subject_id(request)))

    # --- faces and other credentials ----------------------------------------------------------

    async def _consent(self, request: web.Request) -> web.Response:
        consent = (await body_of(request, ConsentBody)).consent()
        by = user_of(request)
        person = await self._enrollment.consent(_subject_id(request), consent, by)
        return await self._show(person, 201)

    async def _withdraw(self, request: web.Request) -> web.Response:
        by = user_of(request)
        return await self._show(await self._enrollment.withdraw(_subject_id(request), by))

    async def _add_photo(self, request: web.Request) -> web.Response:
        by, distinct = user_of(request), yes(request, "distinct")
        data = await request.read()
        return await self._enrolled(
            await self._enrollment.add_photo(_subject_id(request), data, by, distinct=distinct)
        )

    async def _add_clip(self, request: web.Request) -> web.Response:
        by, distinct = user_of(request), yes(request, "distinct")
        data = await request.read()
        return await self._enrolled(
            await self._enrollment.add_clip(_subject_id(request), data, by, distinct=distinct)
        )

    async def _enrolled(self, enrolled: Enrolled) -> web.Response:
        noticed = {"noticed": asdict(noticed_view(enrolled))}
        return web.json_response(asdict(await self._view(enrolled.person)) | noticed, status=201)

    async def _give(self, request: web.Request) -> web.Response:
        body = await body_of(request, CredentialBody)
        subject_id, by = _subject_id(request), user_of(request)
        until = moment("valid_until", body.valid_until)
        pin, card = body.pin, body.card_number
        if body.kind is CredentialKind.PIN and pin is not None and card is None:
            person = await self._credentials.give_pin(
                subject_id, pin, by, duress_pin=body.duress_pin, valid_until=until
            )
        elif (
            body.kind is CredentialKind.CARD
            and card is not None
            and pin is None
            and body.duress_pin is None
        ):
            person = await self._credentials.give_card(subject_id, card, by, valid_until=until)
        else:
            raise InvalidError(
                "kind: expected pin with a pin (and duress_pin), or card with a card_number"
            )
        return await self._show(person, 201)

    async def _take(self, request: web.Request) -> web.Response:
        person = await self._credentials.take(
            _subject_id(request), request.match_info["credential_id"], user_of(request)
        )
        return await self._show(person)

    async def _show(self, person: Person, status: int = 200) -> web.Response:
        return web.json_response(asdict(await self._view(person)), status=status)

    async def _view(self, person: Person) -> SubjectView:
        subject_id = person.subject.id
        seen = await self._people.last_seen(subject_id)
        return self._seen(person, seen)

    def _seen(self, person: Person, seen: Mapping[str, datetime]) -> SubjectView:
        subject_id = person.subject.id
        return subject_view(
            person,
            self._where(subject_id),
            seen.get(subject_id),
            needs_photos=self._enrollment.needs_photos(subject_id),
        )

    # --- groups -------------------------------------------------------------------------------

    async def _groups(self, _request: web.Request) -> web.Response:
        return web.json_response({"groups": [asdict(group_view(g)) for g in self._people.groups]})

    async def _add_group(self, request: web.Request) -> web.Response:
        body = await body_of(request, GroupBody)
        return _group(await self._people.add_group(body.name, user_of(request)), 201)

    async def _remove_group(self, request: web.Request) -> web.Response:
        await self._people.remove_group(request.match_info["group_id"], user_of(request))
        return web.Response(status=204)

    async def _replace_group_permits(self, request: web.Request) -> web.Response:
        body = await body_of(request, PermitsBody)
        group_id, by = request.match_info["group_id"], user_of(request)
        wanted = permits(body.permits)
        return _group(await self._people.replace_group_permits(group_id, wanted, by))

    async def _retire(self, request: web.Request) -> web.Response:
        body = await body_of(request, RetirementBody)
        group_id, by = request.match_info["group_id"], user_of(request)
        return _group(await self._people.retire(group_id, body.kind, body.moment(), by))


def _subject_id(request: web.Request) -> str:
    return request.match_info["subject_id"]


def _group(entry: GroupEntry, status: int = 200) -> web.Response:
    return web.json_response(asdict(group_view(entry)), status=status)
