"""The program: private files, an exit that says what was wrong, and an end that comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
import json
import os
from pathlib import Path
import signal
import socket
import stat
from typing import Any

import pytest

from facegate.__main__ import main
from tests.engine.process import command, started
from tests.support import Client, lend_models

OPTIONS: dict[str, Any] = {"doors": [{"id": "front", "pulse_seconds": 1}]}


def modes(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in [folder, *folder.iterdir()]
        if not path.is_symlink()
    }


async def test_everything_it_writes_is_for_its_own_user_only(tmp_path: Path) -> None:
    async with started(OPTIONS, tmp_path) as program:
        await program.listening()
        async with Client.connected(program.url, program.token):
            found = modes(program.data)
        assert program.process is not None
        program.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(program.process.wait(), 20) == 0
    assert set(found) >= {"token", "facegate.db", "facegate.db-wal", "facegate.db-shm"}
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}
    assert found["token"] == 0o600


async def test_records_that_cannot_be_used_do_not_keep_it_from_ending(tmp_path: Path) -> None:
    options, data, said = tmp_path / "options.json", tmp_path / "data", tmp_path / "said"
    options.write_text('{"doors": [{"id": "front"}]}')
    data.mkdir()
    (data / "facegate.db").write_bytes(b"hello, I am no database" * 100)
    process = await command("run", "--options", options, "--data", data, errors=said)
    assert await asyncio.wait_for(process.wait(), 60) == 1
    (line,) = said.read_text().splitlines()
    assert line.startswith("facegate: facegate.db: the file is not a FaceGate database; restore")


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """Give what the program says when it is run with options, where it ends with 1."""
    umask = os.umask(0)

    def run(options: str | None = None, data: Path | None = None) -> str:
        file = tmp_path / "options.json"
        if options is not None:
            file.write_text(options)
        folder = data or tmp_path / "data"
        assert main(["run", "--options", str(file), "--data", str(folder)]) == 1
        return capsys.readouterr().err

    yield run
    os.umask(umask)


def test_options_that_cannot_be_used_are_told_before_anything_is_made(
    said: Callable[..., str], tmp_path: Path
) -> None:
    assert "options.json: cannot be read: No such file" in said()
    assert "doors[0].puls: unknown option" in said('{"doors": [{"id": "front", "puls": 3}]}')
    assert not (tmp_path / "data").exists()


def test_a_data_folder_that_cannot_be_made_is_named(
    said: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for data in (tmp_path / "file", tmp_path / "file" / "data"):
        assert f"data folder {data}: " in said('{"doors": [{"id": "front"}]}', data)


def test_an_address_that_cannot_be_listened_on_is_named(
    said: Callable[..., str], tmp_path: Path
) -> None:
    lend_models(tmp_path / "data")
    with socket.create_server(("127.0.0.1", 0)) as other:
        for host, port in (
            ("127.0.0.1", other.getsockname()[1]),
            ("a" * 70, 8099),
            ("a..b", 8099),
        ):
            options = {"doors": [{"id": "front"}], "api": {"host": host, "port": port}}
            assert f"api: cannot listen on {host}:{port}: " in said(json.dumps(options))
