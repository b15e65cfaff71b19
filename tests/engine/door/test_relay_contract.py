"""What a door may rely on with every family of relays: confirmed, ended, shut, never toggled."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from demo.relays.devices import ShellyGen1
from demo.relays.http import HttpDevice
from facegate.errors import ActuatorError
from facegate.protocol import ActuatorAction, ErrorCode
from tests.broker import needs_mosquitto
from tests.engine.door.relays import (
    BY_MQTT,
    HOLDABLE,
    PULSE_S,
    TIMED,
    WITH_WILL,
    Device,
    Fitted,
    back,
    every,
)
from tests.support import until

pytestmark = needs_mosquitto


async def refused(relay: Fitted) -> ActuatorError:
    """Return why a pulse failed; one that succeeds fails the test."""
    with pytest.raises(ActuatorError) as caught:
        await relay.pulse()
    return caught.value


async def test_a_pulse_is_confirmed_and_its_end_too(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        command = await relay.pulse()
        assert relay.device.on
        assert relay.actuator.unlocked is True
        await relay.actuator.pulse_ended(command)
        assert not relay.device.on
        assert relay.actuator.unlocked is False
        assert relay.device.moves == [True, False]
        # Whoever keeps the time itself is not told to end.
        assert relay.orders == (["on"] if relay.family in TIMED else ["on", "off"])
        assert [unlocked for unlocked, _ in relay.seen][-2:] == [True, False]

    await every(tmp_path, check)


async def test_a_relay_that_does_nothing_is_not_confirmed(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        relay.device.habits.deaf = True
        err = await refused(relay)
        assert err.code in (ErrorCode.NOT_CONFIRMED, ErrorCode.ACTUATOR_UNAVAILABLE)
        assert relay.actuator.unlocked is not True
        if relay.family in WITH_WILL - {"esphome"}:
            assert "does not answer" in await relay.gone()

    await every(tmp_path, check)


async def test_a_relay_that_acts_without_a_word_is_not_confirmed_and_switched_off(
    tmp_path: Path,
) -> None:
    async def check(relay: Fitted) -> None:
        relay.device.habits.mute = True
        err = await refused(relay)
        assert err.code is ErrorCode.NOT_CONFIRMED, err
        await until(lambda: relay.device.moves == [True, False])

    await every(tmp_path, check)


async def test_a_late_confirmation_is_no_success_yet_shown_and_the_relay_switched_off(
    tmp_path: Path,
) -> None:
    async def check(relay: Fitted) -> None:
        relay.device.habits.late_s = 1.4
        err = await refused(relay)
        assert err.code is ErrorCode.NOT_CONFIRMED, err
        await until(lambda: any(unlocked is True for unlocked, _ in relay.seen))
        await until(lambda: relay.actuator.unlocked is False)
        assert relay.device.moves == [True, False]

    await every(tmp_path, check)


async def test_a_relay_that_is_offline_says_so_and_is_back_by_itself(
    tmp_path: Path,
) -> None:
    async def check(relay: Fitted) -> None:
        await relay.device.offline()
        if relay.family in BY_MQTT - WITH_WILL:
            assert (await refused(relay)).code is ErrorCode.NOT_CONFIRMED
        else:
            reason = await relay.gone()
            assert ("offline" if relay.family in BY_MQTT else "cannot be reached") in reason
            assert relay.actuator.unlocked is None
            assert (await refused(relay)).code is ErrorCode.ACTUATOR_UNAVAILABLE
        assert relay.orders == []
        await back(relay)
        await relay.ready()
        assert relay.orders == []
        await relay.pulse()

    await every(tmp_path, check)


async def test_a_flapping_relay_does_not_end_its_pulse_before_it_does(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        relay.device.habits.flaps = True
        command = await relay.pulse()
        await relay.actuator.pulse_ended(command)
        assert relay.device.moves == [True, False, True, False]
        assert not relay.device.on
        assert relay.actuator.unlocked is False

    await every(tmp_path, check)


async def test_an_expired_command_is_not_sent(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        for action in ActuatorAction:
            command = relay.command(action)
            relay.clock.passed += 3
            with pytest.raises(ActuatorError) as caught:
                await relay.actuator.perform(command)
            assert caught.value.code is ErrorCode.EXPIRED
        await relay.pulse()
        assert relay.orders[0] == "on"
        assert relay.device.moves == [True]

    await every(tmp_path, check)


async def test_a_state_from_before_does_not_confirm(tmp_path: Path) -> None:
    async def before(device: Device) -> None:
        device.on = True
        if not isinstance(device, HttpDevice):
            say = device.say

            async def kept(topic: str, payload: str, *, retain: bool = False) -> None:
                await say(topic, payload, retain=retain or True)

            device.say = kept  # type: ignore[method-assign]
            await device.tell()
            device.say = say  # type: ignore[method-assign]

    async def check(relay: Fitted) -> None:
        await until(lambda: relay.actuator.unlocked is True)
        relay.device.habits.deaf = True
        err = await refused(relay)
        assert err.code in (ErrorCode.NOT_CONFIRMED, ErrorCode.ACTUATOR_UNAVAILABLE)

    await every(tmp_path, check, before=before)


async def test_nothing_ever_toggles_and_what_is_repeated_stays_as_it_is(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        for _ in range(2):
            await relay.pulse()
            assert relay.device.on
        for _ in range(2):
            await relay.release()
            assert not relay.device.on
        said = " ".join(what for _, what in relay.device.heard).lower()
        assert "toggle" not in said.replace("toggle_after", "")

    await every(tmp_path, check)


async def test_a_hold_outlasts_the_pulse_that_it_took_over_until_it_is_released(
    tmp_path: Path,
) -> None:
    async def check(relay: Fitted) -> None:
        await relay.pulse()
        await relay.hold()
        await asyncio.sleep(PULSE_S + 0.3)
        assert relay.device.on
        assert relay.actuator.unlocked is True
        await relay.release()
        assert not relay.device.on
        assert relay.actuator.unlocked is False

    await every(tmp_path, check, HOLDABLE)


async def test_a_relay_that_ends_every_opening_says_that_it_cannot_be_held(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        assert relay.actuator.holds is (relay.family in HOLDABLE)

    await every(tmp_path, check)


async def test_a_relay_that_forgets_the_time_is_switched_off(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        relay.device.habits.forgets_time = True
        command = await relay.pulse()
        await relay.actuator.pulse_ended(command)
        assert relay.device.moves == [True, False]
        assert relay.orders == ["on", "off"]

    await every(tmp_path, check, TIMED)


async def test_a_relay_that_sticks_is_told_of_and_told_off_a_few_times_only(
    tmp_path: Path,
) -> None:
    async def check(relay: Fitted) -> None:
        relay.device.habits.stuck_on = True
        relay.device.tells_changes_only = False
        command = await relay.pulse()
        with pytest.raises(ActuatorError) as caught:
            await relay.actuator.pulse_ended(command)
        assert caught.value.code is ErrorCode.NOT_CONFIRMED
        assert relay.actuator.unlocked is True
        await asyncio.sleep(0.5)
        assert relay.orders.count("off") <= 4

    await every(tmp_path, check)


async def test_a_pulse_that_only_we_can_end_is_ended_when_the_engine_stops(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        await relay.pulse()
        await relay.actuator.close()
        await until(lambda: not relay.device.on)

    await every(tmp_path, check)


async def test_the_auto_off_of_a_first_shelly_ends_a_pulse_before_us(tmp_path: Path) -> None:
    async def check(relay: Fitted) -> None:
        assert isinstance(relay.device, ShellyGen1)
        relay.device.auto_off_s = 0.7
        command = await relay.pulse()
        await relay.actuator.pulse_ended(command)
        assert relay.orders == ["on"]

    await every(tmp_path, check, {"shelly_gen1"})
