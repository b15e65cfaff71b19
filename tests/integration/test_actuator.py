"""Doors driven through the entities that hold them: confirmed, once, in time, and shut again."""

from __future__ import annotations

import asyncio
import time

import pytest

from custom_components.facegate.protocol import (
    Actuated,
    ActuatorAction,
    ActuatorPhase,
    ActuatorStatus,
)
from tests.integration.hardware import (
    BOLT,
    GATE,
    LATCH,
    OPENER,
    STRIKE,
    Bench,
    Hardware,
    JammedError,
)
from tests.integration.home import Home
from tests.integration.scripted import ScriptedEngine, told
from tests.support import until

ON, OFF = ActuatorPhase.ON, ActuatorPhase.OFF
PULSE, HOLD, RELEASE = ActuatorAction.PULSE, ActuatorAction.HOLD, ActuatorAction.RELEASE


# --- what each kind of entity is asked ----------------------------------------------------------


@pytest.mark.parametrize(
    ("entity_id", "asked"),
    [
        (STRIKE, ["on", "off"]),
        (BOLT, ["unlock", "lock"]),
        (LATCH, ["open", "lock"]),
        (GATE, ["open", "close"]),
        (OPENER, ["press"]),
    ],
)
async def test_a_pulse_opens_and_shuts_and_both_are_confirmed(
    home: Home, scripted: ScriptedEngine, bench: Bench, entity_id: str, asked: list[str]
) -> None:
    await home.add(scripted, {"front": entity_id})
    began = time.monotonic()
    await scripted.command(PULSE, pulse_s=0.3)
    answers = await scripted.actuated(2)
    assert told(answers) == [("command-1", ON, True), ("command-1", OFF, True)]
    assert time.monotonic() - began >= 0.3
    assert _device(bench, entity_id).asked == asked


@pytest.mark.parametrize(
    ("entity_id", "opened", "shut"),
    [
        (STRIKE, "on", "off"),
        (BOLT, "unlock", "lock"),
        (LATCH, "unlock", "lock"),
        (GATE, "open", "close"),
    ],
)
async def test_a_hold_stays_until_it_is_released(
    home: Home,
    scripted: ScriptedEngine,
    bench: Bench,
    entity_id: str,
    opened: str,
    shut: str,
) -> None:
    await home.add(scripted, {"front": entity_id})
    await scripted.command(HOLD, "hold", pulse_s=0.1)
    assert told(await scripted.actuated(1)) == [("hold", ON, True)]
    await asyncio.sleep(0.3)
    assert _device(bench, entity_id).asked == [opened]
    await scripted.command(RELEASE, "release")
    assert told(await scripted.actuated(2))[1:] == [("release", ON, True)]
    assert _device(bench, entity_id).asked == [opened, shut]


async def test_a_button_cannot_hold_and_says_so(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": OPENER})
    await scripted.command(HOLD)
    answer = (await scripted.actuated())[0]
    assert not answer.ok
    assert "cannot hold" in (answer.error or "")
    await scripted.command(RELEASE, "release")
    assert told(await scripted.actuated(2))[1:] == [("release", ON, True)]
    assert bench.opener.asked == []


async def test_what_drives_the_door_shares_one_context(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(PULSE)
    await scripted.actuated(2)
    opened, shut = bench.strike.contexts
    assert opened is not None
    assert shut is not None
    assert opened.id == shut.id
    assert opened.user_id is None


# --- what fails ---------------------------------------------------------------------------------


async def test_an_entity_that_raises_is_a_failure_with_its_reason_and_is_told_to_shut(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    bench.strike.broken = JammedError("the relay is stuck")
    await scripted.command(PULSE)
    answer = (await scripted.actuated())[0]
    assert (answer.phase, answer.ok) == (ON, False)
    assert "the relay is stuck" in (answer.error or "")
    await until(lambda: bench.strike.asked == ["on", "off"])


@pytest.mark.parametrize("action", [PULSE, HOLD])
async def test_an_entity_that_does_not_show_that_it_acted_is_a_failure_within_the_engines_wait(
    home: Home, scripted: ScriptedEngine, bench: Bench, action: ActuatorAction
) -> None:
    await home.add(scripted, {"front": STRIKE})
    bench.strike.dead = True
    began = time.monotonic()
    await scripted.command(action, pulse_s=5)
    answer = (await scripted.actuated())[0]
    assert time.monotonic() - began < 2
    assert (answer.phase, answer.ok) == (ON, False)
    assert "still off" in (answer.error or "")
    await until(lambda: bench.strike.asked == ["on", "off"])
    assert len(scripted.all(Actuated)) == 1


async def test_a_state_that_comes_late_is_shown_and_no_success(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    bench.strike.dead = True
    await scripted.command(PULSE)
    await scripted.actuated()
    bench.strike.show(on=True)
    await until(lambda: scripted.all(ActuatorStatus)[-1].unlocked is True)
    assert told(scripted.all(Actuated)) == [("command-1", ON, False)]


async def test_an_entity_that_flaps_does_not_end_its_pulse_before_it_does(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    began = time.monotonic()
    await scripted.command(PULSE, pulse_s=0.6)
    await scripted.actuated(1)
    for on in (False, True):
        bench.strike.show(on=on)
    answers = await scripted.actuated(2)
    assert time.monotonic() - began >= 0.6
    assert told(answers) == [("command-1", ON, True), ("command-1", OFF, True)]
    assert bench.strike.asked == ["on", "off"]


async def test_a_service_that_hangs_is_a_failure_and_the_entity_is_told_to_shut(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    bench.strike.slow_s = 2
    await scripted.command(PULSE)
    answer = (await scripted.actuated())[0]
    assert not answer.ok
    await until(lambda: bench.strike.asked == ["on", "off"])
    bench.strike.slow_s = 0


async def test_an_entity_that_does_not_shut_is_a_failure_of_the_second_half(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(PULSE, pulse_s=0.3)
    await scripted.actuated(1)
    bench.strike.broken = ValueError()
    answers = await scripted.actuated(2)
    assert told(answers) == [("command-1", ON, True), ("command-1", OFF, False)]
    assert "ValueError" in (answers[1].error or "")


async def test_an_expired_command_does_nothing_and_says_so(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(PULSE, life_s=-0.5)
    answer = (await scripted.actuated())[0]
    assert not answer.ok
    assert "expired" in (answer.error or "")
    assert bench.strike.asked == []


@pytest.mark.parametrize("offset", [-7200.0, 7200.0])
async def test_clocks_that_differ_do_not_matter(
    home: Home, scripted: ScriptedEngine, bench: Bench, offset: float
) -> None:
    scripted.clock_offset = offset
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(PULSE, "fresh")
    assert told(await scripted.actuated(2)) == [("fresh", ON, True), ("fresh", OFF, True)]
    await scripted.command(PULSE, "stale", life_s=-0.1)
    assert told(await scripted.actuated(3))[2:] == [("stale", ON, False)]
    assert bench.strike.asked == ["on", "off"]


@pytest.mark.parametrize("step", [-7200.0, 7200.0])
async def test_a_clock_set_in_between_refuses_the_command_and_compares_anew(
    home: Home, scripted: ScriptedEngine, bench: Bench, step: float
) -> None:
    await home.add(scripted, {"front": STRIKE})
    scripted.clock_offset = step
    await scripted.command(PULSE, "misjudged")
    assert told(await scripted.actuated()) == [("misjudged", ON, False)]
    await until(lambda: scripted.connections == 2 and scripted.socket is not None)
    await scripted.command(PULSE, "judged")
    assert told(await scripted.actuated(3))[1:] == [("judged", ON, True), ("judged", OFF, True)]
    assert bench.strike.asked == ["on", "off"]


async def test_an_expired_release_is_done_all_the_same(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(HOLD, "hold")
    await scripted.actuated(1)
    await scripted.command(RELEASE, "release", life_s=-1)
    assert told(await scripted.actuated(2))[1:] == [("release", ON, True)]
    assert bench.strike.asked == ["on", "off"]


async def test_a_command_that_comes_twice_is_done_once_and_answered_alike(
    home: Home, scripted: ScriptedEngine, bench: Bench
) -> None:
    await home.add(scripted, {"front": STRIKE})
    await scripted.command(PULSE)
    await scripted.actuated(2)
    await scripted.command(PULSE)
    answers = await scripted.actuated(4)
    assert told(answers[:2]) == told(answers[2:])
    await asyncio.sleep(0.1)
    assert bench.strike.asked == ["on", "off"]


async def test_a_command_for_an_unknown_door_is_refused(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    await scripted.command(PULSE, door_id="cellar")
    answer = (await scripted.actuated())[0]
    assert not answer.ok


async def test_only_so_many_commands_are_remembered(
    home: Home, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.facegate.actuator.REMEMBERED_COMMANDS", 3)
    await home.add(scripted)
    for number in range(5):
        await scripted.command(PULSE, f"command-{number}")
    await scripted.actuated(5)
    assert list(home.coordinator.actuators._answers) == ["command-2", "command-3", "command-4"]


def _device(bench: Bench, entity_id: str) -> Hardware:
    return {
        STRIKE: bench.strike,
        BOLT: bench.bolt,
        LATCH: bench.latch,
        GATE: bench.gate,
        OPENER: bench.opener,
    }[entity_id]
