"""The engine's figures: for everybody without a token, and for Prometheus with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
import re
from typing import Any

import aiohttp
from aiohttp import web
import numpy as np
import pytest

from facegate.domain import Template
from facegate.identity.gallery import Gallery
from facegate.latency import Drop, Stage
from facegate.protocol import CameraStateName, DoorAction, DoorChanged, DoorStateName
from tests.engine.api.scrape import Scraped, read
from tests.support import Client, Engine, engine, until

DOCUMENT = Path(__file__).parents[3] / "docs/metrics.md"

pytestmark = pytest.mark.usefixtures("free_loop")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Engine]:
    options = {
        "cameras": [{"id": "porch", "name": "Porch", "clip": str(tmp_path / "none.mp4")}],
        "doors": [{"id": "front", "entry_camera": "porch", "pulse_seconds": 1}],
    }
    async with engine(options, tmp_path / "data") as running:
        yield running


@pytest.fixture
async def client(site: Engine) -> AsyncIterator[Client]:
    async with Client.connected(site.url, site.token) as connected:
        await connected.drive("front")
        await until(lambda: site.site.board.state().doors[0].state is DoorStateName.LOCKED)
        yield connected


async def scrape(site: Engine) -> dict[str, Scraped]:
    async with site.session() as session, session.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return read(await response.text())


async def latency_ms(site: Engine) -> dict[str, Any]:
    async with aiohttp.ClientSession(site.url) as session, session.get("/health") as response:
        return dict((await response.json())["latency_ms"])


async def test_health_tells_what_a_stage_takes_in_milliseconds(site: Engine) -> None:
    for milliseconds in range(1, 101):
        site.site.latencies.observe(Stage.DETECT, milliseconds / 1000)
    site.site.latencies.observe(Stage.ARRIVAL_TO_UNLOCK, 0.41237)
    assert await latency_ms(site) == {
        "detect": {"p50": 50.0, "p95": 95.0},
        "arrival_to_unlock": {"p50": 412.4, "p95": 412.4},
    }


async def test_an_opening_is_measured_until_it_is_on_record_and_confirmed(
    site: Engine, client: Client
) -> None:
    assert (await client.operate("front", DoorAction.OPEN)).ok
    assert {"record", "actuate"} <= (await latency_ms(site)).keys()
    stages = (await scrape(site))["facegate_stage_duration_seconds"]
    assert stages.value("_count", stage="record") == 1
    assert stages.value("_count", stage="actuate") == 1


async def test_an_opening_that_failed_is_no_figure_of_the_door(
    site: Engine, client: Client
) -> None:
    client.refusal = "the bolt does not move"
    assert not (await client.operate("front", DoorAction.OPEN)).ok
    stages = (await scrape(site))["facegate_stage_duration_seconds"]
    assert stages.value("_count", stage="record") == 1
    assert stages.value("_count", stage="actuate") == 0


async def test_a_scrape_has_every_stage_and_the_ways_through_several_apart(site: Engine) -> None:
    site.site.latencies.observe(Stage.PROBE, 0.02)
    site.site.latencies.observe(Stage.ARRIVAL_TO_UNLOCK, 0.45)
    found = await scrape(site)
    stages = found["facegate_stage_duration_seconds"]
    ways = {Stage.ARRIVAL_TO_DECISION, Stage.ARRIVAL_TO_UNLOCK}
    told = {dict(labels)["stage"] for _, labels in stages.samples}
    assert told == set(Stage) - ways
    assert stages.value("_bucket", stage="probe", le="0.01") == 0
    assert stages.value("_bucket", stage="probe", le="0.025") == 1
    unlock = found["facegate_arrival_to_unlock_seconds"]
    assert (unlock.value("_sum"), unlock.value("_bucket", le="0.4")) == (0.45, 0)
    assert found["facegate_arrival_to_decision_seconds"].value("_count") == 0


async def test_what_a_camera_lost_is_counted_from_nought(site: Engine) -> None:
    site.site.latencies.count(Drop.FRAME_REPLACED, "porch", 3)
    dropped = (await scrape(site))["facegate_dropped_total"]
    assert dropped.value(camera="porch", kind="frame_replaced") == 3
    assert dropped.value(camera="porch", kind="detection_skipped") == 0


async def test_a_camera_is_in_one_state(site: Engine) -> None:
    await until(lambda: site.site.board.state().cameras[0].state is CameraStateName.REFUSED)
    states = (await scrape(site))["facegate_camera_state"]
    assert states.value(camera="porch", state="refused") == 1
    assert sum(states.samples.values()) == 1
    assert len(states.samples) == len(CameraStateName)


async def test_the_gallery_is_counted(galleries: list[Gallery], site: Engine) -> None:
    vector = np.eye(1, 128, dtype=np.float32)[0]
    templates = [Template(f"t{n}", "ann", galleries[-1].model_id, vector) for n in range(3)]
    galleries[-1].put("ann", templates)
    found = await scrape(site)
    assert found["facegate_gallery_templates"].value() == 3
    assert found["facegate_gallery_subjects"].value() == 1


async def test_what_waits_to_be_sent_and_to_be_done_is_told(
    site: Engine, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, done = asyncio.Event(), asyncio.Event()
    send = web.WebSocketResponse.send_str

    async def send_later(socket: web.WebSocketResponse, text: str) -> None:
        await network.wait()
        await send(socket, text)

    async def work() -> None:
        await done.wait()

    monkeypatch.setattr(web.WebSocketResponse, "send_str", send_later)
    # Until this is sent the writer still holds the network as it was.
    told = len(client.all(DoorChanged))
    site.site.board.show_door("front")
    await until(lambda: len(client.all(DoorChanged)) > told)
    site.site.bulletin.spawn(work())
    for _ in range(7):
        site.site.board.show_door("front")
    try:
        waiting = (await scrape(site))["facegate_queue_length"]
    finally:
        network.set()
        done.set()
    assert waiting.value(queue="background") == 1
    # One has left the queue and is on its way.
    assert waiting.value(queue="socket") == 6
    await until(lambda: site.site.bulletin.unfinished == 0)
    assert (await scrape(site))["facegate_queue_length"].value(queue="socket") == 0


async def test_the_process_is_told_as_prometheus_names_it(site: Engine) -> None:
    found = await scrape(site)
    assert found["process_cpu_seconds_total"].value() > 0
    assert found["process_threads"].value() >= 1
    assert found["facegate_build_info"].samples.popitem()[1] == 1


async def test_nobody_is_named_in_a_scrape(site: Engine) -> None:
    subject_id = await site.enroll("Ann Example", [], ["front"])
    async with site.session() as session, session.get("/metrics") as response:
        text = await response.text()
    assert subject_id not in text
    assert "Ann" not in text


async def test_every_metric_stage_kind_and_queue_is_explained(site: Engine) -> None:
    explained = set(re.findall(r"`(\w+)`", DOCUMENT.read_text()))
    found = await scrape(site)
    queues = {said for _, labels in found["facegate_queue_length"].samples for _, said in labels}
    assert "probe" in queues
    assert {*found, *Stage, *Drop, *CameraStateName, *queues} - explained == set()
