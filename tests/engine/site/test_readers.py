"""What a reader may send, and what comes of a document at a door."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facegate.errors import InvalidError
from facegate.protocol import AccessEvent, AlarmEvent
from facegate.site.instruments.readers import MOST_PHOTO_BYTES, ReadDocument, read
from facegate.site.presenting import Presented
from tests.broker import DEVICE, ENGINE, STRANGER, mosquitto, needs_mosquitto
from tests.engine.face.real import carphone
from tests.engine.mqtt.house import outside
from tests.engine.passage import A_LOOK, A_WAIT, passage, residents_scene
from tests.engine.site.test_instruments import CARD, READER, house, shown, with_a_card
from tests.engine.site.wired import options_on, shut_again
from tests.support import until

NOW = 1_800_000_000.0
JPEG = b"\xff\xd8\xff"
TOPIC = READER["topic"]
ASKS_FOR_A_DOCUMENT = {
    "controls": {"liveness": "off", "document": "required"},
    "readers": [READER],
}


def document(photo: bytes, **more: str) -> dict[str, Any]:
    return {"document": {"photo": base64.b64encode(photo).decode(), **more}}


def sent(told: object) -> Presented | ReadDocument:
    return read(json.dumps(told).encode(), NOW)


def residents_photo() -> bytes:
    return np.asarray(cv2.imencode(".jpg", carphone()[0])[1]).tobytes()


def test_each_kind_of_reader_is_understood() -> None:
    assert sent({"card_number": CARD}) == Presented(card_number=CARD)
    assert sent({"number": "1001", "pin": "4711", "at": NOW}) == Presented("1001", "4711")
    assert sent({"code": "FG1.x"}) == Presented(code="FG1.x")
    assert sent(document(JPEG, number="L01X", name="Ann")) == ReadDocument(JPEG)


def test_a_photo_has_at_most_512_kilobytes() -> None:
    largest = JPEG + bytes(MOST_PHOTO_BYTES - len(JPEG))
    assert MOST_PHOTO_BYTES == 512 * 1024
    assert sent(document(largest)) == ReadDocument(largest)
    with pytest.raises(InvalidError, match=r"document\.photo: it has 524289 bytes"):
        sent(document(largest + b"\0"))


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ([], "expected card_number"),
        ({}, "expected card_number"),
        ({"card_number": "7", "pin": "1"}, "expected card_number"),
        ({"number": "7"}, "expected card_number"),
        ({"card_number": 7}, "card_number"),
        ({"card_number": ""}, "card_number"),
        ({"card_number": "7" * 201}, "card_number"),
        ({"document": "photo"}, "document"),
        ({"document": {}}, r"document\.photo"),
        ({"document": {"photo": "%%%"}}, "not base64"),
        (document(b"GIF89a"), "not a JPEG"),
        ({"card_number": "7", "at": NOW - 5.1}, "at: not a moment"),
        ({"card_number": "7", "at": NOW + 1.1}, "at: not a moment"),
        ({"card_number": "7", "at": "now"}, "at: expected seconds"),
        ({"card_number": "7", "at": True}, "at: expected seconds"),
    ],
)
def test_anything_else_says_the_field_and_nothing_of_what_was_read(
    told: object, field: str
) -> None:
    with pytest.raises(InvalidError, match=field):
        sent(told)


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"7" * 1_048_577])
def test_what_is_no_json_is_refused(payload: bytes) -> None:
    with pytest.raises(InvalidError):
        read(payload, NOW)


def test_an_error_tells_nothing_of_a_secret() -> None:
    with pytest.raises(InvalidError) as caught:
        sent({"number": "1001", "pin": 4711, "code": "4711"})
    assert "4711" not in str(caught.value)


@needs_mosquitto
@pytest.mark.usefixtures("free_loop")
async def test_a_document_lets_in_whose_face_is_on_it_and_a_photo_that_is_too_large_counts_for_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with house(monkeypatch, tmp_path, **ASKS_FOR_A_DOCUMENT) as (front, device):
        await front.enroll(["front"])
        photo = residents_photo()
        large = photo + bytes(MOST_PHOTO_BYTES)
        await device.say(TOPIC, json.dumps(document(large)))
        await until(lambda: "at most 524288" in (shown(front)[0].reason or ""))
        await front.show(residents_scene()[:A_WAIT])
        assert [event.reason for event in await front.events()] == ["no_document"]
        await device.say(TOPIC, json.dumps(document(photo, number="L01X")))
        await until(lambda: shown(front)[0].ok)
        front.nobody(3)
        await front.show(residents_scene()[:A_LOOK])
        assert [event.granted for event in await front.events()] == [False, True]
        assert front.client.all(AlarmEvent) == []


@needs_mosquitto
@pytest.mark.usefixtures("free_loop")
async def test_the_same_message_counts_again_after_three_seconds_and_not_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with house(monkeypatch, tmp_path, readers=[READER]) as (front, device):
        await with_a_card(front)
        told = json.dumps({"card_number": CARD})
        await device.say(TOPIC, told)
        await until(lambda: len(front.client.pulses) == 1)
        await shut_again(front)
        front.clock.passed += 2.9
        await device.say(TOPIC, told)
        await device.say(TOPIC, json.dumps({"card_number": "another"}))
        await until(lambda: len(front.client.all(AccessEvent)) == 2)
        front.clock.passed += 0.2
        await device.say(TOPIC, told)
        await until(lambda: len(front.client.pulses) == 2)
        assert [event.granted for event in await front.events()] == [True, False, True]


@needs_mosquitto
@pytest.mark.usefixtures("free_loop")
async def test_a_client_without_the_right_presents_no_card(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    allowed = {
        ENGINE: ("readwrite facegate/#", f"read {TOPIC}"),
        DEVICE: (f"write {TOPIC}", "read facegate/#"),
        STRANGER: ("read #",),
    }
    async with (
        mosquitto(tmp_path / "broker", allowed) as broker,
        passage(monkeypatch, tmp_path / "data", options_on(broker, readers=[READER])) as front,
        outside(broker) as reader,
        outside(broker, STRANGER) as stranger,
    ):
        await until(lambda: bool(reader.on("facegate/status")))
        await with_a_card(front)
        await stranger.say(TOPIC, json.dumps({"card_number": CARD}))
        await reader.say(TOPIC, json.dumps({"card_number": "another"}))
        await until(lambda: bool(front.client.all(AccessEvent)))
        assert [event.granted for event in await front.events()] == [False]
        await reader.say(TOPIC, json.dumps({"card_number": CARD}))
        await until(lambda: len(front.client.pulses) == 1)
