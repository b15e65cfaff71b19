"""Actions on the records."""

from __future__ import annotations

from pathlib import Path

from aiohttp import StreamReader
from homeassistant.core import SupportsResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType, JsonValueType, json_loads_object
import voluptuous as vol

from custom_components.facegate.entity import translated_errors
from custom_components.facegate.errors import CannotConnectError
from custom_components.facegate.protocol import RECORDS_PATH
from custom_components.facegate.rest import CHUNK_BYTES, LONG_TIMEOUT_S, resource

from .base import Action, Call
from .files import allowed, on_disk
from .values import MOMENT

JSONL = "jsonl"
DEFAULT_LIMIT = 1000
MOST_ROWS = 10_000


async def _export(call: Call) -> JsonObjectType:
    query = {name: str(value) for name, value in call.given("since", "until", "subject_id").items()}
    if "door" in call.data:
        query["door_id"] = call.door(call.data["door"])
    path = await allowed(call, call.data["path"]) if "path" in call.data else None
    query["format"] = call.data["format"] if path is not None else JSONL
    rest = call.coordinator.client.rest
    with translated_errors():
        async with rest.stream(RECORDS_PATH, query, call.user_name) as stream:
            if path is None:
                return await _rows(stream, call.data["limit"])
            return await _write(call, stream, path)


async def _rows(stream: StreamReader, limit: int) -> JsonObjectType:
    rows: list[JsonValueType] = []
    try:
        async for line in stream:
            if len(rows) == limit:
                return {"rows": rows, "complete": False}
            rows.append(json_loads_object(line))
    except ValueError as err:
        raise CannotConnectError(f"the engine sent what cannot be read: {err}") from err
    return {"rows": rows, "complete": True}


async def _write(call: Call, stream: StreamReader, path: Path) -> JsonObjectType:
    part, size = path.with_name(f"{path.name}.part"), 0
    file = await on_disk(call, part.open, "wb")
    try:
        async for chunk in stream.iter_chunked(CHUNK_BYTES):
            await on_disk(call, file.write, chunk)
            size += len(chunk)
        await on_disk(call, file.close)
        await on_disk(call, part.replace, path)
    except BaseException:
        await on_disk(call, file.close)
        await on_disk(call, part.unlink)
        raise
    return {"path": str(path), "bytes": size}


async def _verify(call: Call) -> JsonObjectType:
    return await call.ask("GET", resource(RECORDS_PATH, "verify"), timeout_s=LONG_TIMEOUT_S)


RECORDS = (
    Action(
        "export_records",
        _export,
        {
            vol.Optional("path"): cv.string,
            vol.Optional("format", default=JSONL): vol.In(["csv", JSONL]),
            vol.Optional("since"): MOMENT,
            vol.Optional("until"): MOMENT,
            vol.Optional("door"): cv.string,
            vol.Optional("subject_id"): cv.string,
            vol.Optional("limit", default=DEFAULT_LIMIT): vol.All(
                vol.Coerce(int), vol.Range(min=1, max=MOST_ROWS)
            ),
        },
        response=SupportsResponse.ONLY,
    ),
    Action("verify_records", _verify, {}, response=SupportsResponse.ONLY),
)
