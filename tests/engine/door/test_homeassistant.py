"""The actuator behind Home Assistant: only an answer in time, to this command, is success."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
import gc
import logging

import pytest

from facegate.domain import ActuatorCommand
from facegate.door import homeassistant
from facegate.door.homeassistant import HomeAssistantActuator
from facegate.errors import ActuatorError
from facegate.protocol import (
    Actuate,
    Actuated,
    ActuatorAction,
    ActuatorPhase,
    ActuatorStatus,
    ErrorCode,
)

ON, OFF = ActuatorPhase.ON, ActuatorPhase.OFF
READY = ActuatorStatus("front", available=True, unlocked=False)


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homeassistant, "CONFIRM_S", 0.1)


def command(
    command_id: str = "a", action: ActuatorAction = ActuatorAction.PULSE
) -> ActuatorCommand:
    until = datetime.now(UTC) + timedelta(seconds=2)
    return ActuatorCommand(command_id, "front", action, 0.1, until)


class Integration:
    """A client that answers as it is told."""

    def __init__(
        self, actuator: HomeAssistantActuator, *phases: tuple[ActuatorPhase, bool]
    ) -> None:
        self.sent: list[Actuate] = []
        self._actuator = actuator
        self._phases = phases
        self.send = self._send

    def _send(self, message: Actuate) -> None:
        self.sent.append(message)
        for phase, ok in self._phases:
            error = None if ok else "the bolt is stuck"
            self._actuator.confirm(Actuated(message.command_id, phase, ok, error))


async def test_a_confirmed_pulse_is_done_when_its_end_is_confirmed() -> None:
    actuator = HomeAssistantActuator("front")
    client = Integration(actuator, (ON, True), (OFF, True))
    actuator.offer(client.send, READY)
    pulse = command()
    await actuator.perform(pulse)
    await actuator.pulse_ended(pulse)
    assert client.sent == [
        Actuate("a", "front", ActuatorAction.PULSE, 0.1, pulse.expires_at.timestamp())
    ]


async def test_silence_is_a_failure() -> None:
    actuator = HomeAssistantActuator("front")
    actuator.offer(Integration(actuator).send, READY)
    with pytest.raises(ActuatorError, match="did not confirm pulse within") as caught:
        await actuator.perform(command())
    assert caught.value.code is ErrorCode.NOT_CONFIRMED


async def test_a_refusal_is_told_in_its_own_words() -> None:
    actuator = HomeAssistantActuator("front")
    actuator.offer(Integration(actuator, (ON, False)).send, READY)
    with pytest.raises(ActuatorError, match="the bolt is stuck"):
        await actuator.perform(command())


async def test_an_answer_that_comes_too_late_counts_for_nothing() -> None:
    actuator = HomeAssistantActuator("front")
    client = Integration(actuator)
    actuator.offer(client.send, READY)
    with pytest.raises(ActuatorError):
        await actuator.perform(command())
    assert not actuator.confirm(Actuated("a", ON, ok=True))
    assert not actuator.confirm(Actuated("a", OFF, ok=True))


async def test_an_answer_counts_once_and_only_for_its_own_command() -> None:
    actuator = HomeAssistantActuator("front")
    actuator.offer(Integration(actuator).send, READY)
    waiting = asyncio.create_task(actuator.perform(command()))
    await asyncio.sleep(0)
    assert not actuator.confirm(Actuated("b", ON, ok=True))
    assert actuator.confirm(Actuated("a", ON, ok=True))
    assert not actuator.confirm(Actuated("a", ON, ok=False))
    await waiting


async def test_the_end_of_a_pulse_that_is_not_told_is_a_failure() -> None:
    actuator = HomeAssistantActuator("front")
    actuator.offer(Integration(actuator, (ON, True)).send, READY)
    pulse = command()
    await actuator.perform(pulse)
    with pytest.raises(ActuatorError) as caught:
        await actuator.pulse_ended(pulse)
    assert caught.value.code is ErrorCode.NOT_CONFIRMED


async def test_a_client_that_leaves_is_not_waited_for() -> None:
    actuator = HomeAssistantActuator("front")
    client = Integration(actuator)
    actuator.offer(client.send, READY)
    waiting = asyncio.create_task(actuator.perform(command()))
    await asyncio.sleep(0)
    assert actuator.withdraw(client.send)
    with pytest.raises(ActuatorError, match="went away"):
        await waiting
    assert actuator.unavailable_reason is not None
    with pytest.raises(ActuatorError, match="not connected"):
        await actuator.perform(command("b"))
    assert [sent.command_id for sent in client.sent] == ["a"]


async def test_a_client_that_leaves_during_a_pulse_is_not_waited_for() -> None:
    actuator = HomeAssistantActuator("front")
    client = Integration(actuator, (ON, True))
    actuator.offer(client.send, READY)
    pulse = command()
    await actuator.perform(pulse)
    waiting = asyncio.create_task(actuator.pulse_ended(pulse))
    await asyncio.sleep(0)
    actuator.withdraw(client.send)
    with pytest.raises(ActuatorError, match="went away"):
        await waiting


async def test_another_clients_leaving_changes_nothing() -> None:
    actuator = HomeAssistantActuator("front")
    client, other = Integration(actuator), Integration(actuator)
    actuator.offer(client.send, READY)
    assert not actuator.withdraw(other.send)
    assert actuator.unavailable_reason is None


async def test_a_client_that_cannot_drive_does_not_take_the_door_away() -> None:
    actuator = HomeAssistantActuator("front")
    client, other = Integration(actuator, (ON, True)), Integration(actuator)
    actuator.offer(client.send, READY)
    actuator.offer(other.send, ActuatorStatus("front", available=False, reason="no entity"))
    assert actuator.unavailable_reason is None
    await actuator.perform(command(action=ActuatorAction.HOLD))
    assert len(client.sent) == 1
    assert other.sent == []


async def test_the_newest_client_that_can_drive_does() -> None:
    actuator = HomeAssistantActuator("front")
    client, other = Integration(actuator), Integration(actuator, (ON, True))
    actuator.offer(client.send, READY)
    actuator.offer(other.send, READY)
    await actuator.perform(command(action=ActuatorAction.HOLD))
    assert client.sent == []
    assert len(other.sent) == 1


async def test_a_client_says_itself_that_it_can_no_longer_drive() -> None:
    actuator = HomeAssistantActuator("front")
    client = Integration(actuator)
    actuator.offer(client.send, READY)
    actuator.offer(client.send, ActuatorStatus("front", available=False, reason="battery empty"))
    assert actuator.unavailable_reason == "battery empty"


@pytest.mark.parametrize("phases", [(), ((ON, False), (OFF, True)), ((ON, True), (OFF, False))])
async def test_nothing_is_left_waiting(
    phases: tuple[tuple[ActuatorPhase, bool], ...], caplog: pytest.LogCaptureFixture
) -> None:
    actuator = HomeAssistantActuator("front")
    client = Integration(actuator, *phases)
    actuator.offer(client.send, READY)
    with suppress(ActuatorError):
        await actuator.perform(command())
        await actuator.pulse_ended(command())
    actuator.withdraw(client.send)
    assert actuator._waiting == {}
    gc.collect()
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


async def test_a_command_that_is_given_up_is_forgotten() -> None:
    actuator = HomeAssistantActuator("front")
    actuator.offer(Integration(actuator).send, READY)
    given_up = asyncio.create_task(actuator.perform(command()))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert actuator._waiting == {}
