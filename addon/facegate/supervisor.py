"""Home Assistant's Supervisor: the broker's credentials, our address, and being discovered.

All of it is a help and none of it a need: whoever asks goes on without an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import json
from pathlib import Path
import re

import aiohttp

from facegate.errors import FaceGateError
from facegate.hardware import MqttSettings, TlsSettings
from facegate.record import durable

SERVICE = "facegate"
DISCOVERY_FILE = "discovery"
DEFAULT_URL = "http://supervisor"

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LARGEST_PORT = 65535
_UUID = re.compile(r"[0-9a-fA-F-]{1,64}")
# A service that nobody provides is an error of its own number in each version of the Supervisor.
_NO_SERVICE = frozenset({400, 404})
# Removed already, also by an older Supervisor, or not ours any more.
_GONE = frozenset({400, 403, 404})


class SupervisorError(FaceGateError):
    """The Supervisor is not there, refuses, or answers what cannot be read."""


class Supervisor:
    """What FaceGate asks of the Supervisor; every method raises ``SupervisorError``."""

    def __init__(self, session: aiohttp.ClientSession, data: Path) -> None:
        self._session = session
        self._data = data

    async def mqtt(self, topic: str) -> MqttSettings | None:
        """Return the broker that Home Assistant offers to apps, None where there is none."""
        found = await self._ask("GET", "/services/mqtt", absent=_NO_SERVICE)
        if found is None:
            return None
        host, port = found.get("host"), _port(found.get("port"))
        if not isinstance(host, str) or not host or port is None:
            raise SupervisorError("the Supervisor's MQTT service has no host and port")
        return MqttSettings(
            host=host,
            port=port,
            topic=topic,
            username=_text(found, "username"),
            password=_text(found, "password"),
            tls=TlsSettings() if found.get("ssl") is True else None,
        )

    async def hostname(self) -> str:
        """Return the name, or else the address, under which Home Assistant reaches this app."""
        found = await self._ask("GET", "/addons/self/info") or {}
        name = _text(found, "hostname") or _text(found, "ip_address")
        if name is None:
            raise SupervisorError("the Supervisor does not know this app's host name yet")
        return name

    async def announce(self, host: str, port: int, token: str) -> None:
        """Have Home Assistant offer the integration; what was announced before is withdrawn."""
        await self.withdraw()
        body = {"service": SERVICE, "config": {"host": host, "port": port, "token": token}}
        found = await self._ask("POST", "/discovery", body) or {}
        uuid = _text(found, "uuid")
        if uuid is None or not _UUID.fullmatch(uuid):
            raise SupervisorError("the Supervisor did not name the discovery that it took")
        await asyncio.to_thread(durable.replace, self._data / DISCOVERY_FILE, uuid.encode())

    async def withdraw(self) -> None:
        """Take back what was announced, by this run or one before it.

        Its id is kept in the data folder: the Supervisor shows apps no list.
        """
        file = self._data / DISCOVERY_FILE
        uuid = await asyncio.to_thread(_read, file)
        if _UUID.fullmatch(uuid):
            await self._ask("DELETE", f"/discovery/{uuid}", absent=_GONE)
        await asyncio.to_thread(file.unlink, missing_ok=True)

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        absent: frozenset[int] = frozenset(),
    ) -> dict[str, object] | None:
        """Return the answer's data, None for a status that is in ``absent``."""
        try:
            async with self._session.request(method, path, json=body) as response:
                text = await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            why = str(err) or "it does not answer"
            raise SupervisorError(f"the Supervisor cannot be reached: {why}") from err
        if status in absent:
            return None
        found = _object(text)
        if status != 200 or found.get("result") != "ok":  # noqa: PLR2004  HTTP's own number
            # Its words are not repeated: an answer to what holds a token may hold it too.
            raise SupervisorError(f"the Supervisor answered {status} to {method} {path}")
        data = found.get("data")
        return data if isinstance(data, dict) else {}


@asynccontextmanager
async def reached(url: str, token: str, data: Path) -> AsyncIterator[Supervisor]:
    """Give the Supervisor at ``url``; what it let us announce is remembered in ``data``."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(url, headers=headers, timeout=_TIMEOUT) as session:
        yield Supervisor(session, data)


def _read(file: Path) -> str:
    return file.read_text("ascii", "replace").strip() if file.exists() else ""


def _object(text: bytes) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(found: Mapping[str, object], key: str) -> str | None:
    value = found.get(key)
    return value if isinstance(value, str) and value else None


def _port(value: object) -> int | None:
    """Return a port, which some providers of the service give as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:6])
    valid = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_PORT
    return value if valid and isinstance(value, int) else None
