"""``facegate evaluate --site`` asks a running engine."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from facegate.__main__ import main
from facegate.enroll import enroll
from facegate.errors import FaceGateError, InvalidError, NotFoundError
from facegate.evaluation.site import lines, read_site
from facegate.face.weights import SFACE
from facegate.identity.calibration import calibration_of
from facegate.identity.report import Outlier, Pair, SiteReport, site_report
from facegate.identity.threshold import site_threshold
from tests.engine.face.real import packaged
from tests.support import consenting, engine, free_port

pytestmark = pytest.mark.usefixtures("free_loop")

PHOTOS = (
    packaged("skimage", "data/astronaut.png"),
    packaged("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
)


def report(people: int = 10) -> SiteReport:
    calibration = calibration_of(SFACE.id)
    threshold = site_threshold(calibration, subjects=people, templates=3 * people, fpir=1e-4)
    return site_report([], calibration, threshold, 0.5, 20)


def told(report: SiteReport) -> str:
    return "\n".join(lines(report, {"a": "Ann", "b": "Bea"}))


async def test_the_command_tells_of_the_people_by_name(tmp_path: Path) -> None:
    async with engine({"doors": [{"id": "front"}]}, tmp_path) as running:
        for name, photo in zip(("Eileen", "Grace"), PHOTOS, strict=True):
            await enroll(running.data, running.url, consenting(name, ["front"]), [photo])
        text = await read_site(running.data, running.url)
    assert text.startswith(f"2 people with 2 references of {SFACE.id}\nthreshold 0.5")
    assert "Eileen and Grace" in text or "Grace and Eileen" in text


def test_what_a_manager_must_know_is_said_in_words() -> None:
    found = replace(
        report(),
        nearest=(Pair("a", "b", 0.61),),
        look_alikes=("a", "b"),
        outliers=(Outlier("a", "t1", 0.31),),
        other_models=("b",),
    )
    text = told(found)
    assert "for at most 0.0001 of strangers' tracks" in text
    assert "look-alikes, who need a second credential to enter by a face: Ann, Bea" in text
    assert "0.610  Ann and Bea" in text
    assert "0.310  Ann, reference t1" in text
    assert "new photos are needed: Bea" in text


def test_a_site_that_the_data_do_not_carry_is_told_so() -> None:
    text = told(report(2000))
    assert "which the calibration does not support" in text
    assert "everybody needs a second credential" in text


def test_a_threshold_of_the_managers_is_told_as_such() -> None:
    calibration = calibration_of(SFACE.id)
    threshold = site_threshold(calibration, subjects=9, templates=9, fpir=1e-4, fixed=0.5)
    text = told(site_report([], calibration, threshold, 0.5, 20))
    assert "threshold 0.500, set by the manager" in text


async def test_an_engine_that_is_away_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("token")
    with pytest.raises(FaceGateError, match="cannot be reached"):
        await read_site(tmp_path, f"http://127.0.0.1:{free_port()}")


async def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no token"):
        await read_site(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(InvalidError, match="--site needs --data"):
        await read_site(None, "http://127.0.0.1:1")


async def test_another_server_is_not_taken_for_an_engine(tmp_path: Path) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        await writer.drain()
        writer.close()

    (tmp_path / "token").write_text("token")
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(FaceGateError, match="not this version's engine"):
            await read_site(tmp_path, f"http://127.0.0.1:{port}")


def test_the_command_line_asks_for_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--site"]) == 1
    assert "--site needs --data" in capsys.readouterr().err
