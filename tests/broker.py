"""A real broker: Mosquitto with users, rights and, where wanted, encryption."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
import itertools
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess

import pytest

from facegate.hardware import MqttSettings, TlsSettings

# Debian installs it where only root's path leads.
PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PASSWORDS = shutil.which("mosquitto_passwd")
needs_mosquitto = pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed")

ENGINE, DEVICE, STRANGER = "engine", "device", "stranger"
PASSWORD = "correct horse"
ALLOWED: Mapping[str, tuple[str, ...]] = {
    ENGINE: ("readwrite #",),
    DEVICE: ("readwrite #",),
    STRANGER: ("read #",),
}
"""What each user may do: lines of Mosquitto's access control list."""

_START_S = 5.0


@dataclass
class Mosquitto:
    """One broker on a free port; it may be killed and started again on the same one."""

    folder: Path
    port: int
    tls: TlsSettings | None = None
    process: asyncio.subprocess.Process | None = None

    def settings(self, user: str = ENGINE, topic: str = "facegate") -> MqttSettings:
        """Return how a user reaches it."""
        return MqttSettings("127.0.0.1", self.port, topic, user, PASSWORD, self.tls)

    @property
    def log(self) -> str:
        """What it told of, denials too."""
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    async def start(self) -> None:
        """Start it and wait until it listens."""
        assert PROGRAM is not None
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                PROGRAM, "-c", str(self.folder / "mosquitto.conf"), stdout=log, stderr=log
            )
        async with asyncio.timeout(_START_S):
            await self._listening()

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL lets it say goodbye to nobody."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()
        self.process = None

    async def _listening(self) -> None:
        for wait_s in itertools.repeat(0.02):
            if await self._listens():
                return
            await asyncio.sleep(wait_s)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def mosquitto(
    folder: Path,
    allowed: Mapping[str, tuple[str, ...]] = ALLOWED,
    tls: TlsSettings | None = None,
    *,
    client_certificates: bool = False,
) -> AsyncIterator[Mosquitto]:
    """Run a broker for as long as the block; ``tls`` is its authority, certificate and key.

    Clients are given the authority alone; ``client_certificates`` asks for theirs too.
    """
    port = _free_port()
    await asyncio.to_thread(_configure, folder, port, allowed, tls, client_certificates)
    client_tls = TlsSettings(ca=tls.ca) if tls is not None else None
    broker = Mosquitto(folder, port, client_tls)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


def _configure(
    folder: Path,
    port: int,
    allowed: Mapping[str, tuple[str, ...]],
    tls: TlsSettings | None,
    client_certificates: bool,  # noqa: FBT001
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    passwords, rights = folder / "passwords", folder / "rights"
    passwords.touch(mode=0o600)
    assert PASSWORDS is not None
    for user in allowed:
        subprocess.run([PASSWORDS, "-b", str(passwords), user, PASSWORD], check=True)
    rights.write_text(
        "".join(
            f"user {user}\n" + "".join(f"topic {line}\n" for line in lines)
            for user, lines in allowed.items()
        )
    )
    rights.chmod(0o600)
    lines = [
        f"listener {port} 127.0.0.1",
        "allow_anonymous false",
        f"password_file {passwords}",
        f"acl_file {rights}",
        "persistence false",
        "log_type all",
        "user root",
    ]
    if tls is not None:
        lines += [f"cafile {tls.ca}", f"certfile {tls.certificate}", f"keyfile {tls.key}"]
    if client_certificates:
        lines.append("require_certificate true")
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
