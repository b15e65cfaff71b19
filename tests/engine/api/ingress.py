"""An engine with its ingress port, and a proxy in the Supervisor's place that a browser can use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import aiohttp
from aiohttp import web

from facegate.assembly import running
from facegate.settings import parse
from facegate.site import Site
from tests.support import by_motion, free_port, lend_models, shared_session

USERS = {"vera": "viewer", "olga": "operator", "max": "manager"}
PAGE = {"X-FaceGate-Page": "1"}
_PREFIX = "/api/hassio_ingress/k3y"


@dataclass
class Ingress:
    """A running engine with both ports."""

    site: Site
    api: str
    pages: str
    data: Path

    @property
    def token(self) -> str:
        return (self.data / "token").read_text().strip()

    @asynccontextmanager
    async def user(
        self, name: str | None, *, address: str = "127.0.0.1", page: bool = True
    ) -> AsyncIterator[aiohttp.ClientSession]:
        """Give a session that asks as the Supervisor does for a user, from an address."""
        headers = {} if name is None else {"X-Remote-User-Name": name}
        async with aiohttp.ClientSession(
            self.pages,
            headers={**headers, **(PAGE if page else {})},
            connector=aiohttp.TCPConnector(local_addr=(address, 0)),
        ) as session:
            yield session


@asynccontextmanager
async def ingress(data: Path, proxy: str = "127.0.0.1") -> AsyncIterator[Ingress]:
    """Run an engine whose ingress port answers the address ``proxy``."""
    port, pages = free_port(), free_port()
    options = {
        "doors": [{"id": "front", "name": "Front door", "pulse_seconds": 1}, {"id": "back"}],
        "users": [{"name": name, "role": role} for name, role in USERS.items()],
        "api": {"port": port, "ingress_port": pages, "ingress_from": proxy},
    }
    await asyncio.to_thread(lend_models, data)
    with patch("facegate.models.open_session", shared_session):
        async with running(parse(by_motion(options)), data) as site:
            host = "http://127.0.0.1"
            yield Ingress(site, f"{host}:{port}", f"{host}:{pages}", data)


@asynccontextmanager
async def supervised(pages: str, user: Mapping[str, str]) -> AsyncIterator[str]:
    """Give the address at which a browser finds the pages, below a prefix, as a user."""
    async with aiohttp.ClientSession(pages, auto_decompress=False) as session:

        async def forward(request: web.Request) -> web.Response:
            own = ("host", "content-length", "transfer-encoding")
            kept = {
                key: value
                for key, value in request.headers.items()
                if key.lower() not in own and not key.lower().startswith("x-remote-user")
            }
            target = request.raw_path.removeprefix(_PREFIX)
            async with session.request(
                request.method, target, headers={**kept, **user}, data=await request.read()
            ) as answer:
                told = {
                    key: value
                    for key, value in answer.headers.items()
                    if key.lower() not in ("content-length", "transfer-encoding")
                }
                return web.Response(status=answer.status, headers=told, body=await answer.read())

        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", _PREFIX + "/{path:.*}", forward)
        runner = web.AppRunner(app)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"http://127.0.0.1:{port}{_PREFIX}/"
        finally:
            await runner.cleanup()
