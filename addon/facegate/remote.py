"""A running engine's API, asked from the command line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import aiohttp

from facegate.errors import FaceGateError, NotFoundError
from facegate.protocol import ErrorMessage, ProtocolError, decode_engine

# Importing a list may keep a request busy for minutes; an engine that is there answers at once.
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=60, sock_read=600)


class Remote:
    """One engine, and the right to ask it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, method: str, path: str, body: bytes | BinaryIO | None = None) -> bytes:
        """Return the answer; raises ``FaceGateError`` with the engine's words where it refuses."""
        async with self._session.request(method, path, data=body) as response:
            answer = await response.read()
            if response.ok:
                return answer
            error = decode_engine(answer.decode("utf-8", "replace"))
            if isinstance(error, ErrorMessage):
                raise FaceGateError(error.message)
            raise FaceGateError(f"the engine answered {response.status}")


@asynccontextmanager
async def connected(data: Path, url: str) -> AsyncIterator[Remote]:
    """Give the engine that listens at ``url``; its token is in its data folder.

    Raises ``NotFoundError`` without the token, and ``FaceGateError`` in place of whatever shows,
    also in the block, that the engine cannot be reached or is of another version.
    """
    token = await asyncio.to_thread(_token, data / "token")
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with aiohttp.ClientSession(url, headers=headers, timeout=_TIMEOUT) as session:
            yield Remote(session)
    except (aiohttp.ClientError, TimeoutError) as err:
        why = str(err) or "it does not answer"
        raise FaceGateError(f"the engine at {url} cannot be reached: {why}") from err
    except (ProtocolError, ValueError, KeyError, TypeError) as err:
        raise FaceGateError(f"what answers at {url} is not this version's engine: {err}") from err


def _token(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError as err:
        raise NotFoundError(f"{path}: no token of an engine ({err.strerror})") from err
