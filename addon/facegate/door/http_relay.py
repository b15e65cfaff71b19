"""A relay with a web server: told by one address, asked at another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from facegate.domain import Clock
from facegate.door.relay import Order, RelayActuator
from facegate.door.stray import Stray
from facegate.door.words import LONGEST, scalar_at, text, word
from facegate.errors import ActuatorError, SettingsError
from facegate.hardware import HttpAuth, HttpRelay
from facegate.protocol import ErrorCode

SECONDS = "{seconds}"
"""Where an address takes the length of a pulse."""
POLL_S = 5.0
"""How often the relay is asked while nothing goes on."""
ATTENTIVE_POLL_S = 0.1
"""How often it is asked while it should change."""

_ANSWER_S = 2.0
_LATE_S = 5.0
# From aiohttp 3.12.8 on, which the app ships; Home Assistant's oldest supported has an older one.
_DIGEST = getattr(aiohttp, "DigestAuthMiddleware", None)


class HttpRelayActuator(RelayActuator):
    """One door's relay with a web server; asked for its state from ``start`` on.

    Addresses are never told: they may hold a password.
    """

    def __init__(
        self,
        relay: HttpRelay,
        clock: Clock,
        door_id: str,
        on_change: Callable[[], None],
        stray: Stray | None,
    ) -> None:
        if relay.auth is HttpAuth.DIGEST and _DIGEST is None:
            raise SettingsError(("actuator.auth: digest needs aiohttp 3.12.8 or newer",))
        timed = SECONDS in relay.on_url
        super().__init__(
            f"the relay at {urlsplit(relay.state_url).hostname}",
            door_id,
            clock,
            on_change,
            stray,
            timed=timed,
            holds=not timed,
            answers=True,
        )
        self._relay = relay
        self._session: aiohttp.ClientSession | None = None
        self._fault: str | None = f"{self.name} has not been asked yet"
        self._told = 0
        self._wake = asyncio.Event()
        self._eager_until = 0.0

    @property
    def unavailable_reason(self) -> str | None:
        """Why it cannot be used now, or None."""
        return self._fault

    async def start(self) -> None:
        """Begin to ask the relay for its state."""
        self._session = self._new_session()
        self._spawn(self._poll())

    async def close(self) -> None:
        """Stop; a pulse that the relay does not end itself is ended now."""
        await super().close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send(self, order: Order, pulse_s: float, life_s: float) -> None:
        url = self._relay.off_url if order is Order.OFF else self._relay.on_url
        if order is not Order.OFF:
            url = url.replace(SECONDS, f"{pulse_s:g}")
        # What was asked for before the relay has answered tells nothing of what it does now.
        self._told += 1
        try:
            await self._fetch(self._relay.method, url, life_s)
        finally:
            self._told += 1
            self._wake.set()

    async def _ask(self) -> None:
        self._wake.set()

    def _unconfirmed(self) -> None:
        # What it does late is shown, and undone, at once.
        self._eager_until = asyncio.get_running_loop().time() + _LATE_S
        self._wake.set()

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._look()
            eager = self._attentive or loop.time() < self._eager_until
            try:
                async with asyncio.timeout(ATTENTIVE_POLL_S if eager else POLL_S):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def _look(self) -> None:
        told = self._told
        try:
            on = self._read(await self._fetch("GET", self._relay.state_url, _ANSWER_S))
        except ActuatorError as err:
            fault: str | None = str(err)
            self._forget()
        except ValueError as err:
            fault = f"{self.name} answered what is no state: {err}; check state_url and state_path"
            self._forget()
        else:
            fault = None
        changed, self._fault = fault != self._fault, fault
        if fault is None and told == self._told:
            self._hear(on=on, fresh=True)
        if changed:
            self._on_change()

    def _read(self, answer: bytes) -> bool:
        told = text(answer)
        path = self._relay.state_path
        found = word(told) if path is None else scalar_at(told, path)
        return found.lower() == self._relay.state_on.lower()

    async def _fetch(self, method: str, url: str, within_s: float) -> bytes:
        if self._session is None:
            raise ActuatorError(f"{self.name} is not asked any more")
        try:
            # A redirect would take the secret, and the door's fate, elsewhere.
            async with self._session.request(
                method,
                url,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=within_s),
            ) as response:
                try:
                    answer = await response.content.readexactly(LONGEST + 1)
                except asyncio.IncompleteReadError as err:
                    answer = err.partial
        except TimeoutError as err:
            raise ActuatorError(f"{self.name} does not answer; check its power") from err
        except aiohttp.ClientError as err:
            raise ActuatorError(
                f"{self.name} cannot be reached ({type(err).__name__}); check its address and power"
            ) from err
        if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise ActuatorError(
                f"{self.name} answered {response.status}; check auth, username and secret"
            )
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            raise ActuatorError(
                f"{self.name} answered {response.status}; check its addresses",
                ErrorCode.NOT_CONFIRMED,
            )
        return answer

    def _new_session(self) -> aiohttp.ClientSession:
        relay = self._relay
        headers = {"Authorization": f"Bearer {relay.secret}"}
        sign_in: dict[str, Any] = {}
        if relay.auth is HttpAuth.DIGEST and _DIGEST is not None:
            sign_in["middlewares"] = (_DIGEST(relay.username or "", relay.secret or ""),)
        return aiohttp.ClientSession(
            headers=headers if relay.auth is HttpAuth.BEARER else None,
            # A connection that the relay has closed meanwhile would have a command sent twice.
            connector=aiohttp.TCPConnector(force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            **sign_in,
        )
