"""A small Supervisor over HTTP: services, discovery, and an app's own information."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import uuid

from aiohttp import web

TOKEN = "supervisors-own-secret-token"
BROKER = {
    "host": "core-mosquitto",
    "port": 1883,
    "ssl": False,
    "protocol": "3.1.1",
    "username": "addons",
    "password": "broker-secret",
    "addon": "core_mosquitto",
}


@dataclass
class FakeSupervisor:
    """What was asked of it, and what it answers; ``ready`` is False while it starts."""

    url: str = ""
    ready: bool = True
    mqtt: dict[str, object] | None = None
    hostname: str | None = "local-facegate"
    asked: list[tuple[str, str]] = field(default_factory=list)
    discovery: dict[str, dict[str, object]] = field(default_factory=dict)

    def of(self, path: str) -> list[str]:
        """Return the methods that were asked of what begins with a path."""
        return [method for method, asked in self.asked if asked.startswith(path)]

    async def answer(self, request: web.Request) -> web.Response:  # noqa: PLR0911  one an address
        """Answer as the Supervisor does."""
        self.asked.append((request.method, request.path))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"result": "error", "message": "no"}, status=401)
        if not self.ready:
            return web.Response(status=502, text="<html>Bad gateway</html>")
        match request.method, request.path:
            case "GET", "/services/mqtt":
                if self.mqtt is None:
                    return _error(400, "Service not enabled")
                return _ok(self.mqtt)
            case "GET", "/addons/self/info":
                return _ok({"hostname": self.hostname, "ip_address": "172.30.33.5"})
            case "POST", "/discovery":
                key = uuid.uuid4().hex
                self.discovery[key] = await request.json()
                return _ok({"uuid": key})
            case "DELETE", path if path.startswith("/discovery/"):
                if self.discovery.pop(path.removeprefix("/discovery/"), None) is None:
                    return _error(404, "Discovery message not found")
                return _ok({})
        # The list of discoveries is for Home Assistant alone.
        return _error(403, "forbidden")


def _ok(data: dict[str, object]) -> web.Response:
    return web.json_response({"result": "ok", "data": data})


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"result": "error", "message": message}, status=status)


@asynccontextmanager
async def supervisor(port: int = 0) -> AsyncIterator[FakeSupervisor]:
    """Run a Supervisor."""
    fake = FakeSupervisor()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()
