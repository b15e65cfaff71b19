"""What is a press of a button and what is none, and who may press it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from facegate.domain import Delivery
from facegate.errors import InvalidError
from facegate.hardware import Signal
from facegate.site.instruments.signals import Button
from tests.broker import DEVICE, ENGINE, STRANGER, mosquitto, needs_mosquitto
from tests.engine.mqtt.house import outside
from tests.engine.passage import passage
from tests.engine.site.test_instruments import house
from tests.engine.site.wired import options_on, shut_again
from tests.support import FakeClock, until

TOPIC = "rex/front"
REX = {"exit_button": {"topic": TOPIC}}


class Pressed:
    """A button, and a clock that is moved."""

    def __init__(self, path: str | None = None) -> None:
        self.clock = FakeClock()
        self._button = Button(Signal(TOPIC, path, "ON", "OFF"), self.clock)

    def says(self, payload: bytes, after_s: float = 0, *, retained: bool = False) -> bool:
        """Return whether what it says after so many seconds is a press."""
        self.clock.passed += after_s
        return self._button.pressed(Delivery(TOPIC, payload, retained))


def test_a_bounce_within_a_second_is_the_same_press() -> None:
    button = Pressed()
    assert button.says(b"ON")
    assert not button.says(b"OFF", 0.1)
    assert not button.says(b"ON", 0.1)
    assert not button.says(b"OFF", 0.1)
    assert button.says(b"ON", 1.1)


def test_a_button_that_is_held_is_pressed_once() -> None:
    button = Pressed()
    assert not button.says(b"OFF")
    assert button.says(b"ON", 5)
    assert not button.says(b"ON", 5)
    assert not button.says(b"ON", 5)
    assert not button.says(b"OFF", 5)
    assert button.says(b"ON", 5)


def test_a_button_that_only_tells_presses_is_released_by_itself() -> None:
    button = Pressed()
    assert button.says(b"ON")
    assert not button.says(b"ON", 0.9)
    assert button.says(b"ON", 1.1)


def test_what_is_retained_is_no_press_and_takes_none_away() -> None:
    button = Pressed()
    assert not button.says(b"ON", retained=True)
    assert button.says(b"ON")


def test_other_words_are_no_press_and_what_cannot_be_read_is_said() -> None:
    button = Pressed(path="action.0")
    assert not button.says(b'{"action": ["long"]}')
    assert button.says(b'{"action": ["ON"]}')
    for wrong in (b"ON", b'{"action": []}', b'{"action": [{}]}', b"[" * 60_000, b"O" * 70_000):
        with pytest.raises(InvalidError):
            button.says(wrong, 5)


@needs_mosquitto
@pytest.mark.usefixtures("free_loop")
async def test_an_exit_button_opens_again_when_it_is_pressed_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with house(monkeypatch, tmp_path, **REX) as (front, device):
        await device.say(TOPIC, "ON")
        await until(lambda: len(front.client.pulses) == 1)
        await shut_again(front)
        front.clock.passed += 5
        await device.say(TOPIC, b"\xff\xfe")  # no word of its own
        await device.say(TOPIC, "ON")
        await until(lambda: len(front.client.pulses) == 2)
        events = await front.events()
        assert [event.basis for event in events] == ["exit_button", "exit_button"]


@needs_mosquitto
@pytest.mark.usefixtures("free_loop")
async def test_a_client_without_the_right_presses_no_button(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    allowed = {
        ENGINE: ("readwrite facegate/#", f"read {TOPIC}"),
        DEVICE: (f"write {TOPIC}", "read facegate/#"),
        STRANGER: ("read #",),
    }
    async with (
        mosquitto(tmp_path / "broker", allowed) as broker,
        passage(monkeypatch, tmp_path / "data", options_on(broker, **REX)) as front,
        outside(broker) as button,
        outside(broker, STRANGER) as stranger,
    ):
        await until(lambda: bool(button.on("facegate/status")))
        await stranger.say(TOPIC, "ON")
        await asyncio.sleep(0.3)
        assert await front.events() == []
        # The same word on the same topic, from who has the right.
        await button.say(TOPIC, "ON")
        await until(lambda: len(front.client.pulses) == 1)
        assert len(await front.events()) == 1
