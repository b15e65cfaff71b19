"""FaceGate as a Home Assistant app: the engine, with what the Supervisor tells it.

The engine never waits for the Supervisor for long: doors come first, the broker's credentials and
the discovery when they can be had.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
import logging
import os
from pathlib import Path

from facegate.background import Background
from facegate.errors import SettingsError
from facegate.hardware import MqttSettings
from facegate.settings import Settings
from facegate.supervisor import DEFAULT_URL, Supervisor, SupervisorError, reached

_LOGGER = logging.getLogger(__name__)

PORT, INGRESS_PORT = 8099, 8098
TOPIC = "facegate"

type Running = Callable[[Settings, Path], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long what waits, in seconds: for the broker at most, between attempts, between looks."""

    broker_s: float = 10
    first_s: float = 1
    longest_s: float = 60
    look_s: float = 60
    goodbye_s: float = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where an app runs: the Supervisor's address, the data folder, and both ports."""

    url: str
    data: Path
    port: int = PORT
    ingress_port: int = INGRESS_PORT


def place_of(chosen: argparse.Namespace) -> Place:
    """Return the place that the command line names."""
    return Place(os.environ.get("SUPERVISOR_URL", DEFAULT_URL), chosen.data)


def supervisor_token() -> str:
    """Return the right to ask the Supervisor; raises ``SettingsError`` without one."""
    if token := os.environ.get("SUPERVISOR_TOKEN", ""):
        return token
    raise SettingsError(
        ("SUPERVISOR_TOKEN: not set by a Supervisor; without one use 'facegate run'",)
    )


async def run_app(
    settings: Settings,
    place: Place,
    token: str,
    running: Running,
    stopped: asyncio.Event,
    pace: Pace | None = None,
) -> None:
    """Run the engine until ``stopped``; raises what ``running`` raises.

    ``token`` is the Supervisor's. It is started anew only where the broker's credentials came or
    changed, never because the Supervisor is away.
    """
    pace = pace or Pace()
    api = replace(
        settings.api,
        host="0.0.0.0",  # noqa: S104  only what the app's network reaches
        port=place.port,
        ingress_port=place.ingress_port,
    )
    settings = replace(settings, api=api)
    async with reached(place.url, token, place.data) as supervisor:
        offered = None if settings.mqtt is not None else await _at_start(supervisor, pace)
        discovery, announced = Background(), False
        try:
            while not stopped.is_set():
                used = settings if offered is None else replace(settings, mqtt=offered)
                async with running(used, place.data):
                    if not announced:
                        announced = True
                        discovery.spawn(_announce(supervisor, place, pace))
                    if settings.mqtt is not None:
                        await stopped.wait()
                    else:
                        offered = await _other(supervisor, offered, stopped, pace)
        finally:
            await discovery.cancel()
            await _withdraw(supervisor, pace)


async def _at_start(supervisor: Supervisor, pace: Pace) -> MqttSettings | None:
    """Return the broker on offer, None where there is none or nobody says so soon enough."""
    try:
        async with asyncio.timeout(pace.broker_s):
            return await _insist(lambda: supervisor.mqtt(TOPIC), "the broker's credentials", pace)
    except TimeoutError:
        _LOGGER.warning("The engine starts without MQTT, which is taken up once it is offered")
        return None


async def _other(
    supervisor: Supervisor, used: MqttSettings | None, stopped: asyncio.Event, pace: Pace
) -> MqttSettings | None:
    """Return once another broker than the one in use is on offer, or the engine shall stop."""
    while not stopped.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(pace.look_s):
                await stopped.wait()
                break
        try:
            found = await supervisor.mqtt(TOPIC)
        except SupervisorError as err:
            _LOGGER.debug("Whether the broker is the same cannot be told: %s", err)
            continue
        if found is not None and found != used:
            _LOGGER.warning("Home Assistant offers another MQTT broker: the engine starts anew")
            return found
    return used


async def _announce(supervisor: Supervisor, place: Place, pace: Pace) -> None:
    token = (await asyncio.to_thread((place.data / "token").read_text, "ascii")).strip()

    async def announce() -> None:
        await supervisor.announce(await supervisor.hostname(), place.port, token)

    await _insist(announce, "the discovery", pace)
    _LOGGER.info("Home Assistant is told where the engine is")


async def _withdraw(supervisor: Supervisor, pace: Pace) -> None:
    try:
        async with asyncio.timeout(pace.goodbye_s):
            await supervisor.withdraw()
    except (SupervisorError, TimeoutError, OSError) as err:
        _LOGGER.warning("The discovery is not withdrawn: %s", str(err) or "no answer")


async def _insist[T](ask: Callable[[], Awaitable[T]], what: str, pace: Pace) -> T:
    """Ask until the Supervisor answers, less and less often."""
    wait_s, told = pace.first_s, ""
    while True:
        try:
            return await ask()
        except (SupervisorError, OSError) as err:
            if str(err) != told:
                told = str(err)
                _LOGGER.warning("%s: %s; it is tried again", what.capitalize(), err)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, pace.longest_s)
