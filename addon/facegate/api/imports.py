"""REST: bulk import."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from facegate.api.request import user_of
from facegate.errors import InvalidError
from facegate.importing.archive import MAX_ARCHIVE_BYTES
from facegate.importing.importer import Importer
from facegate.importing.job import Job
from facegate.protocol import IMPORTS_PATH, ErrorCode

_CHUNK_BYTES = 1024 * 1024


class ImportRoutes:
    """Handlers over the importer; errors are translated by the server."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer

    def table(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post(IMPORTS_PATH, self._start),
            web.get(IMPORTS_PATH + "/{import_id}", self._show),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        by = user_of(request)
        if (request.content_length or 0) > MAX_ARCHIVE_BYTES:
            raise InvalidError(
                f"the archive has more than {MAX_ARCHIVE_BYTES} bytes", ErrorCode.TOO_LARGE
            )
        # As a stream: what a body may have at most is for pictures.
        job = await self._importer.start(request.content.iter_chunked(_CHUNK_BYTES), by)
        return web.json_response(_view(job), status=202)

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(_view(self._importer.get(request.match_info["import_id"])))


def _view(job: Job) -> dict[str, object]:
    return {
        "import_id": job.id,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "added": job.added,
        "changed": job.changed,
        "unchanged": job.unchanged,
        "refused": job.refused,
        "fault": job.fault,
        "report": [asdict(refusal) for refusal in job.report],
    }
