"""What others do to a relay, with every family: told of, and ended once it outlasts an opening."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiomqtt
import pytest

from demo.relays.http import HttpDevice
from facegate.door.families import dialect
from facegate.errors import ActuatorError
from tests.broker import DEVICE, needs_mosquitto
from tests.engine.door.relays import (
    BY_MQTT,
    HOLDABLE,
    PULSE_S,
    WITH_WILL,
    Device,
    Fitted,
    back,
    every,
)
from tests.support import until

pytestmark = needs_mosquitto


async def test_a_relay_that_others_switch_on_is_told_of_and_ended_once_it_outlasts_an_opening(
    tmp_path: Path,
) -> None:
    async def check(relay: Fitted) -> None:
        # Some tell nothing before they are first used.
        await relay.actuator.pulse_ended(await relay.pulse())
        relay.device.heard.clear()
        await relay.device.switch(on=True)
        await until(lambda: relay.strays == 1)
        assert relay.orders == []  # an exit button that is wired to it still lets somebody out
        await until(lambda: not relay.device.on)
        assert relay.orders == ["off"]
        await until(lambda: relay.actuator.unlocked is False)
        # Once a minute at most, however often.
        for on in (True, False, True, False):
            await relay.device.switch(on=on)
            await until(lambda on=on: relay.actuator.unlocked is on)  # type: ignore[misc]
        assert relay.strays == 1
        await relay.pulse()
        assert relay.strays == 1

    await every(tmp_path, check)


async def test_openings_of_our_own_are_nobody_elses(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        await relay.actuator.pulse_ended(await relay.pulse())
        if relay.family in HOLDABLE:
            await relay.hold()
            await asyncio.sleep(PULSE_S + 0.3)
            assert relay.device.on
            await relay.release()
        assert relay.strays == 0

    await every(tmp_path, check)


async def test_what_was_on_before_we_came_is_told_of_only_if_it_stays_on(
    tmp_path: Path,
) -> None:
    async def before(device: Device) -> None:
        device.on = True

    async def ends_by_itself(relay: Fitted) -> None:
        await until(lambda: relay.actuator.unlocked is True)
        await relay.device.switch(on=False)
        await until(lambda: relay.actuator.unlocked is False)
        await asyncio.sleep(PULSE_S + 0.3)
        assert (relay.strays, relay.orders) == (0, [])

    async def stays(relay: Fitted) -> None:
        await until(lambda: not relay.device.on)
        assert (relay.strays, relay.orders) == (1, ["off"])

    asked = {"shelly", "http, self timed"}
    await every(tmp_path / "ends", ends_by_itself, asked, before=before)
    await every(tmp_path / "stays", stays, asked, before=before)


async def test_a_relay_that_is_shared_is_left_to_the_others(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        await relay.device.switch(on=True)
        await until(lambda: relay.actuator.unlocked is True)
        await asyncio.sleep(PULSE_S + 0.3)
        assert (relay.strays, relay.orders, relay.device.on) == (0, [], True)

    await every(tmp_path, check, {"shelly"}, shared=True)


async def test_a_command_that_the_broker_keeps_is_taken_away_and_told_of(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        assert not isinstance(relay.device, HttpDevice)
        commands = dialect(relay.device.settings, "facegate/relays/front").commands
        for topic in commands:
            await relay.device.say(topic, "x", retain=True)
        await until(lambda: bool(relay.kept))
        assert len(relay.kept) == 1  # once a minute
        broker = relay.server.settings(DEVICE)
        async with aiomqtt.Client(
            broker.host, broker.port, username=broker.username, password=broker.password
        ) as newcomer:
            for topic in commands:
                await newcomer.subscribe(topic)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(newcomer.messages), 0.3)
        assert relay.device.moves == []

    await every(tmp_path, check, set(BY_MQTT))


async def test_a_lock_that_could_not_be_told_is_done_once_the_relay_is_back(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        await relay.hold()
        await relay.device.offline()
        await relay.gone()
        with pytest.raises(ActuatorError):
            await relay.release()
        await back(relay)
        await until(lambda: not relay.device.on)
        assert relay.strays == 0

    await every(tmp_path, check, HOLDABLE & (WITH_WILL | {"http"}))


async def test_what_comes_after_a_hold_that_others_ended_is_not_ours(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        await relay.hold()
        for on in (False, True):
            await relay.device.switch(on=on)
            await until(lambda on=on: relay.actuator.unlocked is on)  # type: ignore[misc]
        await until(lambda: relay.strays == 1)
        await until(lambda: not relay.device.on)

    await every(tmp_path, check, HOLDABLE)


async def test_a_door_that_is_to_stand_open_may_be_opened_by_others(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        relay.wanted_open = True
        await relay.device.switch(on=True)
        await until(lambda: relay.actuator.unlocked is True)
        await asyncio.sleep(PULSE_S + 0.3)
        assert (relay.strays, relay.orders, relay.device.on) == (0, [], True)
        relay.wanted_open = False
        await until(lambda: not relay.device.on)
        assert relay.strays == 1

    await every(tmp_path, check, {"shelly", "esphome"})


async def test_a_relay_that_comes_and_goes_is_ended_all_the_same(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        await relay.device.switch(on=True)
        await until(lambda: relay.actuator.unlocked is True)
        await relay.device.offline()
        await relay.gone()
        await back(relay)
        await until(lambda: not relay.device.on, 2 * PULSE_S)
        assert relay.strays == 1

    await every(tmp_path, check, {"shelly", "http"})


async def test_one_that_sticks_is_ended_a_few_times_only_and_told_of_once(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        relay.device.habits.stuck_on = True
        relay.device.tells_changes_only = False
        await relay.device.switch(on=True)
        await until(lambda: relay.orders.count("off") > 0)
        relay.clock.passed += 120
        await asyncio.sleep(2 * PULSE_S)
        assert relay.orders.count("off") <= 4
        assert relay.strays <= 2

    await every(tmp_path, check, {"shelly", "http"})


async def test_a_hold_that_no_mode_asks_for_ends_with_the_engine(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        await relay.hold()
        relay.wanted_open = relay.family == "shelly"
        await relay.actuator.close()
        await until(lambda: relay.device.on is relay.wanted_open)

    await every(tmp_path, check, {"shelly", "tasmota", "http"})
