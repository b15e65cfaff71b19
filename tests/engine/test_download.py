"""A download is whole or it is not there, whatever the line, the server and the disk do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
import errno
import hashlib
import os
from pathlib import Path
import stat

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from facegate import download as module
from facegate.download import download
from facegate.errors import ModelError
from facegate.face.weights import MINIFASNET_V1SE, MINIFASNET_V2, YUNET, Model
from facegate.models_command import fetch, look
from facegate.protocol import ModelProblem

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def whole(_: web.Request) -> web.StreamResponse:
    return web.Response(body=CONTENT)


async def without_length(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(CONTENT)
    return response


async def truncated(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(CONTENT))})
    await response.prepare(request)
    await response.write(CONTENT[:1000])
    assert request.transport is not None
    request.transport.abort()
    return response


async def cut_by_a_proxy(_: web.Request) -> web.StreamResponse:
    return web.Response(body=CONTENT[:-1])


async def altered(_: web.Request) -> web.StreamResponse:
    return web.Response(body=CONTENT[:-1] + b"x")


async def gone(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(CONTENT)


async def silent(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    raise AssertionError


@pytest.fixture
async def address(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The address of a server that answers as the test's parameter does."""
    app = web.Application()
    app.add_routes([web.get("/weights/{name}", request.param)])
    async with TestServer(app) as server:
        yield str(server.make_url("/weights/model.onnx"))


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask this machine's servers themselves, whatever proxy the tests run behind."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ignore(_done: int, _total: int | None) -> None:
    pass


def answering(*handlers: Handler) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "address", handlers, indirect=True, ids=lambda handler: handler.__name__
    )


@answering(whole, without_length)
async def test_what_is_whole_is_kept_and_readable_to_the_engine(
    address: str, tmp_path: Path
) -> None:
    target = tmp_path / "models" / "model.onnx"
    assert await download(address, target, SHA256, ignore) == len(CONTENT)
    assert target.read_bytes() == CONTENT
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert names_in(target.parent) == ["model.onnx"]


@answering(whole)
async def test_progress_is_told_up_to_the_end(address: str, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    await download(address, tmp_path / "m", SHA256, lambda *step: told.append(step))
    assert len(told) > 1
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert {total for _, total in told} == {len(CONTENT)}


@answering(truncated, cut_by_a_proxy, altered, gone, endless, silent)
async def test_what_fails_says_why_and_leaves_what_was_there(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    patience = module._PATIENCE
    monkeypatch.setattr(module, "_PATIENCE", type(patience)(total=None, sock_read=0.5))
    why = {
        "truncated": "broke before the end",
        "cut_by_a_proxy": "not the published file",
        "altered": rf"not the published file \(sha256 expected {SHA256}",
        "gone": "404 Not Found",
        "endless": "larger than 5000000 bytes",
        "silent": "does not answer any more",
    }[request.node.callspec.id]
    target = tmp_path / "model.onnx"
    target.write_bytes(b"what was there before")
    with pytest.raises(ModelError, match=why) as caught:
        await download(address, target, SHA256, ignore, 5_000_000)
    assert address in str(caught.value)
    assert target.read_bytes() == b"what was there before"
    assert names_in(tmp_path) == ["model.onnx"]


async def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not downloaded"):
        await download("http://127.0.0.1:9/model.onnx", tmp_path / "m", SHA256, ignore)
    with pytest.raises(ModelError, match="not downloaded"):
        await download("no address at all", tmp_path / "m", SHA256, ignore)
    assert names_in(tmp_path) == []


@answering(whole)
async def test_a_full_disk_leaves_no_half_file(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(ModelError, match=rf"{tmp_path}/m cannot be written: No space left"):
        await download(address, tmp_path / "m", SHA256, ignore)
    assert names_in(tmp_path) == []


@answering(whole)
async def test_the_environments_proxy_is_asked(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = address.partition("/weights/")[0]
    asked = "http://models.invalid/weights/model.onnx"
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    await download(asked, tmp_path / "m", SHA256, ignore)
    assert (tmp_path / "m").read_bytes() == CONTENT


# --- facegate models fetch ----------------------------------------------------------------------


def served_by(server: str) -> str:
    return server.rpartition("/")[0]


@answering(gone)
async def test_fetching_asks_for_nothing_that_is_there(
    address: str, shared: Path, tmp_path: Path
) -> None:
    findings = look((shared / "models",))
    assert all(finding.source is not None for finding in findings)
    await fetch(tmp_path, findings, print, served_by(address))
    assert names_in(tmp_path) == []


@answering(altered)
async def test_fetching_something_else_than_what_was_published_fails(
    address: str, tmp_path: Path
) -> None:
    findings = look((tmp_path,), (YUNET, MINIFASNET_V2))
    with pytest.raises(ModelError, match=r"MiniFASNetV2\.onnx was not downloaded") as caught:
        await fetch(tmp_path, findings, print, served_by(address))
    assert caught.value.problem is ModelProblem.ALTERED
    assert names_in(tmp_path) == []


@pytest.fixture
def published() -> tuple[Model, ...]:
    """The liveness models, as if what the tests' server gives had been published."""
    return tuple(
        replace(model, files=tuple(replace(file, sha256=SHA256) for file in model.files))
        for model in (MINIFASNET_V2, MINIFASNET_V1SE)
    )


@answering(whole)
async def test_what_is_fetched_is_found_and_said_with_its_progress(
    address: str, tmp_path: Path, published: tuple[Model, ...]
) -> None:
    told: list[str] = []
    await fetch(tmp_path, look((tmp_path,), published), told.append, served_by(address))
    for finding in look((tmp_path,), published):
        assert finding.source is not None
        assert finding.source.content == CONTENT
    assert "MiniFASNetV2.onnx: 100 %" in told
    assert f"MiniFASNetV1SE.onnx: {len(CONTENT)} bytes, whole" in told


@answering(whole)
async def test_a_damaged_download_is_fetched_again(
    address: str, tmp_path: Path, published: tuple[Model, ...]
) -> None:
    damaged = tmp_path / "MiniFASNetV2.onnx"
    damaged.write_bytes(CONTENT[:-1])
    await fetch(tmp_path, look((tmp_path,), published), print, served_by(address))
    assert damaged.read_bytes() == CONTENT
