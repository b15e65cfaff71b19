"""A real Home Assistant in a folder of its own: set up, onboarded, with FaceGate configured."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
import json
from pathlib import Path
import shutil
import string
import time
from typing import Any
from zoneinfo import available_timezones

import aiohttp

from demo.home_client import HomeClient, HomeError
from demo.program import ROOT, Program, ProgramError

START_LIMIT_S = 120.0
RELAY = "switch.front_door_relay"
LATEST = "sensor.latest_at_the_door"
INTEGRATION = ROOT / "custom_components" / "facegate"

_CONFIGURATION = Path(__file__).with_name("configuration.yaml")
# All onboarding steps but the creation of the user: they would ask the internet for the place,
# the weather and radio stations.
_ONBOARDING = {
    "version": 4,
    "minor_version": 1,
    "key": "onboarding",
    "data": {"done": ["core_config", "analytics", "integration"]},
}


@dataclass(frozen=True, slots=True)
class Login:
    """The demo's user."""

    username: str = "demo"
    password: str = "demo"  # noqa: S105  printed for whoever watches; listens on 127.0.0.1 only


class Home:
    """Home Assistant on 127.0.0.1 with its files in ``folder``, which must not exist yet."""

    def __init__(self, folder: Path, hass: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.login = Login()
        self.version = ""
        self.tokens: Mapping[str, object] = {}
        self._folder = folder
        self._port = port
        self.program = Program(
            "Home Assistant",
            (hass, "--config", folder, "--skip-pip"),
            folder.with_name("home-assistant.log"),
        )
        self._session: aiohttp.ClientSession | None = None
        self._client: HomeClient | None = None

    @property
    def client(self) -> HomeClient:
        """The connection that ``start`` opened."""
        assert self._client is not None
        return self._client

    async def start(self) -> None:
        """Start, create the user and connect; raises ``ProgramError`` or ``HomeError``."""
        self._write()
        await self.program.start()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        await self._answering()
        await self._onboard()
        self._client = HomeClient(self._session, self.url)
        await self._client.connect(str(self.tokens["access_token"]))
        await self._running()

    async def stop(self) -> None:
        """Disconnect and stop; idempotent."""
        if self._client is not None:
            await self._client.close()
        if self._session is not None:
            await self._session.close()
        await self.program.stop()

    async def add_facegate(self, host: str, port: int, token: str) -> str:
        """Add the engine through the integration's own config flow; return the entry's id."""
        flow = await self._post("/api/config/config_entries/flow", {"handler": "facegate"})
        entry = await self._post(
            f"/api/config/config_entries/flow/{flow['flow_id']}",
            {"host": host, "port": port, "token": token},
        )
        if entry["type"] != "create_entry":
            raise HomeError(f"FaceGate's config flow refused the engine: {entry.get('errors')}")
        return str(entry["result"]["entry_id"])

    async def choose_relay(self, entry_id: str, relay: str) -> None:
        """Let the integration drive ``relay`` for the only door, through its options flow."""
        path = "/api/config/config_entries/options/flow"
        flow = await self._post(path, {"handler": entry_id})
        (doors,) = [part for part in flow["data_schema"] if part["name"] == "actuators"]
        (door,) = doors["schema"]
        chosen = {
            **{part["name"]: {} for part in flow["data_schema"] if "schema" in part},
            "actuators": {door["name"]: relay},
            "show_people": False,
        }
        done = await self._post(f"{path}/{flow['flow_id']}", chosen)
        if done["type"] != "create_entry":
            raise HomeError(f"FaceGate's options flow refused the relay: {done.get('errors')}")

    async def entities(self) -> dict[str, str]:
        """Return FaceGate's entity ids by their unique ids."""
        listed = await self.client.call("config/entity_registry/list")
        assert isinstance(listed, list)
        ids: dict[str, str] = {}
        for entry in listed:
            if entry["platform"] == "facegate":
                full = await self.client.call(
                    "config/entity_registry/get", entity_id=entry["entity_id"]
                )
                assert isinstance(full, dict)
                ids[str(full["unique_id"])] = entry["entity_id"]
        return ids

    async def save_dashboard(self, config: Mapping[str, object]) -> None:
        """Make this the default dashboard."""
        await self.client.call("lovelace/config/save", config=config)

    def _write(self) -> None:
        storage = self._folder / ".storage"
        storage.mkdir(parents=True)
        template = string.Template(_CONFIGURATION.read_text(encoding="utf-8"))
        text = template.substitute(port=self._port, time_zone=_time_zone())
        (self._folder / "configuration.yaml").write_text(text, encoding="utf-8")
        (storage / "onboarding").write_text(json.dumps(_ONBOARDING), encoding="utf-8")
        # A copy: Home Assistant writes byte code beside what it runs.
        shutil.copytree(
            INTEGRATION,
            self._folder / "custom_components" / "facegate",
            ignore=shutil.ignore_patterns("__pycache__"),
        )

    async def _answering(self) -> None:
        assert self._session is not None
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            self.program.check()
            try:
                async with self._session.get(f"{self.url}/api/onboarding") as response:
                    if response.status == HTTPStatus.OK:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
        raise ProgramError(
            f"Home Assistant does not answer after {START_LIMIT_S:g} s; its log is"
            f" {self.program.log}\n{self.program.last_words()}"
        )

    async def _onboard(self) -> None:
        client_id = f"{self.url}/"
        created = await self._post(
            "/api/onboarding/users",
            {
                "client_id": client_id,
                "name": "Demo",
                "username": self.login.username,
                "password": self.login.password,
                "language": "en",
            },
        )
        assert self._session is not None
        grant = {
            "grant_type": "authorization_code",
            "code": created["auth_code"],
            "client_id": client_id,
        }
        async with self._session.post(f"{self.url}/auth/token", data=grant) as response:
            if not response.ok:
                raise HomeError(f"no token: {response.status} {await response.text()}")
            tokens: dict[str, object] = await response.json()
        # What the frontend keeps of a login, so that a browser can be logged in the same way.
        self.tokens = tokens | {"hassUrl": self.url, "clientId": client_id}

    async def _running(self) -> None:
        """Wait until all that was configured is set up."""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            config = await self.client.call("get_config")
            assert isinstance(config, dict)
            if config["state"] == "RUNNING":
                self.version = str(config["version"])
                await self.client.wait_state(RELAY, "off", 10)
                return
            await asyncio.sleep(0.1)
        raise ProgramError(f"Home Assistant does not finish starting; log: {self.program.log}")

    async def _post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        assert self._session is not None
        headers = {}
        if "access_token" in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens['access_token']}"
        async with self._session.post(
            f"{self.url}{path}", json=dict(body), headers=headers
        ) as response:
            if not response.ok:
                raise HomeError(f"{path}: {response.status} {await response.text()}")
            answer: dict[str, Any] = await response.json()
            return answer


def _time_zone() -> str:
    """Return this machine's time zone, so that times read as on its clock; UTC if unknown."""
    _, found, name = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")
    return name if found and name in available_timezones() else "UTC"
