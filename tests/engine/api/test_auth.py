"""Without the token there is nothing but a word on health."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
import re
import stat
from types import MappingProxyType

import aiohttp
from aiohttp import web
import pytest

from facegate import assembly
from facegate.api.auth import read_token
from facegate.api.server import Server
from facegate.api.socket import Sockets
from facegate.protocol import HEALTH_PATH
from facegate.register import Role
from facegate.settings import ApiSettings
from tests.support import Engine, engine

pytestmark = pytest.mark.usefixtures("free_loop")

OTHERS = [
    ("GET", "/api/v1/socket"),
    ("GET", "/api/v1/nothing"),
    ("GET", "/"),
    ("GET", "/health/"),
]
BEARERS = [
    None,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Basic {token}",
    "{token}",
    "Bearer {token}x",
]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Engine]:
    async with engine({"doors": [{"id": "front"}]}, tmp_path / "data") as running:
        yield running


async def test_every_route_but_health_asks_for_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: set[tuple[str, str]] = set()

    class Recorded(Server):
        def __init__(
            self,
            settings: ApiSettings,
            token: str,
            sockets: Sockets,
            routes: Iterable[web.RouteDef],
            roles: Mapping[str, Role] = MappingProxyType({}),
        ) -> None:
            routes = list(routes)
            registered.update((r.method, re.sub(r"{\w+}", "x1", r.path)) for r in routes)
            super().__init__(settings, token, sockets, routes, roles)

    monkeypatch.setattr(assembly, "Server", Recorded)
    async with (
        engine({"doors": [{"id": "front"}]}, tmp_path / "data") as site,
        aiohttp.ClientSession(site.url) as session,
    ):
        assert ("DELETE", "/api/v1/subjects/x1") in registered
        for method, path in sorted(registered - {("GET", HEALTH_PATH)} | set(OTHERS)):
            for bearer in BEARERS:
                headers = {"Authorization": bearer.format(token=site.token)} if bearer else {}
                async with session.request(method, path, headers=headers, data=b"{}") as response:
                    told = (method, path, bearer)
                    assert response.status == 401, told
                    assert (await response.json())["code"] == "unauthorized", told


async def test_a_token_in_another_alphabet_is_wrong_and_not_an_error(
    site: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    host, _, port = site.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"GET /api/v1/state HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Authorization: Bearer \xff\xfe\xc3\r\n\r\n"
    )
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b" 401 " in answer.splitlines()[0]
    assert "failed" not in caplog.text


async def test_health_needs_no_token_and_names_nobody(site: Engine) -> None:
    async with aiohttp.ClientSession(site.url) as session, session.get("/health") as response:
        assert response.status == 200
        told = await response.json()
    assert told["status"] == "ok"
    assert set(told) == {
        "status",
        "version",
        "records",
        "models",
        "vault",
        "model_faults",
        "need_photos",
        "cameras",
        "cameras_down",
        "latency_ms",
    }


async def test_a_token_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    file = tmp_path / "token"
    token = read_token(file)
    assert len(token) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_token(file) == token


async def test_a_token_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "token"
    token = read_token(file)
    file.chmod(0o644)
    assert read_token(file) == token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "short", " " * 64])
async def test_a_token_too_short_to_keep_anybody_out_is_made_anew(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    assert len(read_token(file)) >= 32


async def test_two_engines_have_two_tokens(tmp_path: Path) -> None:
    assert read_token(tmp_path / "a") != read_token(tmp_path / "b")
