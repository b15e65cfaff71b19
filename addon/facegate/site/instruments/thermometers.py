"""Body thermometers: readings that come on a topic, or are asked for by HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from facegate.domain import AccessPoint, Delivery
from facegate.errors import InvalidError
from facegate.hardware import TemperatureUnit, Thermometer
from facegate.site.instruments.health import Health, Sensor, Trouble
from facegate.site.instruments.payload import MOST_BYTES, json_of, moment_of, number_of
from facegate.site.presenting import COLDEST, HOTTEST, Presenting

_TIMEOUT = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read, in the thermometer's unit, None for nobody; ``at`` in seconds since 1970."""

    number: float | None
    at: float | None


class TemperatureFeed:
    """One thermometer at one access point."""

    def __init__(
        self,
        point: AccessPoint,
        thermometer: Thermometer,
        sensor: Sensor,
        presenting: Presenting,
        health: Health,
    ) -> None:
        self._point = point
        self._thermometer = thermometer
        self._sensor = sensor
        self._presenting = presenting
        self._health = health
        self._last: _Reading | None = None
        self._missed = True

    def heard(self, delivery: Delivery) -> None:
        """Take a message; a retained one is of nobody knows whom, an empty one of nobody."""
        if delivery.retained or not delivery.payload:
            return
        if (reading := self._read(delivery.payload)) is not None:
            self._take(reading)

    async def ask(self, session: aiohttp.ClientSession) -> None:
        """Ask the thermometer over and over, until cancelled."""
        while True:
            await self._ask_once(session)
            await asyncio.sleep(self._thermometer.every_s)

    async def _ask_once(self, session: aiohttp.ClientSession) -> None:
        assert self._thermometer.url is not None, "only what has an address is asked"
        try:
            async with session.get(
                self._thermometer.url, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                body = await _read(response)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            # Its own text may hold the address, and that a password.
            self._missed = True
            self._unwell(Trouble.UNREACHABLE, "it does not answer by HTTP")
            return
        if status != HTTPStatus.OK:  # it is asked where it is, and not sent elsewhere
            self._missed = True
            self._unwell(Trouble.UNREACHABLE, f"it answers HTTP status {status}")
            return
        self._answered(body)

    def _answered(self, body: bytes) -> None:
        """Take an answer that is another reading than the one before.

        What is asked tells its last reading until there is a new one, be it of whoever left long
        ago: the same value and time are the same reading, whatever else changed beside them. The
        first one, and the one after answers that were missed, is as old as it may be.
        """
        if (reading := self._read(body)) is None:
            self._missed = True
            return
        before, missed = self._last, self._missed
        self._last, self._missed = reading, False
        if missed:
            self._take(reading, new=reading != before and reading.at is not None, missed=True)
        elif reading != before:
            self._take(reading)

    def _read(self, payload: bytes) -> _Reading | None:
        """Return what a message tells, None where it cannot be read."""
        path = self._thermometer.path
        try:
            number = number_of(payload, path)
            at = moment_of(json_of(payload)) if path is not None else None
        except InvalidError as err:
            self._unwell(Trouble.MALFORMED, str(err))
            return None
        return _Reading(number, at)

    def _take(self, reading: _Reading, *, new: bool = True, missed: bool = False) -> None:
        """Take a reading, and only look whether it is plausible where it is not ``new``."""
        if reading.number is None:
            self._well()
            return
        celsius = _celsius(reading.number, self._thermometer.unit) + self._thermometer.offset
        if not COLDEST <= celsius <= HOTTEST:
            # Air and walls are what it sees while nobody is there: no alarm.
            reason = f"it read {celsius:.1f} °C, which is no body temperature"
            self._unwell(Trouble.IMPLAUSIBLE, reason, quiet=celsius < COLDEST)
            return
        if new:
            try:
                self._presenting.take_temperature(self._point, celsius, reading.at)
            except InvalidError as err:
                # What it read while nobody asked may be old without a fault of its own.
                if not missed:
                    self._unwell(Trouble.REFUSED, str(err))
                    return
        self._well()

    def _well(self) -> None:
        self._sensor.well()
        self._health.look()

    def _unwell(self, trouble: Trouble, reason: str, *, quiet: bool = False) -> None:
        self._sensor.trouble(trouble, reason, quiet=quiet)
        self._health.look()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body; of one that is too long, as much as shows that it is."""
    body = b""
    async for part in response.content.iter_chunked(MOST_BYTES):
        body += part
        if len(body) > MOST_BYTES:
            break
    return body


def _celsius(number: float, unit: TemperatureUnit) -> float:
    return number if unit is TemperatureUnit.CELSIUS else (number - 32) * 5 / 9
