"""REST: what happened, taken out and checked."""

from __future__ import annotations

from dataclasses import asdict
import json
from pathlib import Path

from aiohttp import web

from facegate.api.request import moment, whole
from facegate.errors import InvalidError
from facegate.protocol import EVENTS_PATH, RECORDS_PATH
from facegate.record.audit import verify_database
from facegate.record.export import EventFilter, ExportFormat, export_events
from facegate.record.store import Store
from facegate.record.vault import Vault

_MOST_EVENTS = 1000
_CONTENT_TYPES = {
    ExportFormat.CSV: "text/csv",
    ExportFormat.JSON_LINES: "application/x-ndjson",
}


class RecordRoutes:
    """Handlers over the store; errors are translated by the server."""

    def __init__(self, store: Store, database: Path, vault: Vault | None) -> None:
        self._store = store
        self._database = database
        self._vault = vault

    def table(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(EVENTS_PATH, self._events),
            web.get(RECORDS_PATH, self._records),
            web.get(RECORDS_PATH + "/verify", self._verify),
        ]

    async def _events(self, request: web.Request) -> web.Response:
        events = await self._store.events(
            after=whole(request, "after", 0, 2**62),
            limit=whole(request, "limit", 100, _MOST_EVENTS),
            door_id=request.query.get("door_id"),
            subject_id=request.query.get("subject_id"),
            since=moment(request, "since"),
            until=moment(request, "until"),
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

    async def _records(self, request: web.Request) -> web.StreamResponse:
        text = request.query.get("format", ExportFormat.JSON_LINES)
        if text not in list(ExportFormat):
            raise InvalidError(f"format: {text[:40]!r} is not one of {', '.join(ExportFormat)}")
        wanted = EventFilter(
            since=moment(request, "since"),
            until=moment(request, "until"),
            door_id=request.query.get("door_id"),
            subject_id=request.query.get("subject_id"),
        )
        kind = ExportFormat(text)
        response = web.StreamResponse(
            headers={"Content-Type": f"{_CONTENT_TYPES[kind]}; charset=utf-8"}
        )
        await response.prepare(request)
        async for chunk in export_events(self._database, kind, wanted):
            await response.write(chunk.encode())
        await response.write_eof()
        return response

    async def _verify(self, _request: web.Request) -> web.Response:
        return web.json_response(asdict(await verify_database(self._database, self._vault)))
