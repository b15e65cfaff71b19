"""Downloads one small file whose sha256 is known, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import hashlib
from http import HTTPStatus
from pathlib import Path

import aiohttp

from facegate.errors import ModelError
from facegate.protocol import ModelProblem
from facegate.record.durable import replace

MOST_BYTES = 64 * 1024 * 1024
"""What is larger is no model of ours."""

_CHUNK = 64 * 1024
# Without an end for the whole: a slow line is slow, but it must not stand still.
_PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=30)
# The engine may run as another user than whoever downloads.
_FOR_EVERYBODY, _ENTERED_BY_EVERYBODY = 0o644, 0o755

type Progress = Callable[[int, int | None], None]
"""Told of the bytes that have come, and of how many there are, None where nobody says."""


async def download(
    address: str, target: Path, sha256: str, progress: Progress, most_bytes: int = MOST_BYTES
) -> int:
    """Write what is at ``address`` to ``target`` and return its size in bytes.

    The file appears under its name once its sha256 is right and all of it is on the disk; until
    then, and after a failure, what was there before stays. The environment's proxies are used.
    Raises ``ModelError``.
    """
    content = await _fetch(address, progress, most_bytes)
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        why = f"it is not the published file (sha256 expected {sha256}, found {found})"
        raise _failed(address, why, ModelProblem.ALTERED)
    try:
        await asyncio.to_thread(_write, target, content)
    except OSError as err:
        raise _failed(address, f"{target} cannot be written: {err.strerror or err}") from err
    return len(content)


async def _fetch(address: str, progress: Progress, most_bytes: int) -> bytes:
    content = bytearray()
    try:
        async with (
            aiohttp.ClientSession(trust_env=True, timeout=_PATIENCE) as session,
            session.get(address) as response,
        ):
            if response.status != HTTPStatus.OK:
                raise _failed(address, f"the server answers {response.status} {response.reason}")
            async for chunk in response.content.iter_chunked(_CHUNK):
                content += chunk
                if len(content) > most_bytes:
                    raise _failed(address, f"it is larger than {most_bytes} bytes")
                progress(len(content), response.content_length)
    except TimeoutError as err:
        raise _failed(address, "the server does not answer any more") from err
    except aiohttp.ClientPayloadError as err:
        raise _failed(address, "the connection broke before the end of the file") from err
    except (aiohttp.ClientError, OSError, ValueError) as err:
        raise _failed(address, str(err) or type(err).__name__) from err
    return bytes(content)


def _write(target: Path, content: bytes) -> None:
    if not target.parent.exists():
        target.parent.mkdir(parents=True)
        target.parent.chmod(_ENTERED_BY_EVERYBODY)
    replace(target, content)
    target.chmod(_FOR_EVERYBODY)


def _failed(address: str, why: str, problem: ModelProblem = ModelProblem.MISSING) -> ModelError:
    return ModelError(f"{address} was not downloaded: {why}", problem)
