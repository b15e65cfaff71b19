"""A simulated relay with a web server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import hashlib
import re
import secrets

from aiohttp import web

from demo.relays.relay import Relay
from facegate.hardware import HttpAuth, HttpRelay

REALM = "relay"
USER = "admin"


@dataclass
class HttpDevice(Relay):
    """A relay that takes ``/on``, ``/off`` and tells JSON at ``/state``.

    ``timed`` tells whether it takes the length of a pulse. ``secret`` is its token or password.
    """

    timed: bool = True
    auth: HttpAuth = HttpAuth.NONE
    secret: str = "open sesame"  # noqa: S105  of a device that does not exist
    port: int = 0
    refused: int = 0
    _runner: web.AppRunner | None = field(default=None, repr=False)
    _nonces: set[str] = field(default_factory=set, repr=False)

    @property
    def settings(self) -> HttpRelay:
        """How FaceGate is told of it."""
        base = f"http://127.0.0.1:{self.port}"
        return HttpRelay(
            on_url=f"{base}/on" + ("?timer={seconds}" if self.timed else ""),
            off_url=f"{base}/off",
            state_url=f"{base}/state",
            state_path="relays.0.ison",
            state_on="true",
            method="GET",
            auth=self.auth,
            username=USER if self.auth is HttpAuth.DIGEST else None,
            secret=self.secret if self.auth is not HttpAuth.NONE else None,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve for as long as the block."""
        await self.online()
        try:
            yield
        finally:
            await self.offline()
            self.stop()

    async def online(self) -> None:
        """Serve, on the port that it had before."""
        app = web.Application()
        app.router.add_get("/{what}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def offline(self) -> None:
        """Go away, as with the power cut."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def tell(self) -> None:
        """Say nothing: it waits to be asked."""

    async def _serve(self, request: web.Request) -> web.Response:
        if not self._admits(request):
            self.refused += 1
            return self._challenge()
        what = request.match_info["what"]
        if what == "state":
            if self.habits.deaf or self.habits.mute:
                await asyncio.sleep(10)
            return web.json_response({"relays": [{"ison": self.on}]})
        self.heard.append((request.path, request.query_string))
        if self.habits.deaf:
            await asyncio.sleep(10)
        seconds = request.query.get("timer")
        # It answers at once, whatever it does then.
        self._start(
            self.act(self.switch(on=what == "on", for_s=float(seconds) if seconds else None))
        )
        return web.json_response({"ok": True})

    def _admits(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        if self.auth is HttpAuth.BEARER:
            return given == f"Bearer {self.secret}"
        if self.auth is HttpAuth.DIGEST:
            parts = dict(re.findall(r'(\w+)="?([^",]+)"?', given.removeprefix("Digest ")))
            return self._proves(request, parts)
        return True

    def _proves(self, request: web.Request, parts: Mapping[str, str]) -> bool:
        if parts.get("nonce") not in self._nonces:
            return False

        def digest(text: str) -> str:
            return hashlib.sha256(text.encode()).hexdigest()

        who = digest(f"{USER}:{REALM}:{self.secret}")
        what = digest(f"{request.method}:{parts['uri']}")
        middle = ":".join(parts[name] for name in ("nonce", "nc", "cnonce", "qop"))
        return parts["uri"] == request.raw_path and secrets.compare_digest(
            digest(f"{who}:{middle}:{what}"), parts["response"]
        )

    def _challenge(self) -> web.Response:
        headers = {}
        if self.auth is HttpAuth.DIGEST:
            nonce = secrets.token_hex(16)
            self._nonces.add(nonce)
            headers["WWW-Authenticate"] = (
                f'Digest realm="{REALM}", nonce="{nonce}", qop="auth", algorithm=SHA-256'
            )
        return web.Response(status=401, headers=headers)
