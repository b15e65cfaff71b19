"""The engine's REST interface: what is arranged with it, its records, and its pictures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import aiohttp
from homeassistant.util.json import JsonObjectType, json_loads_object

from .connection import Address
from .errors import CannotConnectError, CommandError, CommandTimeoutError, InvalidAuthError
from .protocol import (
    CALL_PICTURE_PATH,
    DOOR_PICTURE_PATH,
    MAX_PICTURE_BYTES,
    USER_HEADER,
    ErrorCode,
    ErrorMessage,
    ProtocolError,
    decode_engine,
)

PICTURE_TIMEOUT_S = 8.0
REQUEST_TIMEOUT_S = 30.0
# Sending every photo of a site, or reading all its records.
LONG_TIMEOUT_S = 600.0
CHUNK_BYTES = 64 * 1024

# What an answer without an error's body says by its status.
_CODES: dict[int, ErrorCode] = {
    HTTPStatus.NOT_FOUND: ErrorCode.NOT_FOUND,
    HTTPStatus.CONFLICT: ErrorCode.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ErrorCode.TOO_LARGE,
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is not JSON; a file is sent as it is read."""

    content: bytes | Path
    content_type: str


type Body = Mapping[str, object] | Upload


def resource(base: str, *segments: str) -> str:
    """Return a path with its segments percent-encoded."""
    return "/".join([base, *(quote(segment, safe="") for segment in segments)])


class Rest:
    """One engine's resources; every method raises ``ClientError``."""

    def __init__(self, session: aiohttp.ClientSession, address: Address) -> None:
        self._session = session
        self._address = address

    async def request(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        query: Mapping[str, str] | None = None,
        user: str | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> JsonObjectType:
        """Ask, in the name of a user, and return the answer's object; empty where it has none."""
        async with self._open(
            method, path, body, query=query, user=user, timeout_s=timeout_s
        ) as response:
            text = await response.read()
            try:
                return json_loads_object(text) if text else {}
            except ValueError as err:
                raise CannotConnectError(f"the engine sent what cannot be read: {err}") from err

    @asynccontextmanager
    async def stream(
        self, path: str, query: Mapping[str, str], user: str | None
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """Read a long answer piece by piece."""
        async with self._open(
            "GET", path, query=query, user=user, timeout_s=LONG_TIMEOUT_S
        ) as response:
            yield response.content

    async def call_picture(self, call_id: str) -> bytes | None:
        """Return the JPEG of an open call, None once it is gone."""
        return await self._picture(CALL_PICTURE_PATH.format(call_id=quote(call_id, safe="")))

    async def door_picture(self, door_id: str) -> bytes | None:
        """Return a door's last JPEG, None where there is none."""
        return await self._picture(DOOR_PICTURE_PATH.format(door_id=quote(door_id, safe="")))

    async def _picture(self, path: str) -> bytes | None:
        try:
            async with self._open("GET", path, timeout_s=PICTURE_TIMEOUT_S) as response:
                picture = bytearray()
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    picture += chunk
                    if len(picture) > MAX_PICTURE_BYTES:
                        raise CannotConnectError("the engine sent too large a picture")
                return bytes(picture)
        except CommandError as err:
            if err.code in (ErrorCode.NOT_FOUND, ErrorCode.CONFLICT):
                return None
            raise

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        query: Mapping[str, str] | None = None,
        user: str | None = None,
        timeout_s: float,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = dict(self._address.headers)
        if user is not None:
            headers[USER_HEADER] = quote(user, safe="")
        try:
            async with (
                _sent(body) as (data, content_type),
                self._session.request(
                    method,
                    self._address.url("http", path).with_query(query),
                    data=data,
                    json=body if isinstance(body, Mapping) else None,
                    headers=headers | content_type,
                    timeout=aiohttp.ClientTimeout(total=timeout_s),
                ) as response,
            ):
                if response.status >= HTTPStatus.BAD_REQUEST:
                    raise await _refusal(response)
                yield response
        except TimeoutError as err:
            raise CommandTimeoutError("the engine did not answer in time") from err
        except (aiohttp.ClientError, OSError) as err:
            raise CannotConnectError(str(err) or type(err).__name__) from err


@asynccontextmanager
async def _sent(body: Body | None) -> AsyncIterator[tuple[object, dict[str, str]]]:
    """Give what is sent as it is, and its header."""
    if not isinstance(body, Upload):
        yield None, {}
        return
    content_type = {"Content-Type": body.content_type}
    if isinstance(body.content, bytes):
        yield body.content, content_type
        return
    file = await asyncio.to_thread(body.content.open, "rb")
    try:
        yield file, content_type
    finally:
        await asyncio.to_thread(file.close)


async def _refusal(response: aiohttp.ClientResponse) -> Exception:
    if response.status == HTTPStatus.UNAUTHORIZED:
        return InvalidAuthError("the engine refused the token")
    try:
        message = decode_engine(await response.text())
    except (ProtocolError, UnicodeDecodeError):
        message = None
    if isinstance(message, ErrorMessage):
        return CommandError(message.code, message.message)
    code = _CODES.get(response.status, ErrorCode.INTERNAL)
    return CommandError(code, f"HTTP {response.status}")
