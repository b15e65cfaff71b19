"""A model's file that is gone, cut or altered, at the start or while the engine runs.

No door opens to a face, the fault is named, and PINs and visitors' codes go on opening doors.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from facegate import assembly
from facegate.domain import Image
from facegate.face.weights import MODELS, ModelRole
from facegate.protocol import AccessEvent, DoorAction, ModelFaultView, ModelProblem, StateMessage
from tests.conftest import SHARED
from tests.engine.api.office import PHOTO, ask
from tests.engine.model_files import DAMAGES, Damage, Installation, damaged, delete, install
from tests.engine.passage import A_LOOK, A_WAIT, Passage, options, passage, residents_scene
from tests.engine.visitor.test_code_before_camera import held_up
from tests.support import until

pytestmark = pytest.mark.usefixtures("free_loop")

PIN = "4711"
AWAY_S = 20.0
LIVENESS = {model.name for model in MODELS if model.role is ModelRole.LIVENESS}
# Without these nobody is seen at all.
FINDING = {"yunet-2023mar", "sface-2021dec"}


@pytest.fixture(scope="module")
def ann() -> list[Image]:
    return residents_scene()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Every model; without ../shared those of liveness, which no package carries, are missing."""
    liveness = SHARED / "models"
    return install(tmp_path, monkeypatch, liveness if liveness.is_dir() else None)


@dataclass
class Visited:
    """A door before which somebody stands with a face, a PIN and the code of a pass."""

    front: Passage
    session: aiohttp.ClientSession
    ann: str
    keypad: dict[str, str]
    code: str

    async def health(self) -> dict[str, Any]:
        _, found = await ask(self.session, "GET", "/health")
        return dict(found)

    async def state(self) -> tuple[ModelFaultView, ...]:
        """Return the faults that a client is shown: asked for, and as it was told last."""
        _, shown = await ask(self.session, "GET", "/api/v1/state")
        faults = self.front.site.site.board.state().model_faults
        assert [fault["model"] for fault in shown["model_faults"]] == [f.model for f in faults]
        await until(lambda: self.front.client.all(StateMessage)[-1].model_faults == faults)
        return faults

    async def at_fault(self, name: str, problem: ModelProblem) -> ModelFaultView:
        """Return how a fault is shown, once it is, in the state and in the health."""

        def shown() -> ModelFaultView | None:
            faults = self.front.site.site.board.state().model_faults
            return next((fault for fault in faults if fault.model == name), None)

        fault = await until(shown, timeout_s=10)
        assert fault.problem is problem
        assert fault in await self.state()
        health = await self.health()
        assert (health["status"], health["models"]) == ("degraded", "failing")
        assert name in health["model_faults"]
        return fault

    async def whole(self) -> None:
        """Return once no fault is shown any more."""
        await until(lambda: not self.front.site.site.board.state().model_faults, timeout_s=10)
        assert await self.state() == ()
        health = await self.health()
        assert (health["models"], health["model_faults"]) == ("ok", [])

    async def face(self, pictures: list[Image]) -> list[AccessEvent]:
        """Return what is decided of a face that comes now."""
        before = len(await self.front.events())
        self.front.nobody(AWAY_S)
        await self.front.show(pictures)
        return (await self.front.events())[before:]

    async def opens_otherwise(self) -> None:
        """Hold that a PIN and the code of a pass open the door."""
        for shown in (self.keypad, {"code": self.code}):
            _, receipt = await ask(self.session, "POST", "/api/v1/doors/front/credentials", shown)
            assert receipt["granted"], receipt

    async def opens_to_a_code_before_the_camera(self) -> None:
        (event,) = await self.face([held_up(self.code)] * A_WAIT)
        assert (event.granted, event.basis) == (True, "pass")


@asynccontextmanager
async def visited(
    monkeypatch: pytest.MonkeyPatch, installed: Installation, *, enrolled: bool, **door: Any
) -> AsyncIterator[Visited]:
    """Run the installed engine, with a resident whose face it knows where it can."""
    chosen = installed.options(options(visitors=False, **door))
    async with (
        passage(monkeypatch, installed.data, chosen) as front,
        front.site.session() as session,
    ):
        if enrolled:
            ann = await front.enroll(["front"])
        else:
            body: dict[str, Any] = {"name": "Ann", "permits": [{"door_id": "front"}]}
            _, person = await ask(session, "POST", "/api/v1/subjects", body)
            ann = person["id"]
        path = f"/api/v1/subjects/{ann}/credentials"
        _, shown = await ask(session, "POST", path, {"kind": "pin", "pin": PIN})
        until_then = front.clock.now().timestamp() + 86400
        body = {"name": "Cleo", "door_ids": ["front"], "valid_until": until_then, "max_uses": 100}
        _, issued = await ask(session, "POST", "/api/v1/passes", body)
        keypad = {"number": shown["number"], "pin": PIN}
        yield Visited(front, session, ann, keypad, issued["code"])


def problem_of(damage: Damage) -> ModelProblem:
    return ModelProblem.MISSING if damage is delete else ModelProblem.ALTERED


def asks_for_liveness(name: str) -> dict[str, Any]:
    """Return what a door asks for, so that it needs this model."""
    required = name in LIVENESS
    return {
        "controls": {"liveness": "required" if required else "off"},
        "liveness": {"model": True},
    }


async def test_with_every_file_whole_a_face_opens_the_door_and_no_fault_is_told(
    monkeypatch: pytest.MonkeyPatch, installed: Installation, ann: list[Image]
) -> None:
    async with visited(monkeypatch, installed, enrolled=True) as site:
        await site.whole()
        (event,) = await site.face(ann[:A_LOOK])
        assert (event.granted, event.basis) == (True, "face")
        await site.opens_otherwise()


@pytest.mark.parametrize("name", [model.name for model in MODELS])
async def test_a_file_damaged_before_the_start(
    monkeypatch: pytest.MonkeyPatch, installed: Installation, ann: list[Image], name: str
) -> None:
    if name not in installed.sources:
        pytest.skip("needs ../shared (the liveness models), which is not here")
    async with visited(monkeypatch, installed, enrolled=True):
        pass  # Ann was enrolled while all was well
    for damage in DAMAGES:
        with damaged(installed.sources[name], damage):
            await denied_from_the_start(monkeypatch, installed, ann, name, damage)


async def denied_from_the_start(
    monkeypatch: pytest.MonkeyPatch,
    installed: Installation,
    ann: list[Image],
    name: str,
    damage: Damage,
) -> None:
    door = asks_for_liveness(name)
    async with visited(monkeypatch, installed, enrolled=False, **door) as site:
        fault = await site.at_fault(name, problem_of(damage))
        assert fault.stops_faces is not (name in LIVENESS and damage is delete)
        await site.opens_otherwise()
        events = await site.face(ann[:A_WAIT])
        assert [event.granted for event in events] == ([] if name in FINDING else [False])
        for event in events:
            reasons = {found.control: found.reason for found in event.verdicts}
            assert event.reason in {"model_fault", "no_liveness_model"}
            assert (reasons["identity"] == "model_fault") is fault.stops_faces
        await site.opens_to_a_code_before_the_camera()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_a_file_damaged_while_the_engine_runs_until_it_is_whole_again(
    monkeypatch: pytest.MonkeyPatch, installed: Installation, ann: list[Image], damage: Damage
) -> None:
    monkeypatch.setattr(assembly, "MODELS_S", 0.1)
    kept = await asyncio.to_thread(installed.prepare)
    async with visited(monkeypatch, installed, enrolled=True) as site:
        files = [*installed.sources.items(), *kept.items()]
        assert len(files) == 2 * len(installed.sources)
        for name, file in files:
            with damaged(file, damage):
                fault = await site.at_fault(name, problem_of(damage))
                assert fault.stops_faces
                (event,) = await site.face(ann[:A_WAIT])
                assert (event.granted, event.reason) == (False, "model_fault")
                await site.opens_otherwise()
            await site.whole()
        (event,) = await site.face(ann[:A_LOOK])
        assert (event.granted, event.basis) == (True, "face")


async def test_a_damaged_file_is_told_within_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, installed: Installation
) -> None:
    async with visited(monkeypatch, installed, enrolled=False) as site:
        with damaged(installed.sources["mask-1"], delete):
            await site.at_fault("mask-1", ModelProblem.MISSING)


async def test_faults_come_and_go_in_the_log_with_file_and_remedy(
    monkeypatch: pytest.MonkeyPatch, installed: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(assembly, "MODELS_S", 0.1)
    file = installed.sources["sface-2021dec"]
    async with visited(monkeypatch, installed, enrolled=False) as site:
        with damaged(file, delete):
            await site.at_fault("sface-2021dec", ModelProblem.MISSING)
        await site.whole()
    told = [record.message for record in caplog.records if str(file) in record.message]
    assert [text.partition(":")[0] for text in told] == [
        "No door opens to a face",
        "No longer so",
    ]
    assert "pinned requirements" in told[0]


async def test_health_tells_everybody_no_path(
    monkeypatch: pytest.MonkeyPatch, installed: Installation
) -> None:
    delete(installed.sources["yunet-2023mar"])
    async with (
        visited(monkeypatch, installed, enrolled=False) as site,
        aiohttp.ClientSession(site.front.site.url) as nobody,
    ):
        status, health = await ask(nobody, "GET", "/health")
        assert (status, health["model_faults"]) == (200, ["yunet-2023mar"])
        assert str(installed.data.parent) not in str(health)


async def test_liveness_models_that_no_door_asks_for_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    installed = install(tmp_path, monkeypatch, None)
    async with visited(monkeypatch, installed, enrolled=True) as site:
        await site.whole()
        (event,) = await site.face(ann[:A_LOOK])
        assert event.granted


async def test_without_its_models_the_engine_opens_to_people_and_takes_no_photos(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = install(tmp_path, monkeypatch, None)
    delete(installed.sources["sface-2021dec"])
    async with visited(monkeypatch, installed, enrolled=False) as site:
        assert (await site.front.client.operate("front", DoorAction.OPEN)).ok
        consent = {"text_version": "1", "purpose": "access", "language": "en", "signer": "Ann"}
        person = f"/api/v1/subjects/{site.ann}"
        await ask(site.session, "POST", f"{person}/consents", consent)
        status, error = await ask(site.session, "POST", f"{person}/photos", PHOTO)
        assert (status, error["code"]) == (503, "model_unavailable")
