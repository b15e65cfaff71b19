"""A client of Home Assistant's WebSocket API: what a frontend sees and does, and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
import time
from typing import Any, Self

import aiohttp

CALL_LIMIT_S = 30.0


class HomeError(Exception):
    """Home Assistant refused something or did not answer."""


@dataclass(frozen=True, slots=True)
class EntityState:
    """An entity's state; ``last_changed`` is Home Assistant's own time, in UTC."""

    entity_id: str
    state: str
    attributes: Mapping[str, object]
    last_changed: datetime

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read a state object of the API."""
        changed = datetime.fromisoformat(raw["last_changed"]).astimezone(UTC)
        return cls(raw["entity_id"], raw["state"], raw["attributes"], changed)

    def text(self, attribute: str) -> str | None:
        """Return an attribute that is a string, else None."""
        value = self.attributes.get(attribute)
        return value if isinstance(value, str) else None

    def number(self, attribute: str) -> float | None:
        """Return an attribute that is a number, else None."""
        value = self.attributes.get(attribute)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(value) if is_number else None  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Change:
    """One state change as Home Assistant reported it; None where the entity was not there."""

    old: EntityState | None
    new: EntityState | None


class HomeClient:
    """One authenticated connection; remembers every state change since it connected."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Future[object]] = {}
        self._last_id = 0
        self._news = asyncio.Condition()
        self._lost: str | None = None
        self.states: dict[str, EntityState] = {}
        self.changes: list[Change] = []

    async def connect(self, token: str) -> None:
        """Authenticate and follow all states; raises ``HomeError``."""
        self._socket = await self._session.ws_connect(
            f"{self._url}/api/websocket", max_msg_size=0, heartbeat=30
        )
        await self._socket.receive_json(timeout=CALL_LIMIT_S)
        await self._socket.send_json({"type": "auth", "access_token": token})
        answer = await self._socket.receive_json(timeout=CALL_LIMIT_S)
        if answer["type"] != "auth_ok":
            raise HomeError(f"Home Assistant refused the token: {answer.get('message')}")
        self._reader = asyncio.create_task(self._read(self._socket))
        await self.call("subscribe_events", event_type="state_changed")
        states = await self.call("get_states")
        assert isinstance(states, list)
        for raw in states:
            state = EntityState.parse(raw)
            self.states.setdefault(state.entity_id, state)

    async def close(self) -> None:
        """Close the connection; idempotent."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader

    async def call(self, kind: str, **fields: object) -> object:
        """Send a command and return its result; raises ``HomeError`` if it is refused."""
        if self._socket is None or self._lost is not None:
            raise HomeError(self._lost or "not connected to Home Assistant")
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._socket.send_json({"id": number, "type": kind, **fields})
            async with asyncio.timeout(CALL_LIMIT_S):
                return await answer
        except TimeoutError as err:
            raise HomeError(f"Home Assistant did not answer {kind}") from err
        finally:
            del self._answers[number]

    async def call_service(self, action: str, entity_id: str, **data: object) -> None:
        """Perform an action such as ``button.press`` on an entity; raises ``HomeError``."""
        domain, service = action.split(".")
        await self.call(
            "call_service",
            domain=domain,
            service=service,
            service_data=data,
            target={"entity_id": entity_id},
        )

    def state(self, entity_id: str) -> str | None:
        """Return an entity's state now, or None where there is none."""
        known = self.states.get(entity_id)
        return known.state if known else None

    async def wait_state(self, entity_id: str, wanted: str, limit_s: float) -> None:
        """Return once the entity has the state; raises ``HomeError`` after ``limit_s``."""
        await self._wait(
            lambda: self.state(entity_id) == wanted,
            limit_s,
            lambda: f"{entity_id} is {self.state(entity_id)}, not {wanted}",
        )

    async def wait_change(
        self, since: int, wanted: Callable[[Change], bool], limit_s: float
    ) -> Change | None:
        """Return the first wanted change with an index from ``since`` on, or None in time."""

        def find() -> Change | None:
            return next(filter(wanted, self.changes[since:]), None)

        try:
            await self._wait(lambda: find() is not None, limit_s, lambda: "no such change")
        except HomeError:
            if self._lost is not None:
                raise
        return find()

    async def _wait(
        self, condition: Callable[[], bool], limit_s: float, complaint: Callable[[], str]
    ) -> None:
        deadline = time.monotonic() + limit_s
        async with self._news:
            while not condition():
                if self._lost is not None:
                    raise HomeError(self._lost)
                try:
                    async with asyncio.timeout(deadline - time.monotonic()):
                        await self._news.wait()
                except TimeoutError:
                    raise HomeError(f"{complaint()} after {limit_s:g} s") from None

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    raw = message.json()
                    for item in raw if isinstance(raw, list) else [raw]:
                        self._take(item)
                    async with self._news:
                        self._news.notify_all()
        finally:
            self._lost = "the connection to Home Assistant was lost"
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(HomeError(self._lost))
            with contextlib.suppress(RuntimeError):
                async with self._news:
                    self._news.notify_all()

    def _take(self, item: Mapping[str, Any]) -> None:
        if item["type"] == "result":
            answer = self._answers.get(item["id"])
            if answer is None or answer.done():
                return
            if item["success"]:
                answer.set_result(item["result"])
            else:
                answer.set_exception(HomeError(item["error"]["message"]))
        elif item["type"] == "event":
            data = item["event"]["data"]
            old, new = (
                EntityState.parse(data[key]) if data[key] else None
                for key in ("old_state", "new_state")
            )
            if new is not None:
                self.states[new.entity_id] = new
            elif old is not None:
                self.states.pop(old.entity_id, None)
            self.changes.append(Change(old, new))
